// volume status, register and delete; volume claim list and delete.
#include <nlohmann/json.hpp>

#include "cli/api_client.h"
#include "cli/commands.h"
#include "cli/output_options.h"
#include "cli/spec_file.h"
#include "lib/model/api_volume.h"
#include "sdk/base/text.h"

namespace drover::cli {
namespace {
using Stubs = model::List<model::HostVolumeStub>;
using Claims = model::List<model::TaskGroupHostVolumeClaim>;

// The only host volume of that prefix, or the exact one.
Result<model::HostVolumeStub> find_volume(Context& context, const std::string& prefix) {
  auto found = context.api().read<Stubs>("/v1/volumes", {{"type", "host"}, {"prefix", prefix}});
  if (!found) return fail(found.error());
  for (const auto& one : *found) {
    if (one.id == prefix || found->size() == 1) return one;
  }
  if (found->empty()) return fail(Code::not_found, "no volumes with prefix or ID {} found", quote(prefix));
  std::vector<std::string> ids;
  for (const auto& one : *found) ids.push_back(one.id);
  return fail(Code::invalid_argument, "prefix {} matched several volumes: {}", quote(prefix), join(ids, ", "));
}

class VolumeStatus final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.text("type", type_, "Show only volumes of this type: host or csi.");
    set.text("node", node_, "Show only host volumes of this node.");
    set.text("node-pool", pool_, "Show only host volumes of this node pool.");
    set.boolean("short", short_, "Leave out the allocations.");
    set.boolean("verbose", verbose_, "Show whole ids.");
    output_.flags(set);
  }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() > 1) return context.usage_error("This command takes either no arguments or one: <id>");
    if (!type_.empty() && type_ != "host" && type_ != "csi") return context.failed(fmt::format("No such volume type {}", quote(type_)));
    return arguments.empty() ? list(context) : one(context, arguments[0]);
  }

 private:
  int list(Context& context) {
    if (type_ != "csi") {
      auto found = context.api().read<Stubs>("/v1/volumes", {{"type", "host"}, {"node_id", node_}, {"node_pool", pool_}});
      if (!found) return context.failed(fmt::format("Error querying host volumes: {}", found.error().message()));
      if (output_.wanted()) return write_formatted(context, output_, client_value(*found));
      context.ui.out(context.ui.heading("Dynamic Host Volumes"));
      if (found->empty()) {
        context.ui.error("No dynamic host volumes");
      } else {
        std::vector<std::vector<std::string>> rows{{"ID", "Name", "Namespace", "Plugin ID", "Node ID", "Node Pool", "State"}};
        for (const auto& v : *found) {
          rows.push_back({short_id(v.id, verbose_), v.name, v.namespace_, v.plugin_id, short_id(v.node_id, verbose_), v.node_pool, v.state});
        }
        context.ui.out(format_table(rows));
      }
      if (type_.empty()) context.ui.out("");
    }
    if (type_ != "host") {
      context.ui.out(context.ui.heading("Container Storage Interface"));
      context.ui.error("No CSI volumes");
    }
    return 0;
  }
  int one(Context& context, const std::string& prefix) {
    auto stub = find_volume(context, prefix);
    if (!stub) {
      if (type_ != "csi") context.ui.error(fmt::format("Error listing host volumes: {}", stub.error().message()));
      if (type_ != "host") context.ui.error(fmt::format("Error listing CSI volumes: no volumes with prefix or ID {} found", quote(prefix)));
      return 1;
    }
    auto volume = context.api().read<model::HostVolume>("/v1/volume/host/" + escape(stub->id), {{"namespace", stub->namespace_}});
    if (!volume) return context.failed(fmt::format("Error querying host volume: {}", volume.error().message()));
    if (output_.wanted()) return write_formatted(context, output_, client_value(*volume));
    context.ui.out(format_pairs({{"ID", volume->id}, {"Name", volume->name}, {"Namespace", volume->namespace_}, {"Plugin ID", volume->plugin_id},
                                 {"Node ID", volume->node_id}, {"Node Pool", volume->node_pool}, {"State", volume->state},
                                 {"Host Path", volume->host_path}}));
    if (!volume->requested_capabilities.empty()) {
      std::vector<std::vector<std::string>> rows{{"Access Mode", "Attachment Mode"}};
      for (const auto& capability : volume->requested_capabilities) rows.push_back({capability.access_mode, capability.attachment_mode});
      context.ui.out(fmt::format("\n{}\n{}", context.ui.heading("Capabilities"), format_table(rows)));
    }
    if (short_) return 0;
    context.ui.out("\n" + context.ui.heading("Allocations"));
    if (volume->allocations.empty()) {
      context.ui.out("No allocations placed");
      return 0;
    }
    std::vector<std::vector<std::string>> rows{{"ID", "Job ID", "Task Group", "Desired", "Status"}};
    for (const auto& alloc : volume->allocations) {
      rows.push_back({short_id(alloc.id, verbose_), alloc.job_id, alloc.task_group, alloc.desired_status, alloc.client_status});
    }
    context.ui.out(format_table(rows));
    return 0;
  }

  std::string type_, node_, pool_;
  bool short_ = false, verbose_ = false;
  OutputOptions output_;
};

