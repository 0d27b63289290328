// plugin status: storage plugins of the cluster, as in the reference, and the drivers and device plugins of one node.
#include <nlohmann/json.hpp>

#include "cli/api_client.h"
#include "cli/commands.h"
#include "cli/lookup.h"
#include "cli/plugin_view.h"
#include "sdk/base/clock.h"

namespace drover::cli {
namespace {
using Json = nlohmann::json;

class PluginStatus final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.text("type", type_, "csi, driver or device; without it storage plugins, then those of the node.");
    set.text("node", node_, "The node whose drivers and device plugins are meant; the agent's own without it.");
    set.boolean("short", short_, "Show less.");
    set.boolean("verbose", verbose_, "Show more: digests, last lines, refused answers.");
    set.boolean("json", json_, "Print JSON: of storage plugins, or with -type or a name of the node's.");
    set.text("t", template_, "Print by a Go template.");
  }

  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() > 1) return context.usage_error("This command takes either no arguments or one: <plugin>");
    if (!type_.empty() && type_ != "csi" && type_ != "driver" && type_ != "device") return context.failed(fmt::format("Unsupported plugin type: {}", type_));
    int code = 0;
    const auto query = node_query(context, node_, code);
    if (!query) return code;
    if (arguments.size() == 1) return show_one(context, arguments[0], *query);
    if (wants_csi()) {
      const int csi = list_csi(context);
      // Scripts made for the reference know of storage plugins only.
      if (csi != 0 || !type_.empty() || json_ || !template_.empty() || context.ui.is_nomad()) return csi;
      context.ui.out("");
    }
    return list_node(context, *query);
  }

 private:
  [[nodiscard]] bool wants_csi() const { return type_.empty() || type_ == "csi"; }

  // None is an answer; that storage plugins are not known here at all is the same to who asks.
  static Json csi_plugins(Context& context) {
    const auto answer = context.api().get("/v1/plugins", {{"type", "csi"}});
    const Json list = answer ? Json::parse(answer->body, nullptr, false) : Json();
    return list.is_array() ? list : Json::array();
  }

  int list_csi(Context& context) {
    const Json plugins = csi_plugins(context);
    if (json_) {
      context.ui.out(pretty_json(plugins.dump()));
      return 0;
    }
    context.ui.out(context.ui.heading("Container Storage Interface"));
    if (plugins.empty()) {
      context.ui.error("No CSI plugins");
      return 0;
    }
    std::vector<std::vector<std::string>> rows{{"ID", "Provider", "Controllers Healthy/Expected", "Nodes Healthy/Expected"}};
    for (const Json& one : plugins) {
      rows.push_back({one.value("ID", ""), one.value("Provider", ""), fmt::format("{}/{}", one.value("ControllersHealthy", 0), one.value("ControllersExpected", 0)),
                      fmt::format("{}/{}", one.value("NodesHealthy", 0), one.value("NodesExpected", 0))});
    }
    context.ui.out(format_table(rows));
    return 0;
  }

  int list_node(Context& context, const QueryPairs& query) {
    auto plugins = context.api().read<model::List<model::AgentPlugin>>("/v1/agent/plugins", query);
    if (!plugins) {
      // A server without the client role has none to show.
      if (type_.empty() && plugins.error().http_status() == 400) return 0;
      return context.failed(fmt::format("Error querying plugins: {}", plugins.error().message()));
    }
    model::List<model::AgentPlugin> wanted;
    for (auto& plugin : *plugins) {
      if (type_.empty() || plugin.type == type_) wanted.push_back(std::move(plugin));
    }
    if (json_) {
      context.ui.out(pretty_json(model::to_json(wanted)));
      return 0;
    }
    context.ui.out(context.ui.heading("Node Plugins"));
    context.ui.out(wanted.empty() ? "No plugins" : plugin_table(wanted, system_clock().unix_nanos()));
    const std::string reasons = short_ ? std::string() : plugin_reasons(wanted);
    if (!reasons.empty()) context.ui.out("\n" + reasons);
    return 0;
  }

  int show_one(Context& context, const std::string& name, const QueryPairs& query) {
    if (wants_csi()) {
      const auto answer = context.api().get("/v1/plugin/csi/" + escape(name));
      if (answer && Json::accept(answer->body)) return show_csi(context, Json::parse(answer->body));
      if (type_ == "csi") return context.failed(fmt::format("No plugins(s) with prefix or ID \"{}\" found", name));
    }
    auto answer = context.api().get("/v1/agent/plugin/" + escape(name), query);
    if (!answer) return context.failed(fmt::format("Error querying plugin: {}", answer.error().message()));
    if (json_) {
      context.ui.out(pretty_json(answer->body));
      return 0;
    }
    model::AgentPlugin plugin;
    if (auto decoded = model::from_json(answer->body, plugin); !decoded) return context.failed(fmt::format("Error reading the answer: {}", decoded.error().message()));
    context.ui.out(plugin_details(context.ui, plugin, verbose_, system_clock().unix_nanos()));
    return 0;
  }

  int show_csi(Context& context, const Json& plugin) {
    if (json_) {
      context.ui.out(pretty_json(plugin.dump()));
      return 0;
    }
    const auto number = [&](const char* key) { return std::to_string(plugin.value(key, 0)); };
    context.ui.out(format_pairs({{"ID", plugin.value("ID", "")},
                                 {"Provider", plugin.value("Provider", "")},
                                 {"Version", plugin.value("Version", "")},
                                 {"Controllers Healthy", number("ControllersHealthy")},
                                 {"Controllers Expected", number("ControllersExpected")},
                                 {"Nodes Healthy", number("NodesHealthy")},
                                 {"Nodes Expected", number("NodesExpected")}}));
    return 0;
  }

  std::string type_, node_, template_;
  bool short_ = false, verbose_ = false, json_ = false;
};

