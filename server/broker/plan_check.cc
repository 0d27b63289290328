#include "server/broker/plan_check.h"

#include <algorithm>
#include <set>

namespace drover::broker {
namespace {

using state::AllocPtr;
using Allocs = model::List<AllocPtr>;

const Allocs& of(const model::Map<Allocs>& map, const std::string& key) {
  static const Allocs none;
  const Allocs* found = map.get(key);
  return found != nullptr ? *found : none;
}

// Why the node cannot take what the plan puts on it; empty when it can.
std::string reject_reason(const model::Plan& plan, const state::Snapshot& snapshot, const LiveAllocs& live, const FitCheck& fits,
                          const QuickFit& quick, const std::string& node_id) {
  const Allocs& placed = of(plan.node_allocation, node_id);
  // Stopping only makes room.
  if (placed.empty()) return {};
  const state::NodePtr node = snapshot.node(node_id);
  if (!node) return "node does not exist";
  if (node->status == "disconnected") {
    const bool only_unknown = std::ranges::all_of(placed, [](const AllocPtr& a) { return a->client_status == "unknown"; });
    return only_unknown ? "" : "node is disconnected and contains invalid updates";
  }
  if (node->status == "down") {
    const bool only_lost = std::ranges::all_of(
        placed, [](const AllocPtr& a) { return a->client_status == "lost" || a->client_status == "unknown"; });
    return only_lost ? "" : "node is down and contains invalid updates";
  }
  if (node->status != "ready") return "node is not ready for placements";
  const bool closed = node->scheduling_eligibility == "ineligible" || node->drain_strategy;
  const bool all_new = std::ranges::all_of(placed, [](const AllocPtr& alloc) { return alloc->create_index == 0; });
  if (all_new && !closed && quick && quick(*node, placed)) return {};

  std::vector<AllocPtr> proposed = live(node_id);
  const bool all_there = std::ranges::all_of(placed, [&](const AllocPtr& alloc) {
    return std::ranges::any_of(proposed, [&](const AllocPtr& there) { return there->id == alloc->id; });
  });
  // An update in place claims nothing new: it is taken even by a node that is closed for placements.
  if (all_there) return {};
  if (closed) return "node is not eligible";

  std::set<std::string_view> gone;
  for (const auto& alloc : of(plan.node_update, node_id)) gone.insert(alloc->id);
  for (const auto& alloc : of(plan.node_preemptions, node_id)) gone.insert(alloc->id);
  for (const auto& alloc : placed) gone.insert(alloc->id);
  std::erase_if(proposed, [&](const AllocPtr& alloc) { return gone.contains(alloc->id); });
  proposed.insert(proposed.end(), placed.begin(), placed.end());
  return fits(*node, proposed);
}

void keep(model::Map<Allocs>& into, const model::Map<Allocs>& from, const std::string& node_id) {
  if (const Allocs* allocs = from.get(node_id); allocs != nullptr && !allocs->empty()) into[node_id] = *allocs;
}

// The deployment says nothing that is not stored already.
bool is_stored(const state::Snapshot& snapshot, const model::Deployment& planned) {
  const auto stored = snapshot.deployment(planned.id);
  if (!stored || (stored->status == "running" && stored->status_description != planned.status_description)) return false;
  return std::ranges::all_of(planned.task_groups, [&](const auto& entry) {
    const auto* group = stored->task_groups.get(entry.first);
    return group != nullptr && group->desired_total == entry.second.desired_total && group->desired_canaries == entry.second.desired_canaries;
  });
}

// Canaries that were not placed after all are not counted.
void correct_canaries(model::PlanResult& result) {
  if (!result.deployment) return;
  std::set<std::string_view> placed;
  for (const auto& [node, allocs] : result.node_allocation) {
    for (const auto& alloc : allocs) placed.insert(alloc->id);
  }
  for (auto& [name, group] : result.deployment->task_groups) {
    std::erase_if(group.placed_canaries, [&](const std::string& id) { return !placed.contains(id); });
  }
}

// What a stop says, without the rest of the allocation.
AllocPtr stop_record(const model::Allocation& alloc, std::int64_t now) {
  auto out = std::make_shared<model::Allocation>();
  out->id = alloc.id;
  out->desired_status = alloc.desired_status;
  out->desired_description = alloc.desired_description;
  out->client_status = alloc.client_status;
  out->client_description = alloc.client_description;
  out->followup_eval_id = alloc.followup_eval_id;
  out->preempted_by_allocation = alloc.preempted_by_allocation;
  out->desired_transition = alloc.desired_transition;
  out->alloc_states = alloc.alloc_states;
  out->reschedule_tracker = alloc.reschedule_tracker;
  out->modify_time = now;
  return out;
}

}  // namespace

PlanCheck check_plan(const model::Plan& plan, const state::Snapshot& snapshot, const LiveAllocs& live, const FitCheck& fits,
                     const QuickFit& quick) {
  PlanCheck out;
  std::set<std::string> nodes;
  for (const auto& [id, allocs] : plan.node_update) nodes.insert(id);
  for (const auto& [id, allocs] : plan.node_allocation) nodes.insert(id);
  for (const auto& id : nodes) {
    std::string reason = reject_reason(plan, snapshot, live, fits, quick, id);
    if (!reason.empty()) {
      out.rejected.push_back({id, std::move(reason)});
      out.result.rejected_nodes.push_back(id);
      continue;
    }
    keep(out.result.node_update, plan.node_update, id);
    keep(out.result.node_allocation, plan.node_allocation, id);
    keep(out.result.node_preemptions, plan.node_preemptions, id);
  }
  if (plan.deployment && !is_stored(snapshot, *plan.deployment)) out.result.deployment = plan.deployment;
  out.result.deployment_updates = plan.deployment_updates;
  if (out.rejected.empty()) return out;
  out.result.refresh_index = std::max<std::uint64_t>(
      1, std::max(snapshot.index_of(state::Table::nodes), snapshot.index_of(state::Table::allocs)));
  if (plan.all_at_once) {
    const auto refresh = out.result.refresh_index;
    auto rejected = std::move(out.result.rejected_nodes);
    out.result = {};
    out.result.refresh_index = refresh;
    out.result.rejected_nodes = std::move(rejected);
    return out;
  }
  correct_canaries(out.result);
  return out;
}

fsm::PlanResult plan_entry(const model::Plan& plan, const model::PlanResult& result, fsm::EvalList evals, std::int64_t now,
                           const state::Snapshot& snapshot) {
  fsm::PlanResult entry;
  entry.eval_id = plan.eval_id;
  entry.now = now;
  entry.preemption_evals = std::move(evals);
  entry.deployment = result.deployment;
  entry.deployment_updates = result.deployment_updates;
  if (plan.job) {
    entry.namespace_ = plan.job->namespace_;
    entry.job_id = plan.job->id;
    entry.job_version = plan.job->version;
    const state::JobPtr stored = snapshot.job_version(plan.job->namespace_, plan.job->id, plan.job->version);
    if (!stored || stored->create_index != plan.job->create_index) entry.job = plan.job;
  }
  for (const auto& [node, allocs] : result.node_update) {
    for (const auto& alloc : allocs) entry.stopped.push_back(stop_record(*alloc, now));
  }
  for (const auto& [node, allocs] : result.node_preemptions) {
    for (const auto& alloc : allocs) entry.preempted.push_back(stop_record(*alloc, now));
  }
  for (const auto& [node, allocs] : result.node_allocation) {
    for (const auto& alloc : allocs) {
      auto placed = std::make_shared<model::Allocation>(*alloc);
      // An allocation of an older version keeps its own job; the state has it.
      const bool of_plan = !alloc->job || (plan.job && alloc->job->version == plan.job->version && alloc->job->id == plan.job->id);
      if (of_plan) placed->job.reset();
      if (placed->create_time == 0) placed->create_time = now;
      placed->modify_time = now;
      entry.placed.push_back(std::move(placed));
    }
  }
  return entry;
}

bool is_noop(const model::PlanResult& result) {
  return result.node_update.empty() && result.node_allocation.empty() && result.node_preemptions.empty() && !result.deployment &&
         result.deployment_updates.empty();
}

}  // namespace drover::broker
