// What task runners need of drivers; owned by the user of it. agent/client implements it over agent/pluginhost, tests in process.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "agent/task/interpolation.h"
#include "sdk/driver/driver.h"

namespace drover::agent {

// One driver, valid for the client's life. While its plugin is down calls fail with Code::unavailable.
class TaskDriver {
 public:
  virtual ~TaskDriver() = default;
  [[nodiscard]] virtual driver::Capabilities capabilities() const = 0;
  // The job's config block, templates in it evaluated, in the driver's own encoding. Errors name the argument.
  [[nodiscard]] virtual Result<std::string> encode_config(const model::Any& config, const Variables& environment, const Variables& node) = 0;
  // handle.encoded is what recover_task() takes.
  [[nodiscard]] virtual Async<Result<driver::StartedTask>> start_task(driver::TaskConfig config) = 0;
  [[nodiscard]] virtual Async<Result<>> recover_task(std::string encoded) = 0;
  [[nodiscard]] virtual Async<Result<driver::ExitResult>> wait_task(std::string id) = 0;
  [[nodiscard]] virtual Async<Result<>> stop_task(std::string id, std::chrono::nanoseconds timeout, std::string signal) = 0;
  [[nodiscard]] virtual Async<Result<>> destroy_task(std::string id, bool force) = 0;
  [[nodiscard]] virtual Async<Result<>> signal_task(std::string id, std::string signal) = 0;
  // One sample of a running task; the first one may take as long as the driver needs to make it.
  [[nodiscard]] virtual Async<Result<driver::TaskStats>> task_stats(std::string id) = 0;
};

class DriverAccess {
 public:
  virtual ~DriverAccess() = default;
  // Waits until the driver's plugin runs, at most `limit`; then an error that says what is wrong and how to mend it.
  [[nodiscard]] virtual Async<Result<TaskDriver*>> driver(std::string name, std::chrono::nanoseconds limit) = 0;
};

}  // namespace drover::agent
