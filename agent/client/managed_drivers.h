// Drivers of the plugin host as task runners use them: one TaskDriver a driver name. Loop only.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "agent/pluginhost/driver_manager.h"
#include "agent/task/task_driver.h"
#include "sdk/async/event.h"

namespace drover::agent {

class ManagedDrivers final : public TaskDrivers {
 public:
  ManagedDrivers(Executor executor, pluginhost::DriverManager& manager);
  ~ManagedDrivers() override;
  [[nodiscard]] Async<Result<TaskDriver*>> find(std::string name, std::chrono::nanoseconds limit) override;
  // To be called when a driver's state may have changed: wakes those that wait for it.
  void changed() { changed_.notify_all(); }
  // What a driver says of all its tasks at once, for those who have asked for the statistics of one.
  void measured(const std::string& driver, std::vector<driver::TaskStats> stats);

 private:
  class Entry;
  pluginhost::DriverManager& manager_;
  Condition changed_;
  std::map<std::string, std::unique_ptr<Entry>> entries_;
};

}  // namespace drover::agent
