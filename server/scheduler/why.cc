#include "server/scheduler/why.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "server/scheduler/alloc_state.h"
#include "server/scheduler/node_table.h"
#include "server/scheduler/rank/group_rules.h"
#include "server/scheduler/rank/place.h"

namespace drover::scheduler {
namespace {

using Reasons = model::List<model::WhyReason>;

void add(Reasons& out, const char* kind, std::string text, std::int64_t lacking = 0) {
  out.push_back({.kind = kind, .text = std::move(text), .lacking = lacking});
}

bool oversubscribes(const StateView& view, const model::Job& job) {
  const auto pool = view.node_pool(job.node_pool.empty() ? "default" : job.node_pool);
  if (pool != nullptr && pool->scheduler_configuration && pool->scheduler_configuration->memory_oversubscription_enabled) {
    return *pool->scheduler_configuration->memory_oversubscription_enabled;
  }
  return view.scheduler_config().memory_oversubscription_enabled;
}

class GroupQuestion {
 public:
  GroupQuestion(const StateView& view, const NodeTable& table, const model::Job& job, const model::TaskGroup& group, Rng& rng)
      : view_(view), job_(job), group_(group), rng_(rng), oversubscribe_(oversubscribes(view, job)), job_checks_(job),
        rules_(view, table, job, group, oversubscribe_), ask_(alloc_usage(plain_resources(group, oversubscribe_))) {}

  Reasons reasons(const model::Node& node) {
    Reasons out;
    out.allocate();
    place(node, out);
    state(node, out);
    job_checks_.each_failure(node, [&](const Reason& reason) { add(out, "constraint", reason); });
    rules_.checks.each_failure(node, [&](const char* kind, const Reason& reason) { add(out, kind, reason); });
    const auto on_node = view_.live_allocs_by_node(node.id);
    if (!rules_.volumes.feasible(node, alloc_name(job_.id, group_.name, 0), on_node)) add(out, "volume", "missing compatible host volumes");
    distinct(node, on_node, out);
    resources(node, on_node, out);
    return out;
  }
  [[nodiscard]] const Usage& ask() const { return ask_; }

 private:
  void place(const model::Node& node, Reasons& out) const {
    if (!in_pool(node, job_.node_pool)) add(out, "pool", fmt::format("not in node pool \"{}\"", job_.node_pool));
    if (!datacenter_matches(job_.datacenters, node.datacenter)) add(out, "datacenter", "in none of the job's datacenters");
  }
  static void state(const model::Node& node, Reasons& out) {
    if (node.status != "ready") add(out, "node", fmt::format("node is {}", node.status));
    if (node.drain_strategy) add(out, "node", "node is draining");
    else if (node.scheduling_eligibility == "ineligible") add(out, "node", "node is not eligible");
  }
  void distinct(const model::Node& node, const std::vector<AllocPtr>& on_node, Reasons& out) {
    const bool by_job = has_distinct_hosts(job_.constraints);
    const bool taken = (by_job || rules_.distinct_hosts) && std::ranges::any_of(on_node, [&](const AllocPtr& alloc) {
      return !terminal(*alloc) && alloc->job_id == job_.id && alloc->namespace_ == job_.namespace_ && (by_job || alloc->task_group == group_.name);
    });
    if (taken) add(out, "distinct", "distinct_hosts");
    for (const auto& entry : rules_.distinct) {
      const auto value = entry.properties.value(node);
      if (!value) add(out, "distinct", fmt::format("missing property \"{}\"", entry.properties.property()));
      else if (entry.properties.used(*value) >= entry.allowed) {
        add(out, "distinct", fmt::format("distinct_property: {}={}", entry.properties.property(), *value));
      }
    }
  }
  void resources(const model::Node& node, const std::vector<AllocPtr>& on_node, Reasons& out) {
    Usage used = ask_;
    std::vector<AllocPtr> stays;
    for (const auto& alloc : on_node) {
      if (client_terminal(*alloc)) continue;
      used.add(alloc_usage(*alloc));
      stays.push_back(alloc);
    }
    const auto capacity = node_capacity(node);
    const auto before = out.size();
    const auto check = [&](const char* name, std::int64_t wanted, std::int64_t total) {
      if (wanted > total) add(out, "resource", name, wanted - total);
    };
    check("cpu", used.cpu, capacity.cpu);
    check("memory", used.memory_mb, capacity.memory_mb);
    check("disk", used.disk_mb, capacity.disk_mb);
    if (out.size() != before) return;
    // What cannot be counted: ports, devices, whole cores.
    const auto offer = offer_resources(group_, node, stays, oversubscribe_, rng_);
    if (!offer) add(out, "resource", offer.error().message());
  }

