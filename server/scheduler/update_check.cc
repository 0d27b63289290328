#include "server/scheduler/update_check.h"

#include "server/scheduler/alloc_state.h"
#include "server/scheduler/reconcile/tasks_updated.h"

namespace drover::scheduler {

UpdateVerdict check_update(const StateView& view, PlanDraft& draft, Stack& stack, const model::Job& job, const std::string& eval_id,
                           const AllocPtr& alloc, const model::TaskGroup& group, bool same_version) {
  using Kind = UpdateVerdict::Kind;
  if (alloc->job == nullptr) return {Kind::ignore};
  if (alloc->job->job_modify_index == job.job_modify_index && !same_version) return {Kind::ignore};
  if (tasks_updated(job, *alloc->job, group.name)) return {Kind::destructive};
  if (terminal(*alloc)) return {Kind::ignore};
  const auto node = view.node(alloc->node_id);
  if (node == nullptr) return {Kind::ignore};
  if (!in_pool(*node, job.node_pool) || !datacenter_matches(job.datacenters, node->datacenter)) return {Kind::destructive};
  stack.set_node(*node);
  // Its own resources count as free while it is looked at.
  draft.stop(alloc, {.description = description::in_place});
  auto placement = stack.select(group, {.alloc_name = alloc->name, .penalty_nodes = {}});
  draft.undo_stop(*alloc);
  if (!placement) return {Kind::destructive};
  auto updated = std::make_shared<model::Allocation>(*alloc);
  updated->eval_id = eval_id;
  updated->job = nullptr;
  updated->resources.reset();
  auto resources = std::move(placement->resources);
  if (alloc->allocated_resources) {
    // What the running tasks hold they keep.
    for (auto& [name, task] : resources.tasks) {
      const auto* held = alloc->allocated_resources->tasks.get(name);
      if (held == nullptr) continue;
      task.networks = held->networks;
      task.devices = held->devices;
      task.cpu.reserved_cores = held->cpu.reserved_cores;
    }
    resources.shared.networks = alloc->allocated_resources->shared.networks;
    resources.shared.ports = alloc->allocated_resources->shared.ports;
  }
  updated->allocated_resources = std::move(resources);
  return {Kind::in_place, std::move(updated)};
}

}  // namespace drover::scheduler
