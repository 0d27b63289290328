// node status and node eligibility (cli contract 3.3).
#include <nlohmann/json.hpp>

#include "cli/alloc_table.h"
#include "cli/api_client.h"
#include "cli/commands.h"
#include "cli/lookup.h"
#include "cli/output_options.h"
#include "lib/model/stats.h"
#include "sdk/base/clock.h"
#include "sdk/base/text.h"

namespace drover::cli {
namespace {
std::string keys_of(const auto& map) {
  std::vector<std::string> names;
  for (const auto& [name, value] : map) names.push_back(name);
  return join(names, ",");
}

class NodeStatus final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.boolean("short", short_, "Show the node and its allocations only.");
    set.boolean("os", os_, "Show the operating system in the list.");
    set.boolean("quiet", quiet_, "Show ids only.");
    set.boolean("verbose", verbose_, "Show whole ids, times, attributes and metadata.");
    set.boolean("allocs", allocs_, "Count the running allocations of each node.");
    set.boolean("self", self_, "Show the node that is asked.");
    set.boolean("stats", stats_, "Show detailed resource usage.");
    set.text("filter", filter_, "Show those an expression matches.");
    set.integer("per-page", per_page_, "How many a page.");
    set.text("page-token", page_token_, "Where to go on.");
    set.boolean("ui", ui_, "Open the node in the user interface.");
    output_.flags(set);
  }

  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() > 1) return context.usage_error("This command takes either one or no arguments");
    if (arguments.empty() && !self_) return list(context);
    std::string id = arguments.empty() ? "" : arguments[0];
    if (self_) {
      auto own = own_node(context);
      if (!own) return context.failed(fmt::format("Error querying agent info: {}", own.error().message()));
      id = std::move(*own);
    }
    int code = 0;
    const auto node = find_node(context, id, verbose_, code);
    if (!node) return code;
    if (output_.wanted()) return write_formatted(context, output_, client_value(*node));
    return show(context, *node);
  }

 private:
  int list(Context& context) {
    QueryPairs query;
    if (!filter_.empty()) query.emplace_back("filter", filter_);
    if (per_page_ > 0) query.emplace_back("per_page", std::to_string(per_page_));
    if (!page_token_.empty()) query.emplace_back("next_token", page_token_);
    if (os_) query.emplace_back("os", "true");
    auto answer = context.api().get("/v1/nodes", query);
    if (!answer) return context.failed(fmt::format("Error querying node status: {}", answer.error().message()));
    model::List<model::NodeListStub> nodes;
    if (auto decoded = model::from_json(answer->body, nodes); !decoded) return context.failed(decoded.error().message());
    if (output_.wanted()) return write_formatted(context, output_, client_value(nodes));
    if (nodes.empty()) {
      context.ui.out("No nodes registered");
      return 0;
    }
    if (quiet_) {
      for (const auto& node : nodes) context.ui.out(node.id);
      return 0;
    }
    std::vector<std::vector<std::string>> rows{{"ID", "Node Pool", "DC", "Name", "Class"}};
    if (os_) rows[0].push_back("OS");
    if (verbose_) rows[0].insert(rows[0].end(), {"Address", "Version"});
    rows[0].insert(rows[0].end(), {"Drain", "Eligibility", "Status"});
    if (allocs_) rows[0].push_back("Running Allocs");
    for (const auto& node : nodes) {
      std::vector<std::string> row{short_id(node.id, verbose_), node.node_pool, node.datacenter, node.name, node.node_class};
      if (os_) row.push_back(node.attributes.contains("os.name") ? *node.attributes.get("os.name") : "");
      if (verbose_) row.insert(row.end(), {node.address, node.version});
      row.insert(row.end(), {node.drain ? "true" : "false", node.scheduling_eligibility, node.status});
      if (allocs_) row.push_back(std::to_string(running_allocs(context, node.id)));
      rows.push_back(std::move(row));
    }
    context.ui.out(format_table(rows));
    if (!answer->next_token.empty()) {
      context.ui.out(fmt::format("\nResults have been paginated. To get the next page run:\n\nnomad node status -page-token {}", answer->next_token));
    }
    context.ui_hint("View and manage Nomad clients", "/clients");
    return 0;
  }

  static std::size_t running_allocs(Context& context, const std::string& node) {
    auto allocs = context.api().read<model::List<std::shared_ptr<const model::Allocation>>>(fmt::format("/v1/node/{}/allocations", node));
    if (!allocs) return 0;
    return static_cast<std::size_t>(std::count_if(allocs->begin(), allocs->end(), [](const auto& alloc) { return alloc->client_status == "running"; }));
  }

  int show(Context& context, const model::Node& node) const {
    std::vector<std::pair<std::string, std::string>> pairs{{"ID", short_ || verbose_ ? node.id : node.id},
                                                           {"Name", node.name},
                                                           {"Node Pool", node.node_pool},
                                                           {"Class", node.node_class},
                                                           {"DC", node.datacenter},
                                                           {"Drain", node.drain_strategy ? "true" : "false"},
                                                           {"Eligibility", node.scheduling_eligibility},
                                                           {"Status", node.status},
                                                           {"CSI Controllers", keys_of(node.csi_controller_plugins)},
                                                           {"CSI Drivers", keys_of(node.csi_node_plugins)}};
    std::vector<std::string> drivers;
    for (const auto& [name, driver] : node.drivers) {
      if (driver.detected) drivers.push_back(short_ || driver.healthy ? name : name + " (unhealthy)");
    }
    model::HostStats stats;
    bool have_stats = false;
    if (!short_ && node.status == "ready") {
      if (auto answer = context.api().read<model::HostStats>("/v1/client/stats", {{"node_id", node.id}}); answer) {
        stats = std::move(*answer);
        have_stats = true;
        pairs.emplace_back("Uptime", format_duration(std::chrono::seconds(stats.uptime)));
      }
    }
    pairs.emplace_back("Host Volumes", keys_of(node.host_volumes));
    pairs.emplace_back("Host Networks", keys_of(node.host_networks));
    pairs.emplace_back("CSI Volumes", "");
    pairs.emplace_back(short_ ? "Drivers" : "Driver Status", join(drivers, ","));
    context.ui.out(format_pairs(pairs));

    auto allocs = context.api().read<model::List<std::shared_ptr<const model::Allocation>>>(fmt::format("/v1/node/{}/allocations", node.id));
    if (!allocs) return context.failed(fmt::format("Error querying node allocations: {}", allocs.error().message()));
    if (!short_) {
      show_events(context, node);
      show_resources(context, node, *allocs);
      if (have_stats) show_host_usage(context, node, stats);
    }
    if (verbose_) show_drivers(context, node);
    model::List<model::AllocListStub> stubs;
    for (const auto& alloc : *allocs) {
      model::AllocListStub stub;
      stub.id = alloc->id;
      stub.eval_id = alloc->eval_id;
      stub.node_id = alloc->node_id;
      stub.node_name = alloc->node_name;
      stub.task_group = alloc->task_group;
      stub.job_version = alloc->job ? alloc->job->version : 0;
      stub.desired_status = alloc->desired_status;
      stub.client_status = alloc->client_status;
      stub.create_time = alloc->create_time;
      stub.modify_time = alloc->modify_time;
      stubs.push_back(std::move(stub));
    }
    context.ui.out(fmt::format("\n{}\n{}", context.ui.heading("Allocations"), alloc_table(stubs, verbose_, system_clock().unix_nanos())));
    if (verbose_) {
      show_map(context, "Attributes", node.attributes);
      show_map(context, "Meta", node.meta);
    }
    context.ui_hint("View client details and metrics", "/clients/" + node.id);
    return 0;
  }

  void show_events(Context& context, const model::Node& node) const {
    std::vector<std::vector<std::string>> rows{{"Time", "Subsystem", "Message"}};
    if (verbose_) rows[0].push_back("Details");
    for (auto at = node.events.rbegin(); at != node.events.rend(); ++at) {
      std::vector<std::string> row{format_time(at->timestamp.unix_nanos()), at->subsystem, at->message};
      if (verbose_) {
        std::vector<std::string> details;
        for (const auto& [key, value] : at->details) details.push_back(fmt::format("{} = {}", key, value));
        row.push_back(join(details, " "));
      }
      rows.push_back(std::move(row));
    }
    context.ui.out(fmt::format("\n{}\n{}", context.ui.heading("Node Events"), format_table(rows)));
  }

  static void show_resources(Context& context, const model::Node& node, const model::List<std::shared_ptr<const model::Allocation>>& allocs) {
    std::int64_t cpu = 0, memory = 0, disk = 0, count = 0;
    for (const auto& alloc : allocs) {
      if (alloc->client_status != "running" && alloc->client_status != "pending") continue;
      ++count;
      if (!alloc->allocated_resources) continue;
      for (const auto& [name, task] : alloc->allocated_resources->tasks) {
        cpu += task.cpu.cpu_shares;
        memory += task.memory.memory_mb;
      }
      disk += alloc->allocated_resources->shared.disk_mb;
    }
    std::int64_t total_cpu = 0, total_memory = 0, total_disk = 0;
    if (node.node_resources) {
      total_cpu = node.node_resources->cpu.cpu_shares;
      total_memory = node.node_resources->memory.memory_mb;
      total_disk = node.node_resources->disk.disk_mb;
    }
    if (node.reserved_resources) {
      total_cpu -= node.reserved_resources->cpu.cpu_shares;
      total_memory -= node.reserved_resources->memory.memory_mb;
      total_disk -= node.reserved_resources->disk.disk_mb;
    }
    const auto mib = [](std::int64_t value) { return format_bytes(static_cast<std::uint64_t>(std::max<std::int64_t>(value, 0)) << 20); };
    context.ui.out(fmt::format("\n{}\n{}", context.ui.heading("Allocated Resources"),
                               format_table({{"CPU", "Memory", "Disk", "Alloc Count"},
                                             {fmt::format("{}/{} MHz", cpu, total_cpu), fmt::format("{}/{}", mib(memory), mib(total_memory)),
                                              fmt::format("{}/{}", mib(disk), mib(total_disk)), std::to_string(count)}})));
  }

  static void show_host_usage(Context& context, const model::Node& node, const model::HostStats& stats) {
    const std::int64_t total = node.node_resources ? node.node_resources->cpu.cpu_shares : 0;
    std::string disk;
    if (stats.alloc_dir_stats) disk = fmt::format("{}/{}", format_bytes(stats.alloc_dir_stats->used), format_bytes(stats.alloc_dir_stats->size));
    std::string memory;
    if (stats.memory) memory = fmt::format("{}/{}", format_bytes(stats.memory->used), format_bytes(node.node_resources ? static_cast<std::uint64_t>(node.node_resources->memory.memory_mb) << 20 : 0));
    context.ui.out(fmt::format("\n{}\n{}", context.ui.heading("Host Resource Utilization"),
                               format_table({{"CPU", "Memory", "Disk"}, {fmt::format("{:.0f}/{} MHz", stats.cpu_ticks_consumed, total), memory, disk}})));
  }

  static void show_drivers(Context& context, const model::Node& node) {
    std::vector<std::vector<std::string>> rows{{"Driver", "Detected", "Healthy", "Message", "Time"}};
    for (const auto& [name, driver] : node.drivers) {
      rows.push_back({name, driver.detected ? "true" : "false", driver.healthy ? "true" : "false", driver.health_description, format_time(driver.update_time.unix_nanos())});
    }
    context.ui.out(fmt::format("\n{}\n{}", context.ui.heading("Drivers"), format_table(rows)));
  }

  static void show_map(Context& context, const char* title, const model::Map<std::string>& map) {
    std::vector<std::pair<std::string, std::string>> pairs(map.begin(), map.end());
    context.ui.out(fmt::format("\n{}\n{}", context.ui.heading(title), format_pairs(pairs)));
  }

  OutputOptions output_;
  bool short_ = false, os_ = false, quiet_ = false, verbose_ = false, allocs_ = false, self_ = false, stats_ = false, ui_ = false;
  std::int64_t per_page_ = 0;
  std::string filter_, page_token_;
};

