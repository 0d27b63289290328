// gRPC waits by Abseil's condition variables, and those wait on a futex until an instant of the wall clock. When the date is set back an
// hour, its timers (deadlines of calls, pauses before connecting again) would stand still for that hour; F-50, L-10. Abseil calls futex
// through syscall(2), which the linker sends here (-Wl,--wrap=syscall in meson.build): such a wait becomes one by the monotonic clock.
#include <linux/futex.h>
#include <sys/syscall.h>

#include <cstdarg>
#include <cstdint>
#include <ctime>

// Absent where nothing is wrapped, as in programs that link libdrover-sdk themselves; then nobody calls what follows either.
extern "C" __attribute__((weak)) long __real_syscall(long number, ...);  // NOLINT: the linker's names
extern "C" long __wrap_syscall(long number, ...);                         // NOLINT

namespace {

constexpr std::int64_t second = 1'000'000'000;

std::int64_t now(clockid_t clock) {
  timespec at{};
  ::clock_gettime(clock, &at);
  return at.tv_sec * second + at.tv_nsec;
}

}  // namespace

extern "C" long __wrap_syscall(long number, ...) {
  va_list list;
  va_start(list, number);
  long a[6];
  for (long& one : a) one = va_arg(list, long);
  va_end(list);
  constexpr long clock_flag = FUTEX_CLOCK_REALTIME;
  const auto* until = reinterpret_cast<const timespec*>(a[3]);
  const bool waits = number == SYS_futex && (a[1] & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET;
  if (!waits || (a[1] & clock_flag) == 0 || until == nullptr) return __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
  const std::int64_t left = until->tv_sec * second + until->tv_nsec - now(CLOCK_REALTIME);
  const std::int64_t end = now(CLOCK_MONOTONIC) + (left > 0 ? left : 0);
  const timespec at{.tv_sec = end / second, .tv_nsec = end % second};
  return __real_syscall(number, a[0], a[1] & ~clock_flag, a[2], &at, a[4], a[5]);
}
