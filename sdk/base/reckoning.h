// Time by the wall clock's numbers that nobody can set (L-10): deadlines, ages and pauses are reckoned with these, so that a date set
// hours or years forward or back moves none of them. What is shown or stored for people keeps the wall clock itself.
#pragma once

#include "sdk/base/clock.h"

namespace drover {

using MonoTime = std::chrono::steady_clock::time_point;

// Reads as the wall clock did when it was made, and runs on from there whatever becomes of that.
class Reckoning {
 public:
  explicit Reckoning(const Clock& clock) : clock_(&clock), wall_(clock.unix_nanos()), began_(clock.monotonic()) {}
  [[nodiscard]] UnixNanos now() const { return wall_ + nanoseconds(clock_->monotonic() - began_).count(); }

 private:
  const Clock* clock_;
  UnixNanos wall_;
  MonoTime began_;
};

// When the wall clock will show `at` if it is left alone; no later than `longest` from now, however far off `at` is.
[[nodiscard]] inline MonoTime due_at(const Clock& clock, UnixNanos at, nanoseconds longest) {
  const UnixNanos now = clock.unix_nanos();
  const nanoseconds left(at > now ? at - now : 0);
  return clock.monotonic() + (left < longest ? left : longest);
}

}  // namespace drover
