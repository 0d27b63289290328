#include "agent/task/hooks/hook.h"

namespace drover::agent {
namespace {

class TaskDirHook final : public TaskHook {
 public:
  [[nodiscard]] std::string_view name() const override { return "task_dir"; }
  Async<Result<>> prestart(TaskStart& start) override {
    const AllocPaths paths = start.paths;
    const std::string task = start.task.name;
    const std::int64_t secrets_mb = start.task.resources ? start.task.resources->secrets_mb : 0;
    auto built = co_await run_blocking(start.context.pool, [paths, task, secrets_mb] { return build_task_dir(paths, task, secrets_mb); });
    co_return built;
  }
};

}  // namespace

std::unique_ptr<TaskHook> make_task_dir_hook() { return std::make_unique<TaskDirHook>(); }

}  // namespace drover::agent
