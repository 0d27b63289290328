// The steps before a task is started, one file each. A hook gets facts and adds to the start under way; each is idempotent, so
// that a restart and a restored task run the same path.
#pragma once

#include <string>
#include <string_view>
#include <memory>
#include <vector>

#include "agent/fs/alloc_dir.h"
#include "agent/task/driver_access.h"
#include "lib/model/alloc.h"
#include "lib/model/node.h"
#include "sdk/async/pool.h"

namespace drover::agent {

// What is the same for all tasks of the client; outlives every runner.
struct TaskContext {
  Pool& pool;
  const model::Node& node;        // the newest; owned by the client
  std::string region;
  const Variables& host_environment;
};

struct TaskStart {
  const TaskContext& context;
  std::shared_ptr<const model::Allocation> alloc;
  const model::TaskGroup& group;
  const model::Task& task;
  AllocPaths paths;
  TaskDriver& driver;
  driver::TaskConfig config;      // what StartTask will get
  Variables environment;
  std::string failed_validation;  // set by a hook whose error is the job's fault: event "Failed Validation"
};

class TaskHook {
 public:
  virtual ~TaskHook() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;
  [[nodiscard]] virtual Async<Result<>> prestart(TaskStart& start) = 0;
};

// In the order they must run.
[[nodiscard]] std::vector<std::unique_ptr<TaskHook>> make_task_hooks();

std::unique_ptr<TaskHook> make_task_dir_hook();
std::unique_ptr<TaskHook> make_log_config_hook();
std::unique_ptr<TaskHook> make_environment_hook();
std::unique_ptr<TaskHook> make_resources_hook();
std::unique_ptr<TaskHook> make_driver_config_hook();

}  // namespace drover::agent
