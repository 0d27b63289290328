#include "plugins/executor/record.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace drover::executor {

void pass(FailPoint at, FailPoint chosen) {
  if (at == chosen && at != FailPoint::none) ::kill(::getpid(), SIGKILL);
}

void put_launch(FixedBuffer& out, const Identity& identity, const LaunchState& state) {
  put_text(out, Tag::id, identity.id);
  put_text(out, Tag::boot_id, identity.boot_id);
  put_text(out, Tag::cgroup, identity.cgroup);
  put_number(out, Tag::state, static_cast<std::uint64_t>(state.state));
  put_number(out, Tag::executor_pid, static_cast<std::uint64_t>(::getpid()));
  put_number(out, Tag::pid, static_cast<std::uint64_t>(state.pid));
  put_number(out, Tag::start_ticks, state.start_ticks);
  put_number(out, Tag::started_at, state.started_at);
}

void put_exit(FixedBuffer& out, const ExitState& exit) {
  put_number(out, Tag::exit_code, static_cast<std::uint64_t>(exit.code));
  put_number(out, Tag::exit_signal, static_cast<std::uint64_t>(exit.signal));
  put_number(out, Tag::core_dumped, exit.core_dumped ? 1 : 0);
  put_number(out, Tag::oom_killed, exit.oom_killed ? 1 : 0);
  put_number(out, Tag::ended_at, exit.ended_at);
  put_number(out, Tag::dropped_log_bytes, exit.dropped_log_bytes);
  put_number(out, Tag::memory_peak, exit.memory_peak);
  put_number(out, Tag::memory_limit, exit.memory_limit);
}

namespace {
Failure write_message(int fd, FixedBuffer& buffer, Type type, off_t offset) {
  if (buffer.overflow()) return {E2BIG, "record"};
  const auto bytes = buffer.finish(type);
  if (::pwrite(fd, bytes.data(), bytes.size(), offset) != static_cast<ssize_t>(bytes.size())) return failed("record");
  return {};
}
}  // namespace

Failure LaunchRecord::write(const Identity& identity, const LaunchState& state) {
  FixedBuffer buffer;
  put_launch(buffer, identity, state);
  return write_message(file_.get(), buffer, Type::launch_record, 0);
}

Failure LaunchRecord::create(int state_dir, const Identity& identity) {
  // O_EXCL: a state directory belongs to one start of one task (L-03).
  file_ = Handle(::openat(state_dir, record_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file_) return failed("launch record");
  // Written, not only allocated: a block that has never been written costs the journal when it is.
  char room[exit_record_offset + max_message_bytes] = {};
  if (::pwrite(file_.get(), room, sizeof room, 0) != static_cast<ssize_t>(sizeof room)) return failed("launch record");
  return write(identity, {});
}

Failure LaunchRecord::sync() { return ::fdatasync(file_.get()) == 0 ? Failure{} : failed("launch record"); }

void LaunchRecord::update(const Identity& identity, const LaunchState& state) {
  // A failure leaves the older content, which adoption copes with: it asks the socket first.
  if (write(identity, state)) return;
}

Failure LaunchRecord::write_exit(const Identity& identity, const LaunchState& launch, const ExitState& exit, FailPoint fail) {
  FixedBuffer buffer;
  put_launch(buffer, identity, launch);
  put_exit(buffer, exit);
  put_number(buffer, Tag::checksum, buffer.checksum());
  if (auto failure = write_message(file_.get(), buffer, Type::exit_record, exit_record_offset)) return failure;
  pass(FailPoint::before_exit_sync, fail);
  return sync();
}

std::uint64_t unix_nanos() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1000000000u + static_cast<std::uint64_t>(now.tv_nsec);
}

std::uint64_t start_ticks_of(pid_t pid) {
  char path[32] = "/proc/";
  char* end = std::to_chars(path + 6, path + sizeof path - 6, pid).ptr;
  std::memcpy(end, "/stat", 6);
  const Handle file(::open(path, O_RDONLY | O_CLOEXEC));
  char text[1024];
  const ssize_t size = file ? ::read(file.get(), text, sizeof text - 1) : -1;
  if (size <= 0) return 0;
  text[size] = '\0';
  // The command name may hold blanks and parentheses; field 3 follows the last one.
  const char* at = std::strrchr(text, ')');
  if (at == nullptr) return 0;
  for (int field = 2; field < 22 && at != nullptr; ++field) at = std::strchr(at + 1, ' ');
  std::uint64_t ticks = 0;
  if (at != nullptr) std::from_chars(at + 1, text + size, ticks);
  return ticks;
}

}  // namespace drover::executor
