// Starting child processes (Boost.Process v2, vfork) and waiting for them by pidfd.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "sdk/async/asio.h"
#include "sdk/base/process.h"

namespace drover {

struct SpawnOptions {
  std::string executable;                 // absolute path
  std::vector<std::string> arguments;     // without argv[0]
  std::vector<std::string> environment;   // KEY=value, complete: nothing is inherited
  std::string directory;                  // empty: inherited
  int stdin_fd = -1;                      // -1: /dev/null; borrowed
  int stdout_fd = -1;
  int stderr_fd = -1;
  std::vector<std::pair<int, int>> descriptors;  // (fd in the child, borrowed fd here); all others are closed
  bool new_session = false;               // setsid(2)
};

// Never forks: vfork + exec. The child is ours to reap with wait_process().
[[nodiscard]] Result<Process> spawn_process(const SpawnOptions& options);

// Waits for the end of any process by its pidfd; reaps it and fills the status when it is a child of ours,
// otherwise yields an error of Code::not_found once it is gone.
[[nodiscard]] Async<Result<ExitStatus>> wait_process(const Process& process);

// Waits until `fd` is readable. The descriptor is borrowed.
[[nodiscard]] Async<Result<>> wait_readable(int fd);

}  // namespace drover
