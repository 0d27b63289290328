// alloc status: one allocation, its tasks, resources and events (cli contract 3.2).
#include <algorithm>

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
const model::TaskGroup* group_of(const model::Allocation& alloc) {
  if (!alloc.job) return nullptr;
  for (const auto& group : alloc.job->task_groups) {
    if (group.name == alloc.task_group) return &group;
  }
  return nullptr;
}

std::string lifecycle_of(const model::TaskLifecycleConfig* lifecycle) {
  if (lifecycle == nullptr || lifecycle->hook.empty()) return "main";
  return lifecycle->hook + (lifecycle->sidecar ? "_sidecar" : "");
}

class AllocStatus final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.boolean("short", short_, "Show the allocation and the last event of each task only.");
    set.boolean("verbose", verbose_, "Show whole ids, times and placement metrics.");
    set.boolean("stats", stats_, "Show the tasks' resource usage.");
    set.boolean("ui", ui_, "Open the allocation in the user interface.");
    output_.flags(set);
  }

  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.empty() && output_.wanted()) {
      auto all = context.api().read<model::List<model::AllocListStub>>("/v1/allocations");
      if (!all) return context.failed(fmt::format("Error querying allocations: {}", all.error().message()));
      return write_formatted(context, output_, client_value(*all));
    }
    if (arguments.size() != 1) {
      return context.usage_error("This command takes one of the following argument conditions:\n * A single <allocation>\n * No arguments, with output format specified");
    }
    int code = 0;
    const auto alloc = find_alloc(context, arguments[0], verbose_, code);
    if (!alloc) return code;
    if (output_.wanted()) return write_formatted(context, output_, client_value(*alloc));
    now_ = system_clock().unix_nanos();
    show_head(context, *alloc);
    if (short_) show_tasks_short(context, *alloc);
    else show_tasks(context, *alloc);
    if (verbose_ && alloc->metrics) show_placement(context, *alloc->metrics);
    context.ui_hint("View allocation details", "/allocations/" + alloc->id);
    return 0;
  }

 private:
  [[nodiscard]] std::string when(std::int64_t nanos) const { return verbose_ ? format_time(nanos) : relative_time(nanos, now_); }

  void show_head(Context& context, const model::Allocation& alloc) const {
    std::vector<std::pair<std::string, std::string>> pairs;
    if (short_) {
      pairs = {{"ID", alloc.id}, {"Name", alloc.name}, {"Created", when(alloc.create_time)}, {"Modified", when(alloc.modify_time)}};
    } else {
      pairs = {{"ID", alloc.id},
               {"Eval ID", short_id(alloc.eval_id, verbose_)},
               {"Name", alloc.name},
               {"Node ID", short_id(alloc.node_id, verbose_)},
               {"Node Name", alloc.node_name},
               {"Job ID", alloc.job_id},
               {"Job Version", alloc.job ? std::to_string(alloc.job->version) : ""},
               {"Client Status", alloc.client_status},
               {"Client Description", alloc.client_description},
               {"Desired Status", alloc.desired_status},
               {"Desired Description", alloc.desired_description},
               {"Created", when(alloc.create_time)},
               {"Modified", when(alloc.modify_time)}};
      if (!alloc.deployment_id.empty()) {
        pairs.emplace_back("Deployment ID", short_id(alloc.deployment_id, verbose_));
        const bool known = alloc.deployment_status && alloc.deployment_status->healthy.has_value();
        pairs.emplace_back("Deployment Health", !known ? "unset" : *alloc.deployment_status->healthy ? "healthy" : "unhealthy");
        if (alloc.deployment_status && alloc.deployment_status->canary) pairs.emplace_back("Canary", "true");
      }
      if (!alloc.next_allocation.empty()) pairs.emplace_back("Replacement Alloc ID", short_id(alloc.next_allocation, verbose_));
      if (verbose_ && alloc.metrics) {
        pairs.emplace_back("Evaluated Nodes", std::to_string(alloc.metrics->nodes_evaluated));
        pairs.emplace_back("Filtered Nodes", std::to_string(alloc.metrics->nodes_filtered));
        pairs.emplace_back("Exhausted Nodes", std::to_string(alloc.metrics->nodes_exhausted));
        pairs.emplace_back("Allocation Time", format_duration(alloc.metrics->allocation_time));
        pairs.emplace_back("Failures", std::to_string(alloc.metrics->coalesced_failures));
      }
    }
    context.ui.out(format_pairs(pairs));
    show_addresses(context, alloc);
  }

  static void show_addresses(Context& context, const model::Allocation& alloc) {
    if (!alloc.allocated_resources || alloc.allocated_resources->shared.ports.empty()) return;
    std::vector<std::vector<std::string>> rows{{"Label", "Dynamic", "Address"}};
    const auto& shared = alloc.allocated_resources->shared;
    for (const auto& port : shared.ports) {
      bool dynamic = false;
      for (const auto& network : shared.networks) {
        for (const auto& candidate : network.dynamic_ports) dynamic = dynamic || candidate.label == port.label;
      }
      rows.push_back({"*" + port.label, dynamic ? "yes" : "", fmt::format("{}:{}{}", port.host_ip, port.value, port.to > 0 ? fmt::format(" -> {}", port.to) : "")});
    }
    const std::string mode = shared.networks.empty() || shared.networks[0].mode.empty() ? "host" : shared.networks[0].mode;
    context.ui.out(fmt::format("\nAllocation Addresses{}:\n{}", mode == "host" ? "" : fmt::format(" (mode = \"{}\")", mode), format_table(rows, true)));
  }

  void show_tasks_short(Context& context, const model::Allocation& alloc) const {
    std::vector<std::vector<std::string>> rows{{"Name", "State", "Last Event", "Time", "Lifecycle"}};
    const model::TaskGroup* group = group_of(alloc);
    for (const auto& [name, state] : alloc.task_states) {
      const model::TaskLifecycleConfig* lifecycle = nullptr;
      if (group != nullptr) {
        for (const auto& task : group->tasks) {
          if (task.name == name && task.lifecycle) lifecycle = task.lifecycle.get();
        }
      }
      const bool any = !state.events.empty();
      rows.push_back({name, state.state, any ? state.events.back().type : "", any ? format_time(state.events.back().time) : "", lifecycle_of(lifecycle)});
    }
    if (rows.size() > 1) context.ui.out(fmt::format("\n{}\n{}", context.ui.heading("Tasks"), format_table(rows)));
  }

  void show_tasks(Context& context, const model::Allocation& alloc) const {
    model::AllocResourceUsage usage;
    if (alloc.client_status == "running") {
      if (auto stats = context.api().read<model::AllocResourceUsage>(fmt::format("/v1/client/allocation/{}/stats", alloc.id)); stats) usage = std::move(*stats);
    }
    const model::TaskGroup* group = group_of(alloc);
    for (const auto& [name, state] : alloc.task_states) {
      std::string kind;
      if (group != nullptr) {
        for (const auto& task : group->tasks) {
          if (task.name == name && task.lifecycle && !task.lifecycle->hook.empty()) {
            kind = fmt::format(" ({}{})", task.lifecycle->hook, task.lifecycle->sidecar ? " sidecar" : "");
          }
        }
      }
      context.ui.out(fmt::format("\n{}", context.ui.heading(fmt::format("Task \"{}\"{} is \"{}\"", name, kind, state.state))));
      show_resources(context, alloc, name, usage.tasks.get(name));
      show_events(context, state);
    }
  }

  void show_resources(Context& context, const model::Allocation& alloc, const std::string& task, const model::TaskResourceUsage* usage) const {
    if (!alloc.allocated_resources) return;
    const auto* resources = alloc.allocated_resources->tasks.get(task);
    if (resources == nullptr) return;
    std::string cpu = fmt::format("{} MHz", resources->cpu.cpu_shares);
    std::string memory = fmt::format("{} MiB", resources->memory.memory_mb);
    if (usage != nullptr && usage->resource_usage) {
      if (usage->resource_usage->cpu_stats) cpu = fmt::format("{:.0f}/{}", usage->resource_usage->cpu_stats->total_ticks, cpu);
      if (usage->resource_usage->memory_stats) {
        const auto& stats = *usage->resource_usage->memory_stats;
        memory = fmt::format("{}/{}", format_bytes(stats.usage != 0 ? stats.usage : stats.rss), memory);
      }
    }
    std::vector<std::vector<std::string>> rows{{"CPU", "Memory", "Disk", "Addresses"},
                                               {cpu, memory, fmt::format("{} MiB", alloc.allocated_resources->shared.disk_mb), " "}};
    context.ui.out(fmt::format("Task Resources:\n{}", format_table(rows, true)));
    if (resources->memory.memory_max_mb > 0 && resources->memory.memory_max_mb != resources->memory.memory_mb) {
      context.ui.out(fmt::format("{}Max: {} MiB", std::string(cpu.size() + 2, ' '), resources->memory.memory_max_mb));
    }
    if (stats_ && usage != nullptr && usage->resource_usage) show_usage(context, *usage->resource_usage);
  }

  static void show_usage(Context& context, const model::ResourceUsage& usage) {
    if (usage.memory_stats) {
      context.ui.out(fmt::format("\nMemory Stats\n{}", format_table({{"Cache", "RSS", "Swap", "Usage", "Max Usage"},
                                                                    {format_bytes(usage.memory_stats->cache), format_bytes(usage.memory_stats->rss),
                                                                     format_bytes(usage.memory_stats->swap), format_bytes(usage.memory_stats->usage),
                                                                     format_bytes(usage.memory_stats->max_usage)}})));
    }
    if (usage.cpu_stats) {
      context.ui.out(fmt::format("\nCPU Stats\n{}", format_table({{"Percent", "Throttled Periods", "Throttled Time", "User Mode", "System Mode"},
                                                                 {fmt::format("{:.2f}%", usage.cpu_stats->percent), std::to_string(usage.cpu_stats->throttled_periods),
                                                                  std::to_string(usage.cpu_stats->throttled_time), fmt::format("{:.2f}%", usage.cpu_stats->user_mode),
                                                                  fmt::format("{:.2f}%", usage.cpu_stats->system_mode)}})));
    }
  }

  static void show_events(Context& context, const model::TaskState& state) {
    const auto or_none = [](const model::Time& time) { return time.is_zero() ? std::string("N/A") : format_time(time.unix_nanos()); };
    context.ui.out(fmt::format("\nTask Events:\n{}", format_pairs({{"Started At", or_none(state.started_at)},
                                                                  {"Finished At", or_none(state.finished_at)},
                                                                  {"Total Restarts", std::to_string(state.restarts)},
                                                                  {"Last Restart", or_none(state.last_restart)}})));
    std::vector<std::vector<std::string>> rows{{"Time", "Type", "Description"}};
    for (auto at = state.events.rbegin(); at != state.events.rend(); ++at) {
      std::string text = at->display_message;
      rows.push_back({format_time(at->time), at->type, text.empty() ? at->message : text});
    }
    context.ui.out(fmt::format("\nRecent Events:\n{}", format_table(rows)));
  }

  static void show_placement(Context& context, const model::AllocMetric& metrics) {
    std::string out = fmt::format("\n{}", context.ui.heading("Placement Metrics"));
    if (const std::string lines = placement_metrics(metrics, "  "); !lines.empty()) out += "\n" + lines;
    if (!metrics.score_meta_data.empty()) {
      std::vector<std::vector<std::string>> rows{{"Node"}};
      for (const auto& [scorer, score] : metrics.score_meta_data[0].scores) rows[0].push_back(scorer);
      rows[0].push_back("final score");
      for (const auto& node : metrics.score_meta_data) {
        std::vector<std::string> row{node.node_id};
        for (const auto& [scorer, ignored] : metrics.score_meta_data[0].scores) {
          const double* score = node.scores.get(scorer);
          row.push_back(fmt::format("{:.3g}", score == nullptr ? 0 : *score));
        }
        row.push_back(fmt::format("{:.3g}", node.norm_score));
        rows.push_back(std::move(row));
      }
      out += "\n" + format_table(rows);
    }
    context.ui.out(out);
  }

  OutputOptions output_;
  bool short_ = false, verbose_ = false, stats_ = false, ui_ = false;
  std::int64_t now_ = 0;
};
}  // namespace

std::unique_ptr<Command> make_alloc_status() { return std::make_unique<AllocStatus>(); }

}  // namespace drover::cli
