// A child or foreign process held by pidfd, so that a signal can never reach a process that took over the number.
// Spawning is in sdk/async/process.h; this is the value everybody passes around.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <cstdint>

#include "sdk/base/error.h"
#include "sdk/base/fd.h"

namespace drover {

struct ExitStatus {
  int code = 0;    // valid when signal == 0
  int signal = 0;  // 0: exited by itself
  bool core_dumped = false;
  friend bool operator==(const ExitStatus&, const ExitStatus&) = default;
};

class Process {
 public:
  Process() = default;
  // pidfd_open(2), Linux 5.3. ESRCH when there is no such process.
  [[nodiscard]] static Result<Process> open(pid_t pid);
  // Takes a pidfd that is already open (clone3 with CLONE_PIDFD).
  Process(pid_t pid, Fd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] int pidfd() const { return pidfd_.get(); }
  [[nodiscard]] explicit operator bool() const { return static_cast<bool>(pidfd_); }
  // pidfd_send_signal(2). A process that is gone is Code::not_found.
  [[nodiscard]] Result<> signal(int number) const;
  [[nodiscard]] bool alive() const;
  // Reaps a child that has ended; empty when it still runs. Only for children of this process.
  [[nodiscard]] Result<bool> try_reap(ExitStatus& status) const;

 private:
  pid_t pid_ = -1;
  Fd pidfd_;
};

// Field 22 of /proc/<pid>/stat: start time in clock ticks since boot. With the boot id it names a process for good.
[[nodiscard]] Result<std::uint64_t> process_start_ticks(pid_t pid);
// This process may open as many files as it is allowed to, whatever it was started with: an agent or driver holds several for each task.
// Before the first thread. What spawn_process() starts begins with the earlier limit, since programs that use select() or close every
// possible descriptor rely on a low one.
void raise_open_files();
// The limits that this process was started with.
[[nodiscard]] const rlimit& open_files_at_start();
// Content of /proc/sys/kernel/random/boot_id without the newline.
[[nodiscard]] Result<std::string> boot_id();

}  // namespace drover
