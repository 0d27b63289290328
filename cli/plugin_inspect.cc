// plugin inspect: what a plugin executable says of itself, without an agent.
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "sdk/async/scope.h"
#include "sdk/base/text.h"
#include "sdk/driver/inspect.h"
#include "sdk/plugin/schema_json.h"
#include "sdk/plugin/schema_text.h"

namespace drover::cli {
namespace {
using driver::Capabilities;
using driver::PluginDescription;

const char* to_text(driver::FsIsolation value) {
  static constexpr const char* names[] = {"none", "chroot", "image", "unveil"};
  return static_cast<std::size_t>(value) < 4 ? names[static_cast<std::size_t>(value)] : "unknown";
}
std::string to_text(const std::vector<driver::NetIsolation>& modes) {
  static constexpr const char* names[] = {"host", "group", "task", "none"};
  std::vector<std::string> out;
  for (const auto mode : modes) out.emplace_back(static_cast<std::size_t>(mode) < 4 ? names[static_cast<std::size_t>(mode)] : "unknown");
  return out.empty() ? "host" : join(out, ", ");
}

nlohmann::json to_json(const std::string& path, const PluginDescription& seen) {
  nlohmann::json out{{"File", path},
                     {"Handshake", seen.handshake},
                     {"Type", std::string(driver::to_string(seen.info.type))},
                     {"Name", seen.info.name},
                     {"Version", seen.info.version},
                     {"APIVersions", seen.info.api_versions},
                     {"ConfigSchema", plugin::schema_to_json(seen.config_schema)},
                     {"Problems", seen.problems}};
  if (seen.info.type != driver::PluginType::driver) return out;
  out["TaskConfigSchema"] = plugin::schema_to_json(seen.task_schema);
  if (!seen.capabilities) return out;
  const Capabilities& can = *seen.capabilities;
  out["Capabilities"] = {{"SendSignals", can.send_signals}, {"Exec", can.exec}, {"FSIsolation", to_text(can.fs_isolation)},
                         {"NetworkIsolationModes", to_text(can.network_isolation_modes)}, {"MustCreateNetwork", can.must_create_network},
                         {"DisableLogCollection", can.disable_log_collection}, {"DynamicWorkloadUsers", can.dynamic_workload_users}};
  return out;
}

std::string yes_no(bool value) { return value ? "yes" : "no"; }

void print_schema(Ui& ui, std::string_view heading, const std::string& head, const plugin::Spec& schema) {
  ui.out("\n" + ui.heading(heading));
  const std::string inside = plugin::schema_text(schema, "  ");
  ui.out(inside.empty() ? head + " {}" : head + " {");
  if (!inside.empty()) ui.out_raw(inside + "}\n");
}

void print(Ui& ui, const std::string& path, const PluginDescription& seen) {
  ui.out(format_pairs({{"Name", seen.info.name},
                       {"Type", std::string(driver::to_string(seen.info.type))},
                       {"Version", seen.info.version.empty() ? "<none>" : seen.info.version},
                       {"API Versions", join(seen.info.api_versions, ", ")},
                       {"File", path},
                       {"Handshake", seen.handshake}}));
  if (seen.config_schema) print_schema(ui, "Plugin Configuration (agent)", "config", seen.config_schema);
  else ui.out("\n" + ui.heading("Plugin Configuration (agent)") + "\nit takes none");
  if (seen.info.type == driver::PluginType::driver) print_schema(ui, "Task Configuration (job)", "config", seen.task_schema);
  if (seen.capabilities) {
    const Capabilities& can = *seen.capabilities;
    ui.out("\n" + ui.heading("Capabilities"));
    ui.out(format_pairs({{"Signals", yes_no(can.send_signals)}, {"Exec", yes_no(can.exec)}, {"Filesystem Isolation", to_text(can.fs_isolation)},
                         {"Network Modes", to_text(can.network_isolation_modes)}, {"Creates Networks", yes_no(can.must_create_network)},
                         {"Log Collection", yes_no(!can.disable_log_collection)}, {"Dynamic Users", yes_no(can.dynamic_workload_users)}}));
  }
  if (seen.problems.empty()) return;
  ui.out("\n" + ui.heading("Problems"));
  for (const std::string& problem : seen.problems) ui.out("* " + problem);
}

Async<> keep(Async<Result<PluginDescription>> work, std::optional<Result<PluginDescription>>& out) {
  auto result = co_await std::move(work);
  out.emplace(std::move(result));
}

class PluginInspect final : public Command {
 public:
  void flags(FlagSet& set) override { set.boolean("json", json_, "Print JSON."); }

  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.empty()) return context.usage_error("This command takes at least one argument: <file> [<argument>...]");
    std::error_code error;
    const std::string path = std::filesystem::absolute(arguments[0], error);
    driver::InspectOptions options{.executable = path, .arguments = {arguments.begin() + 1, arguments.end()}, .environment = {}};
    for (char** entry = environ; *entry != nullptr; ++entry) {
      const std::string_view text(*entry);
      const auto equals = text.find('=');
      if (equals != std::string_view::npos) options.environment.emplace_back(text.substr(0, equals), text.substr(equals + 1));
    }
    asio::io_context loop(1);
    std::optional<Result<PluginDescription>> seen;
    {
      Scope scope(loop.get_executor());
      scope.spawn(keep(driver::inspect_plugin(loop.get_executor(), Logger(), std::move(options)), seen));
      loop.run();
    }
    if (!seen || !*seen) return context.failed(fmt::format("Error inspecting plugin: {}", seen ? seen->error().message() : "it ended without an answer"));
    if (json_) context.ui.out(pretty_json(to_json(path, **seen).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)));
    else print(context.ui, path, **seen);
    return 0;
  }

 private:
  bool json_ = false;
};
}  // namespace

std::unique_ptr<Command> make_plugin_inspect() { return std::make_unique<PluginInspect>(); }

}  // namespace drover::cli
