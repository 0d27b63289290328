// namespace apply, delete, inspect, list and status.
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include "cli/api_client.h"
#include "cli/commands.h"
#include "cli/output_options.h"
#include "cli/spec_file.h"
#include "lib/model/config.h"
#include "sdk/base/text.h"

namespace drover::cli {
namespace {
using Namespaces = model::List<model::Namespace>;

const SpecShape& namespace_shape() {
  const auto as = [](const char* name) { return SpecShape{.json = name, .attributes = {{"default", "Default"}, {"allowed", "Allowed"}, {"denied", "Denied"}}}; };
  static const SpecShape shape{
      .json = "",
      .attributes = {{"name", "Name"}, {"description", "Description"}, {"quota", "Quota"}},
      .blocks = {{"meta", {.json = "Meta", .free = true}},
                 {"capabilities",
                  {.json = "Capabilities",
                   .attributes = {{"enabled_task_drivers", "EnabledTaskDrivers"}, {"disabled_task_drivers", "DisabledTaskDrivers"},
                                  {"enabled_network_modes", "EnabledNetworkModes"}, {"disabled_network_modes", "DisabledNetworkModes"}}}},
                 {"node_pool_config", as("NodePoolConfiguration")},
                 {"vault", as("VaultConfiguration")},
                 {"consul", as("ConsulConfiguration")}}};
  return shape;
}

// The only namespace of that prefix, or the exact one.
Result<model::Namespace> find_namespace(Context& context, const std::string& prefix) {
  auto found = context.api().read<Namespaces>("/v1/namespaces", {{"prefix", prefix}});
  if (!found) return fail(found.error());
  for (const auto& one : *found) {
    if (one.name == prefix || found->size() == 1) return one;
  }
  if (found->empty()) return fail(Code::not_found, "Namespace {} matched no namespaces", quote(prefix));
  std::vector<std::vector<std::string>> rows{{"Name", "Description"}};
  for (const auto& one : *found) rows.push_back({one.name, one.description});
  return fail(Code::invalid_argument, "Prefix matched multiple namespaces\n\n{}", format_table(rows));
}

class NamespaceList final : public Command {
 public:
  void flags(FlagSet& set) override { output_.flags(set); }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (!arguments.empty()) return context.usage_error("This command takes no arguments");
    auto found = context.api().read<Namespaces>("/v1/namespaces");
    if (!found) return context.failed(fmt::format("Error retrieving namespaces: {}", found.error().message()));
    if (output_.wanted()) return write_formatted(context, output_, client_value(*found));
    std::vector<std::vector<std::string>> rows{{"Name", "Description"}};
    for (const auto& one : *found) rows.push_back({one.name, one.description});
    context.ui.out(found->empty() ? "No namespaces found" : format_table(rows));
    return 0;
  }

 private:
  OutputOptions output_;
};

class NamespaceStatus final : public Command {
 public:
  explicit NamespaceStatus(bool inspect) : inspect_(inspect) {}
  void flags(FlagSet& set) override {
    if (inspect_) set.text("t", output_.format, "Write by a Go template over the API's field names.");
    else output_.flags(set);
  }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() != 1) return context.usage_error("This command takes one argument: <namespace>");
    auto found = find_namespace(context, arguments[0]);
    if (!found) return context.failed(fmt::format("Error retrieving namespaces: {}", found.error().message()));
    if (inspect_) output_.json = output_.format.empty();
    if (output_.wanted()) return write_formatted(context, output_, client_value(*found));
    const model::NamespaceCapabilities none;
    const auto& can = found->capabilities ? *found->capabilities : none;
    const auto all = [](const model::List<std::string>& names) { return names.empty() ? std::string("*") : join(names, ","); };
    context.ui.out(format_pairs({{"Name", found->name},
                                 {"Description", found->description},
                                 {"Quota", found->quota},
                                 {"Enabled Drivers", all(can.enabled_task_drivers)},
                                 {"Disabled Drivers", join(can.disabled_task_drivers, ",")},
                                 {"Enabled Network Modes", all(can.enabled_network_modes)},
                                 {"Disabled Network Modes", join(can.disabled_network_modes, ",")}}));
    if (!found->meta.empty()) {
      context.ui.out(fmt::format("\n{}\n{}", context.ui.heading("Metadata"), format_pairs({found->meta.begin(), found->meta.end()})));
    }
    return 0;
  }

 private:
  bool inspect_;
  OutputOptions output_;
};

class NamespaceApply final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.boolean("json", json_, "The file is JSON in the API's form.");
    set.text("description", description_, "Description of the namespace that is named.");
    set.text("quota", quota_, "Quota of the namespace that is named.");
  }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() != 1) return context.usage_error("This command takes one argument: <input>");
    model::Json body;
    // A word that is no file is the name of a namespace.
    struct stat info{};
    if (arguments[0] == "-" || ::stat(arguments[0].c_str(), &info) == 0) {
      auto text = read_spec(arguments[0]);
      if (!text) return context.failed(fmt::format("Failed to read file: {}", text.error().message()));
      auto parsed = json_ ? Result<model::Json>(model::Json::parse(*text, nullptr, false)) : parse_spec(arguments[0], *text, namespace_shape());
      if (!parsed) return context.failed(fmt::format("Failed to parse input content: {}", parsed.error().message()));
      body = std::move(*parsed);
    } else {
      body = model::Json{{"Name", arguments[0]}};
      if (auto known = context.api().get("/v1/namespace/" + escape(arguments[0])); known) body = model::Json::parse(known->body, nullptr, false);
      if (!description_.empty()) body["Description"] = description_;
      if (!quota_.empty()) body["Quota"] = quota_;
    }
    const std::string name = body.is_object() ? body.value("Name", "") : "";
    auto answer = context.api().put("/v1/namespace", body.dump(-1, ' ', false, model::Json::error_handler_t::replace));
    if (!answer) return context.failed(fmt::format("Error applying namespace: {}", answer.error().message()));
    context.ui.out(fmt::format("Successfully applied namespace {}!", quote(name)));
    return 0;
  }

 private:
  bool json_ = false;
  std::string description_, quota_;
};

class NamespaceDelete final : public Command {
 public:
  void flags(FlagSet&) override {}
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() != 1) return context.usage_error("This command takes one argument: <namespace>");
    auto answer = context.api().remove("/v1/namespace/" + escape(arguments[0]));
    if (!answer) return context.failed(fmt::format("Error deleting namespace: {}", answer.error().message()));
    context.ui.out(fmt::format("Successfully deleted namespace {}!", quote(arguments[0])));
    return 0;
  }
};
}  // namespace

std::unique_ptr<Command> make_namespace_apply() { return std::make_unique<NamespaceApply>(); }
std::unique_ptr<Command> make_namespace_delete() { return std::make_unique<NamespaceDelete>(); }
std::unique_ptr<Command> make_namespace_inspect() { return std::make_unique<NamespaceStatus>(true); }
std::unique_ptr<Command> make_namespace_list() { return std::make_unique<NamespaceList>(); }
std::unique_ptr<Command> make_namespace_status() { return std::make_unique<NamespaceStatus>(false); }

}  // namespace drover::cli
