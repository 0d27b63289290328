// One command to a QEMU over the monitor's socket in the task's directory.
#pragma once

#include <string>

#include "sdk/async/asio.h"
#include "sdk/base/error.h"

namespace drover::qemu {

// Returns when QEMU has answered with its prompt, or has ended on it. A link in the place of the socket is not followed: the
// directory is the task's.
[[nodiscard]] Async<Result<>> send_to_monitor(std::string task_dir, std::string command, std::chrono::nanoseconds limit);

}  // namespace drover::qemu