class PluginLogs final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.text("node", node_, "The node; the agent's own without it.");
    set.boolean("f", follow_, "Go on as the plugin writes.");
    set.boolean("json", json_, "Print one JSON object a line.");
  }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() != 1) return context.usage_error("This command takes one argument: <plugin>");
    int code = 0;
    auto query = node_query(context, node_, code);
    if (!query) return code;
    if (follow_) query->emplace_back("follow", "true");
    std::string rest;
    const auto done = context.api().stream(fmt::format("/v1/agent/plugin/{}/logs", escape(arguments[0])), std::move(*query), [&](std::string_view part) {
      print(context.ui, part, rest);
      return true;
    });
    if (!done) return context.failed(fmt::format("Error reading the plugin's log: {}", done.error().message()));
    return 0;
  }

 private:
  void print(Ui& ui, std::string_view part, std::string& rest) const {
    if (!json_) {
      ui.out_raw(part);
      return;
    }
    rest.append(part);
    for (auto end = rest.find('\n'); end != std::string::npos; end = rest.find('\n')) {
      ui.out(Json{{"Line", rest.substr(0, end)}}.dump(-1, ' ', false, Json::error_handler_t::replace));
      rest.erase(0, end + 1);
    }
  }
  std::string node_;
  bool follow_ = false, json_ = false;
};

class PluginReset final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.text("node", node_, "The node; the agent's own without it.");
    set.boolean("json", json_, "Print JSON.");
  }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() != 1) return context.usage_error("This command takes one argument: <plugin>");
    int code = 0;
    auto query = node_query(context, node_, code);
    if (!query) return code;
    const auto done = context.api().put(fmt::format("/v1/agent/plugin/{}/reset", escape(arguments[0])), "", std::move(*query));
    if (!done) return context.failed(fmt::format("Error resetting the plugin: {}", done.error().message()));
    context.ui.out(json_ ? Json{{"Name", arguments[0]}, {"Reset", true}}.dump()
                         : fmt::format("Plugin \"{}\" is tried now; what went wrong before is forgotten.", arguments[0]));
    return 0;
  }

 private:
  std::string node_;
  bool json_ = false;
};
}  // namespace

std::unique_ptr<Command> make_plugin_status() { return std::make_unique<PluginStatus>(); }
std::unique_ptr<Command> make_plugin_logs() { return std::make_unique<PluginLogs>(); }
std::unique_ptr<Command> make_plugin_reset() { return std::make_unique<PluginReset>(); }

}  // namespace drover::cli
