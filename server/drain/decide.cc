#include "server/drain/decide.h"

#include <algorithm>

namespace drover::drain {
namespace {

bool is_batch(const model::Job& job) { return job.type == "batch" || job.type == "sysbatch"; }

bool is_plugin(const model::Job& job) {
  return std::ranges::any_of(job.task_groups, [](const auto& group) {
    return std::ranges::any_of(group.tasks, [](const auto& task) { return static_cast<bool>(task.csi_plugin_config); });
  });
}

void drain_group(const model::TaskGroup& group, bool batch, const Allocs& allocs, const IsDraining& draining, std::uint64_t last_handled,
                 JobVerdict& out) {
  std::int64_t reported = 0;
  Allocs movable;
  for (const auto& alloc : allocs) {
    if (alloc->task_group != group.name) continue;
    const bool leaving = draining(alloc->node_id);
    const bool ended = state::client_terminal(*alloc);
    if (ended && leaving && alloc->modify_index > last_handled) {
      out.migrated.push_back(alloc);
      continue;
    }
    // Health counts when it is known at all: a replacement that failed must not hold up a drain for ever.
    const bool marked = alloc->desired_transition.migrate.value_or(false);
    if (!batch && !marked && !state::terminal(*alloc) && alloc->deployment_status && alloc->deployment_status->healthy) ++reported;
    if (!leaving || ended) continue;
    out.done = false;
    if (!marked) movable.push_back(alloc);
  }
  if (batch || movable.empty()) return;
  const std::int64_t max_parallel = group.migrate ? group.migrate->max_parallel : 1;
  const auto now = std::min(reported - (group.count - max_parallel), static_cast<std::int64_t>(movable.size()));
  for (std::int64_t i = 0; i < now; ++i) out.drain.push_back(movable[static_cast<std::size_t>(i)]);
}

}  // namespace

JobVerdict drain_job(const model::Job& job, const Allocs& allocs, const IsDraining& draining, std::uint64_t last_handled) {
  JobVerdict out;
  for (const auto& group : job.task_groups) drain_group(group, is_batch(job), allocs, draining, last_handled, out);
  return out;
}

bool stays_to_the_end(const model::Allocation& alloc) { return alloc.job && (alloc.job->type == "system" || is_plugin(*alloc.job)); }

bool node_done(const Allocs& on_node) {
  return std::ranges::all_of(on_node, [](const AllocPtr& alloc) { return stays_to_the_end(*alloc) || state::client_terminal(*alloc); });
}

Allocs remaining(const model::DrainStrategy& strategy, const Allocs& on_node) {
  Allocs out;
  for (const auto& alloc : on_node) {
    if (state::terminal(*alloc)) continue;
    if (strategy.ignore_system_jobs && alloc->job && alloc->job->type == "system") continue;
    out.push_back(alloc);
  }
  return out;
}

Deadline deadline(const model::DrainStrategy& strategy) {
  if (strategy.deadline.count() < 0) return {};
  if (strategy.deadline.count() == 0) return {.none = true};
  return {.none = false, .at = strategy.force_deadline.unix_nanos()};
}

model::DesiredTransition mark(const model::Allocation& alloc, bool at_deadline) {
  model::DesiredTransition out;
  out.migrate = true;
  if (at_deadline && alloc.job && is_batch(*alloc.job)) out.migrate_disable_placement = true;
  return out;
}

}  // namespace drover::drain
