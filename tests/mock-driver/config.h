// What a job may say to mock_driver, and what its plugin block may.
//
//   config { run_for = "5s"  exit_code = 3  stdout_string = "hi\n"  start_error = "no luck"  kill_after = "1s" }
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "sdk/base/error.h"
#include "sdk/driver/driver.h"
#include "sdk/plugin/schema.h"

namespace drover::mock {

[[nodiscard]] plugin::Spec config_schema();
[[nodiscard]] plugin::Spec task_config_schema();

struct Config {
  driver::FsIsolation fs_isolation = driver::FsIsolation::none;
  // When set, the driver is undetected for `pause` after each `period`.
  bool shutdown_periodically = false;
  std::chrono::nanoseconds period{};
  std::chrono::nanoseconds pause{};
};
[[nodiscard]] Result<Config> decode_config(std::string_view msgpack);

struct Output {
  std::string text;
  std::int64_t repeat = 0;  // further times after the first
  std::chrono::nanoseconds pause{};
};

// What "runs": a task, or a command in an exec session.
struct Command {
  std::chrono::nanoseconds run_for{};
  driver::ExitResult exit;
  std::string signal_error;
  Output stdout_output, stderr_output;
};

struct TaskOptions {
  Command command;
  std::optional<Command> exec_command;
  std::string start_error;
  bool start_error_recoverable = false;
  std::chrono::nanoseconds start_block_for{};
  std::chrono::nanoseconds kill_after{};
  std::chrono::nanoseconds plugin_exit_after{};
  std::optional<driver::DriverNetwork> network;
};
[[nodiscard]] Result<TaskOptions> decode_task(std::string_view msgpack);

}  // namespace drover::mock
