// A driver as task runners use it: the calls of one plugin, whichever process answers them just now. Implemented over the
// plugin host in agent/client, and by a fake in tests. Loop only.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "sdk/async/asio.h"
#include "sdk/async/channel.h"
#include "sdk/driver/driver.h"

namespace drover::agent {

class TaskDriver {
 public:
  virtual ~TaskDriver() = default;

  [[nodiscard]] virtual driver::Capabilities capabilities() const = 0;
  // Its tasks' output comes by the FIFOs of plugin protocol 7.3; drivers that come with Drover rotate it themselves.
  [[nodiscard]] virtual bool writes_fifos() const { return false; }
  // The job's config block, a JSON object, checked against the driver's schema and encoded for StartTask. `variables` is
  // what `${...}` may name, as a JSON object.
  [[nodiscard]] virtual Result<std::string> encode_config(const std::string& config_json, const std::string& variables_json) const = 0;

  struct Started {
    std::string handle;  // to be stored, and given back to recover()
    std::optional<driver::DriverNetwork> network;
  };
  [[nodiscard]] virtual Async<Result<Started>> start(driver::TaskConfig config) = 0;
  [[nodiscard]] virtual Async<Result<>> recover(std::string handle) = 0;
  // Takes over what an earlier agent or plugin started of this task without its handle having been stored. An error other
  // than Code::unavailable: there is nothing of it.
  [[nodiscard]] virtual Async<Result<Started>> adopt(driver::TaskConfig config) = 0;
  // Code::unavailable: the plugin went away; wait_ready() and recover() before waiting again.
  [[nodiscard]] virtual Async<Result<driver::ExitResult>> wait(std::string id) = 0;
  [[nodiscard]] virtual Async<Result<>> stop(std::string id, std::chrono::nanoseconds timeout, std::string signal) = 0;
  [[nodiscard]] virtual Async<Result<>> destroy(std::string id, bool force) = 0;
  [[nodiscard]] virtual Async<Result<>> signal(std::string id, std::string signal) = 0;
  // Sends a sample each interval until cancelled or the task has ended.
  [[nodiscard]] virtual Async<Result<>> stats(std::string id, std::chrono::nanoseconds interval, Channel<driver::TaskStats>& out) = 0;
  // Contract as DriverClient::exec_task_streaming().
  [[nodiscard]] virtual Async<Result<>> exec(std::string id, driver::ExecOptions options, Channel<driver::ExecInput>& input,
                                             Channel<driver::ExecOutput>& output) = 0;
  // Returns when the plugin answers calls; false when `limit` passed first.
  [[nodiscard]] virtual Async<bool> wait_ready(std::chrono::nanoseconds limit) = 0;
};

// Finds drivers by the name jobs use.
class TaskDrivers {
 public:
  virtual ~TaskDrivers() = default;
  // Lives as long as the finder. A driver that is not there yet is waited for, up to `limit`; then an error names it and says
  // what to do.
  [[nodiscard]] virtual Async<Result<TaskDriver*>> find(std::string name, std::chrono::nanoseconds limit) = 0;
};

}  // namespace drover::agent