  const StateView& view_;
  const model::Job& job_;
  const model::TaskGroup& group_;
  Rng& rng_;
  bool oversubscribe_;
  JobChecks job_checks_;
  GroupRules rules_;
  Usage ask_;
};

// The most frequent first.
model::List<model::WhyCount> count(const model::List<model::WhyNode>& nodes) {
  std::map<std::pair<std::string, std::string>, model::WhyCount> counts;
  for (const auto& node : nodes) {
    for (const auto& reason : node.reasons) {
      auto& entry = counts[{reason.kind, reason.text}];
      entry.kind = reason.kind;
      entry.text = reason.text;
      ++entry.nodes;
      if (node.reasons.size() == 1) ++entry.alone;
    }
  }
  model::List<model::WhyCount> out;
  out.allocate();
  for (auto& [key, entry] : counts) out.push_back(std::move(entry));
  std::ranges::sort(out, {}, [](const model::WhyCount& entry) { return std::tuple(-entry.nodes, entry.kind, entry.text); });
  return out;
}

// Fewest reasons; of those the one whose resources are short by the smallest part of what is asked.
const model::WhyNode* nearest(const model::List<model::WhyNode>& nodes, const Usage& ask) {
  const auto shortage = [&](const model::WhyNode& node) {
    double worst = 0;
    for (const auto& reason : node.reasons) {
      const auto asked = reason.text == "cpu" ? ask.cpu : reason.text == "memory" ? ask.memory_mb : reason.text == "disk" ? ask.disk_mb : 0;
      if (reason.lacking > 0 && asked > 0) worst = std::max(worst, static_cast<double>(reason.lacking) / static_cast<double>(asked));
    }
    return std::tuple(node.reasons.size(), worst);
  };
  const auto at = std::ranges::min_element(nodes, {}, shortage);
  return at == nodes.end() ? nullptr : &*at;
}

std::string remedy(const model::WhyCount& reason) {
  if (reason.kind == "pool") return "let the job use the node pool of these nodes";
  if (reason.kind == "datacenter") return "add the datacenter of these nodes to the job's datacenters";
  if (reason.kind == "node" && reason.text == "node is draining") return "end the drain of these nodes";
  if (reason.kind == "node" && reason.text == "node is not eligible") return "make these nodes eligible";
  if (reason.kind == "node") return "bring these nodes back";
  if (reason.kind == "driver") return "install or mend the drivers on these nodes";
  if (reason.kind == "distinct") return fmt::format("lift {}", reason.text);
  if (reason.kind == "constraint") return fmt::format("lift the constraint {}", reason.text);
  if (reason.kind == "resource") return fmt::format("free what is exhausted ({}) or ask for less of it", reason.text);
  return fmt::format("mend on these nodes: {}", reason.text);
}

model::List<model::WhyChange> changes(const model::WhyGroup& group, const Usage& ask) {
  model::List<model::WhyChange> out;
  out.allocate();
  for (const auto& reason : group.reasons) {
    if (reason.alone == 0) continue;
    const bool cpu = reason.text == "cpu";
    const bool countable = reason.kind == "resource" && (cpu || reason.text == "memory" || reason.text == "disk");
    if (!countable) {
      out.push_back({remedy(reason), reason.alone});
      continue;
    }
    // The least that must be given up for one node to do.
    std::int64_t least = 0;
    for (const auto& node : group.nodes) {
      if (node.reasons.size() != 1 || node.reasons.front().text != reason.text) continue;
      const auto lacking = node.reasons.front().lacking;
      if (least == 0 || lacking < least) least = lacking;
    }
    const auto asked = cpu ? ask.cpu : reason.text == "memory" ? ask.memory_mb : ask.disk_mb;
    const auto fitting = std::ranges::count_if(group.nodes, [&](const model::WhyNode& node) {
      return node.reasons.size() == 1 && node.reasons.front().text == reason.text && node.reasons.front().lacking == least;
    });
    const auto* unit = cpu ? "MHz" : "MiB";
    if (asked > least) out.push_back({fmt::format("ask for at most {} {} of {} instead of {}", asked - least, unit, reason.text, asked), fitting});
    else out.push_back({fmt::format("free {} {} of {}", least, unit, reason.text), fitting});
  }
  std::ranges::sort(out, {}, [](const model::WhyChange& change) { return std::tuple(-change.nodes, change.text); });
  return out;
}

}  // namespace

model::JobWhy explain(const StateView& view, const model::Job& job, Rng& rng) {
  model::JobWhy out{.id = job.id, .namespace_ = job.namespace_};
  out.groups.allocate();
  NodeTable table;
  table.sync({std::shared_ptr<void>(), &view});
  for (const auto& group : job.task_groups) {
    GroupQuestion question(view, table, job, group, rng);
    model::WhyGroup answer{.name = group.name, .count = group.count};
    answer.nodes.allocate();
    for (const auto& alloc : view.allocs_by_job(job.namespace_, job.id, false)) {
      if (alloc->task_group == group.name && !terminal(*alloc)) ++answer.placed;
    }
    view.each_node([&](const NodePtr& node) {
      model::WhyNode row{.id = node->id, .name = node->name, .datacenter = node->datacenter, .node_pool = node->node_pool,
                         .node_class = node->node_class};
      row.reasons = question.reasons(*node);
      row.fits = row.reasons.empty();
      if (row.fits) ++answer.fits;
      answer.nodes.push_back(std::move(row));
      return true;
    });
    answer.reasons = count(answer.nodes);
    if (answer.fits == 0) {
      if (const auto* node = nearest(answer.nodes, question.ask())) answer.nearest = node->id;
    }
    answer.changes = changes(answer, question.ask());
    out.groups.push_back(std::move(answer));
  }
  return out;
}

}  // namespace drover::scheduler