const SpecShape& host_volume_shape() {
  static const SpecShape shape{
      .json = "",
      .attributes = {{"name", "Name"}, {"type", "Type"}, {"namespace", "Namespace"}, {"plugin_id", "PluginID"}, {"node_id", "NodeID"},
                     {"node_pool", "NodePool"}, {"host_path", "HostPath"}, {"id", "ID"}},
      .blocks = {{"capability", {.json = "RequestedCapabilities", .attributes = {{"access_mode", "AccessMode"}, {"attachment_mode", "AttachmentMode"}}}},
                 {"constraint", {.json = "Constraints", .attributes = {{"attribute", "LTarget"}, {"operator", "Operand"}, {"value", "RTarget"}}}},
                 {"parameters", {.json = "Parameters", .free = true}}}};
  return shape;
}

class VolumeRegister final : public Command {
 public:
  void flags(FlagSet& set) override { set.text("id", id_, "Change the host volume of this id."); }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() != 1) return context.usage_error("This command takes one argument: <input>");
    auto text = read_spec(arguments[0]);
    if (!text) return context.failed(fmt::format("Failed to read file: {}", text.error().message()));
    auto parsed = parse_spec(arguments[0], *text, host_volume_shape());
    if (!parsed) return context.failed(fmt::format("Error decoding the volume definition: {}", parsed.error().message()));
    if (const auto type = parsed->value("Type", std::string()); type != "host") {
      return context.failed(fmt::format("Volume type {} cannot be registered: no node offers CSI plugins", quote(type)));
    }
    parsed->erase("Type");
    if (parsed->value("NodeID", std::string()).empty()) return context.failed("Node ID is required for registering");
    // One block stands for a list of one.
    for (const char* name : {"RequestedCapabilities", "Constraints"}) {
      if (parsed->contains(name) && (*parsed)[name].is_object()) (*parsed)[name] = model::Json::array({(*parsed)[name]});
    }
    if (!id_.empty()) (*parsed)["ID"] = id_;
    auto answer = context.api().put("/v1/volume/host/register", model::Json{{"Volume", *parsed}}.dump(), {});
    if (!answer) return context.failed(fmt::format("Error registering volume: {}", answer.error().message()));
    model::HostVolumeRegisterResponse reply;
    if (auto read = model::from_json(answer->body, reply); !read || !reply.volume) return context.failed("Error registering volume: the answer is no volume");
    context.ui.out(fmt::format("Registered host volume {} with ID {}", reply.volume->name, reply.volume->id));
    return 0;
  }

 private:
  std::string id_;
};