class NodeEligibility final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.boolean("enable", enable_, "Let the scheduler use the node.");
    set.boolean("disable", disable_, "Keep the scheduler from placing on the node.");
    set.boolean("self", self_, "Take the node that is asked.");
  }

  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (enable_ == disable_) return context.usage_error("Either the '-enable' or '-disable' flag must be set");
    if (self_ ? !arguments.empty() : arguments.size() != 1) return context.usage_error("Node ID must be specified if -self isn't being used");
    std::string id = self_ ? "" : arguments[0];
    if (self_) {
      auto own = own_node(context);
      if (!own) return context.failed(fmt::format("Error querying agent info: {}", own.error().message()));
      id = std::move(*own);
    }
    int code = 0;
    const auto node = find_node(context, id, true, code, "updating scheduling eligibility");
    if (!node) return code;
    const nlohmann::json body{{"NodeID", node->id}, {"Eligibility", enable_ ? "eligible" : "ineligible"}};
    auto answer = context.api().put(fmt::format("/v1/node/{}/eligibility", node->id), body.dump());
    if (!answer) return context.failed(fmt::format("Error updating scheduling eligibility: {}", answer.error().message()));
    context.ui.out(fmt::format("Node \"{}\" scheduling eligibility set: {} for scheduling", node->id, enable_ ? "eligible" : "ineligible"));
    return 0;
  }

 private:
  bool enable_ = false, disable_ = false, self_ = false;
};
}  // namespace

std::unique_ptr<Command> make_node_status() { return std::make_unique<NodeStatus>(); }
std::unique_ptr<Command> make_node_eligibility() { return std::make_unique<NodeEligibility>(); }

}  // namespace drover::cli
