// What survives the executor: the launch record, durable before anything runs, and the exit record, durable before the
// executor dies (L-02). Both are messages of wire.h in one file of the private state directory.
//
// The launch record costs one fdatasync: the file and the directory it was made in are part of one journal transaction on
// every file system we support (ext4, xfs, btrfs). It makes room for the exit record, which is written in place later: one
// fdatasync of a block that is there already, no journal, no directory, and no full disk can be in the way (L-08). Its checksum
// tells a record from a torn one.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "sdk/executor/syscalls.h"
#include "sdk/executor/wire.h"

namespace drover::executor {

struct Identity {
  char id[512] = {};
  char boot_id[64] = {};
  char cgroup[1024] = {};
};

struct LaunchState {
  State state = State::starting;
  pid_t pid = 0;
  std::uint64_t start_ticks = 0;
  std::uint64_t started_at = 0;  // Unix nanoseconds
};

struct ExitState {
  int code = 0;
  int signal = 0;
  bool core_dumped = false;
  bool oom_killed = false;
  std::uint64_t ended_at = 0;
  std::uint64_t dropped_log_bytes = 0;
  std::uint64_t memory_peak = 0;
  std::uint64_t memory_limit = 0;
};

class LaunchRecord {
 public:
  // Creates and writes; a search finds it from here on, unless the machine fails.
  Failure create(int state_dir, const Identity& identity);
  // And also when the machine fails.
  Failure sync();
  // Rewrites in place, same length, not synced: after a reboot the process is gone anyway.
  void update(const Identity& identity, const LaunchState& state);
  // Durable when it returns. The fail points are passed on the way.
  Failure write_exit(const Identity& identity, const LaunchState& launch, const ExitState& exit, FailPoint fail);

 private:
  Failure write(const Identity& identity, const LaunchState& state);
  Handle file_;
};

// Kills this process when `at` is the chosen point.
void pass(FailPoint at, FailPoint chosen);

// Fields that the records and the status message share.
void put_launch(FixedBuffer& out, const Identity& identity, const LaunchState& state);
void put_exit(FixedBuffer& out, const ExitState& exit);

[[nodiscard]] std::uint64_t unix_nanos();
[[nodiscard]] std::uint64_t start_ticks_of(pid_t pid);

}  // namespace drover::executor
