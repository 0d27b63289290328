#include "server/broker/node_use.h"

#include <algorithm>

#include "server/scheduler/fit/usage.h"

namespace drover::broker {
namespace {

// Nothing but amounts of processor, memory and disk.
bool is_plain(const model::Allocation& alloc, const model::Job* job) {
  if (!alloc.allocated_resources || !alloc.allocated_resources->shared.networks.empty() || !alloc.allocated_resources->shared.ports.empty()) return false;
  const bool plain_tasks = std::ranges::all_of(alloc.allocated_resources->tasks, [](const auto& entry) {
    return entry.second.cpu.reserved_cores.empty() && entry.second.networks.empty() && entry.second.devices.empty();
  });
  if (!plain_tasks) return false;
  if (alloc.job) job = alloc.job.get();
  if (job == nullptr) return false;
  const auto group = std::ranges::find(job->task_groups, alloc.task_group, &model::TaskGroup::name);
  return group != job->task_groups.end() && group->volumes.empty();
}

}  // namespace

bool NodeUse::surely_fit(const model::Node& node, const model::List<state::AllocPtr>& placed, const model::Job* job,
                         const std::list<model::PlanResult>& uncommitted) {
  if (!table_.knows(node.id)) return false;
  const scheduler::NodeRow& row = table_.counted(table_.row_of(node.id));
  if (row.with_cores != 0) return false;
  scheduler::Quantities used = row.used;
  std::int64_t count = row.allocs;
  const auto add = [&](const model::Allocation& alloc) {
    const auto usage = scheduler::alloc_usage(alloc);
    used.cpu += usage.cpu;
    used.memory_mb += usage.memory_mb;
    used.disk_mb += usage.disk_mb;
    ++count;
  };
  // One that is being committed may be in the snapshot already: counted twice it only calls for the closer look. What stops is not
  // taken off for the same reason.
  for (const auto& result : uncommitted) {
    const auto* allocs = result.node_allocation.get(node.id);
    if (allocs == nullptr) continue;
    for (const auto& alloc : *allocs) {
      if (!alloc->allocated_resources) return false;
      add(*alloc);
    }
  }
  for (const auto& alloc : placed) {
    if (!is_plain(*alloc, job)) return false;
    add(*alloc);
  }
  if (node.node_max_allocs > 0 && count > node.node_max_allocs) return false;
  return used.cpu <= row.capacity.cpu && used.memory_mb <= row.capacity.memory_mb && used.disk_mb <= row.capacity.disk_mb;
}

}  // namespace drover::broker
