#include "sdk/driver/inspect.h"

namespace drover::driver {
namespace {
Async<Result<Inspected>> ask(DriverClient& client) {
  Inspected out;
  auto info = co_await client.plugin_info();
  if (!info) co_return fail(info.error());
  out.info = std::move(*info);
  if (out.info.type != PluginType::driver) co_return fail(Code::invalid_argument, "plugin \"{}\" is no driver", out.info.name);
  auto config = co_await client.config_schema();
  if (!config) co_return fail(config.error(), "the configuration schema of plugin \"{}\"", out.info.name);
  out.config = std::move(*config);
  auto task_config = co_await client.task_config_schema();
  if (!task_config) co_return fail(task_config.error(), "the schema of plugin \"{}\" for tasks", out.info.name);
  out.task_config = std::move(*task_config);
  co_return out;
}
}  // namespace

Async<Result<Inspected>> inspect(Executor executor, Logger log, plugin::LaunchOptions options) {
  auto process = co_await plugin::launch(executor, log, std::move(options));
  if (!process) co_return fail(process.error());
  DriverClient client;
  client.connect((*process)->client());
  auto answer = co_await ask(client);
  client.connect(nullptr);
  co_await (*process)->stop();
  co_return answer;
}

}  // namespace drover::driver
