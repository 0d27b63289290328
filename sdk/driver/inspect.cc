#include "sdk/driver/inspect.h"

#include <algorithm>

#include "sdk/base/file.h"
#include "sdk/base/text.h"
#include "sdk/plugin/handshake.h"
#include "sdk/plugin/launch.h"

namespace drover::driver {
namespace {

void check_schema(const plugin::Spec& schema, const char* what, std::vector<std::string>& problems) {
  if (!schema) return;
  if (const auto checked = plugin::check_schema(schema); !checked) problems.push_back(fmt::format("{}: {}", what, checked.error().message()));
}

Async<Result<PluginDescription>> ask(const plugin::PluginProcess& process) {
  PluginDescription out;
  out.handshake = trim(plugin::format_handshake({process.reattach().network, process.reattach().address}));
  DriverClient client;
  client.connect(process.client());
  auto info = co_await client.plugin_info();
  if (!info) co_return fail(info.error(), "PluginInfo");
  out.info = std::move(*info);
  if (std::ranges::none_of(out.info.api_versions, [](const std::string& v) { return v == plugin::api_version || "v" + v == plugin::api_version; })) {
    out.problems.push_back(fmt::format("it speaks API versions {}; hosts speak {}", join(out.info.api_versions, ", "), plugin::api_version));
  }
  if (out.info.type == PluginType::unknown) out.problems.emplace_back("its type is neither driver nor device");
  if (out.info.name.empty()) out.problems.emplace_back("it has no name");
  if (out.info.version.empty()) out.problems.emplace_back("it has no version: agents of the reference refuse it, this one warns");
  auto config = co_await client.config_schema();
  if (!config) co_return fail(config.error(), "ConfigSchema");
  out.config_schema = std::move(*config);
  check_schema(out.config_schema, "the configuration schema", out.problems);
  if (out.info.type != PluginType::driver) co_return out;
  auto task = co_await client.task_config_schema();
  if (task) out.task_schema = std::move(*task);
  else out.problems.push_back("TaskConfigSchema: " + task.error().message());
  check_schema(out.task_schema, "the schema of tasks", out.problems);
  auto capabilities = co_await client.capabilities();
  if (capabilities) out.capabilities = std::move(*capabilities);
  else out.problems.push_back("Capabilities: " + capabilities.error().message());
  co_return out;
}
}  // namespace

Async<Result<PluginDescription>> inspect_plugin(Executor executor, Logger log, InspectOptions options) {
  auto directory = TempDir::make();
  if (!directory) co_return fail(directory.error());
  plugin::LaunchOptions launch{.executable = std::move(options.executable), .arguments = std::move(options.arguments),
                               .environment = plugin::filter_environment(options.environment), .directory = directory->path(),
                               .start_timeout = options.start_timeout};
  auto process = co_await plugin::launch(executor, std::move(log), std::move(launch));
  if (!process) co_return fail(process.error());
  auto out = co_await ask(**process);
  co_await (*process)->stop();
  if (!out) {
    const std::string lines((*process)->stderr_tail());
    co_return fail(Error(out.error().code(), out.error().message() + (lines.empty() ? "" : ", last lines on stderr:\n" + lines)));
  }
  co_return out;
}

}  // namespace drover::driver
