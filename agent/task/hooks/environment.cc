#include "agent/task/environment.h"

#include "agent/task/hooks/hook.h"

namespace drover::agent {
namespace {

// Where the task sees its directories: inside its own root, or on the host.
TaskDirectories directories(const TaskStart& start) {
  const auto isolation = start.driver.capabilities().fs_isolation;
  if (isolation == driver::FsIsolation::chroot || isolation == driver::FsIsolation::image) return {"/alloc", "/local", "/secrets"};
  const auto& name = start.task.name;
  return {start.paths.shared(), start.paths.local(name), start.paths.secrets(name)};
}

class EnvironmentHook final : public TaskHook {
 public:
  [[nodiscard]] std::string_view name() const override { return "environment"; }
  Async<Result<>> prestart(TaskStart& start) override {
    static const Variables none;
    const bool image = start.driver.capabilities().fs_isolation == driver::FsIsolation::image;
    const EnvironmentInput input{*start.alloc, start.group, start.task, start.context.node, start.context.region, directories(start),
                                 image ? none : start.context.host_environment};
    start.environment = task_environment(input);
    start.config.env.clear();
    for (const auto& [key, value] : start.environment) start.config.env.emplace(key, value);
    co_return Result<>{};
  }
};

}  // namespace

std::unique_ptr<TaskHook> make_environment_hook() { return std::make_unique<EnvironmentHook>(); }

}  // namespace drover::agent
