#include "agent/task/environment.h"
#include "agent/task/hooks/hook.h"

namespace drover::agent {
namespace {

// The job's config block, checked and encoded by the driver's schema.
class DriverConfigHook final : public TaskHook {
 public:
  [[nodiscard]] std::string_view name() const override { return "driver_config"; }
  Async<Result<>> prestart(TaskStart& start) override {
    const Variables node = node_variables(start.context.node, start.context.region);
    auto encoded = start.driver.encode_config(start.task.config, start.environment, node);
    if (!encoded) {
      start.failed_validation = fmt::format("failed to parse config: {}", encoded.error().message());
      co_return fail(encoded.error(), "config of task \"{}\"", start.task.name);
    }
    start.config.driver_config = std::move(*encoded);
    co_return Result<>{};
  }
};

}  // namespace

std::unique_ptr<TaskHook> make_driver_config_hook() { return std::make_unique<DriverConfigHook>(); }

}  // namespace drover::agent