class VolumeDelete final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.text("type", type_, "The type of the volume: host or csi.");
    set.boolean("force", force_, "Delete it although allocations use it.");
  }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() != 1) return context.usage_error("This command takes one argument: <vol id>");
    if (type_ == "csi") return context.failed(fmt::format("Could not find existing CSI volume to delete: no volumes with prefix or ID {} found", quote(arguments[0])));
    if (type_ != "host") return context.failed(fmt::format("No such volume type {}", quote(type_)));
    auto stub = find_volume(context, arguments[0]);
    if (!stub) return context.failed(fmt::format("Could not find existing host volume to delete: {}", stub.error().message()));
    auto done = context.api().remove("/v1/volume/host/" + escape(stub->id), {{"namespace", stub->namespace_}, {"force", force_ ? "true" : "false"}});
    if (!done) return context.failed(fmt::format("Error deleting volume: {}", done.error().message()));
    context.ui.out(fmt::format("Successfully deleted volume {}!", quote(stub->id)));
    return 0;
  }

 private:
  std::string type_ = "csi";
  bool force_ = false;
};

class VolumeClaimList final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.text("job", job_, "Show only claims of this job.");
    set.text("group", group_, "Show only claims of this task group.");
    set.text("volume-name", volume_, "Show only claims of volumes of this name.");
    set.boolean("verbose", verbose_, "Show whole ids.");
    output_.flags(set);
  }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() > 1) return context.usage_error("This command takes either no arguments or one: <claim_id>");
    auto found = context.api().read<Claims>("/v1/volumes/claims", {{"job_id", job_}, {"task_group", group_}, {"volume_name", volume_},
                                                                   {"prefix", arguments.empty() ? "" : arguments[0]}});
    if (!found) return context.failed(fmt::format("Error querying task group host volume claims: {}", found.error().message()));
    if (output_.wanted()) return write_formatted(context, output_, client_value(*found));
    if (found->empty()) {
      context.ui.out("No task group host volume claims");
      return 0;
    }
    std::vector<std::vector<std::string>> rows{{"ID", "Namespace", "Job ID", "Volume ID", "Volume Name"}};
    for (const auto& claim : *found) {
      rows.push_back({short_id(claim.id, verbose_), claim.namespace_, claim.job_id, short_id(claim.volume_id, verbose_), claim.volume_name});
    }
    context.ui.out(format_table(rows));
    return 0;
  }

 private:
  std::string job_, group_, volume_;
  bool verbose_ = false;
  OutputOptions output_;
};

class VolumeClaimDelete final : public Command {
 public:
  void flags(FlagSet& set) override { set.boolean("y", yes_, "Do not ask."); }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() != 1) return context.usage_error("This command takes one argument: <id>");
    if (!yes_ && context.ui.ask(fmt::format("Delete claim {}? Its group may then be placed beside another volume. [y/N] ", quote(arguments[0]))) != "y") {
      context.ui.out("Nothing was deleted");
      return 0;
    }
    auto done = context.api().remove("/v1/volumes/claim/" + escape(arguments[0]));
    if (!done) return context.failed(fmt::format("Error deleting task group host volume claim: {}", done.error().message()));
    context.ui.out(fmt::format("Task group host volume claim {} successfully deleted", arguments[0]));
    return 0;
  }

 private:
  bool yes_ = false;
};

}  // namespace

std::unique_ptr<Command> make_volume_claim_delete() { return std::make_unique<VolumeClaimDelete>(); }
std::unique_ptr<Command> make_volume_claim_list() { return std::make_unique<VolumeClaimList>(); }
std::unique_ptr<Command> make_volume_delete() { return std::make_unique<VolumeDelete>(); }
std::unique_ptr<Command> make_volume_register() { return std::make_unique<VolumeRegister>(); }
std::unique_ptr<Command> make_volume_status() { return std::make_unique<VolumeStatus>(); }

}  // namespace drover::cli
