#include "server/deploy/decide.h"

#include <algorithm>

#include "server/state/txn.h"

namespace drover::deploy {
namespace {

bool healthy(const model::Allocation& alloc) { return alloc.deployment_status && alloc.deployment_status->healthy.value_or(false); }
bool unhealthy(const model::Allocation& alloc) {
  return alloc.deployment_status && alloc.deployment_status->healthy && !*alloc.deployment_status->healthy;
}

const model::TaskGroup* find_group(const model::Job& job, std::string_view name) {
  const auto at = std::ranges::find(job.task_groups, name, &model::TaskGroup::name);
  return at == job.task_groups.end() ? nullptr : &*at;
}

// The policy would let it be tried once more.
bool attempts_left(const model::Allocation& alloc, const model::TaskGroup* group, UnixNanos now) {
  if (group == nullptr || !group->reschedule_policy) return false;
  const auto& policy = *group->reschedule_policy;
  if (policy.unlimited) return true;
  if (policy.attempts <= 0) return false;
  if (!alloc.reschedule_tracker) return true;
  return std::ranges::count_if(alloc.reschedule_tracker->events, [&](const model::RescheduleEvent& event) {
    return now - event.reschedule_time < policy.interval.count();
  }) < policy.attempts;
}

}  // namespace

std::map<std::string, bool> done_groups(const model::Deployment& deployment, const Allocs& allocs) {
  std::map<std::string, std::int64_t> running;
  for (const auto& alloc : allocs) {
    if (!state::terminal(*alloc) && healthy(*alloc)) ++running[alloc->task_group];
  }
  std::map<std::string, bool> out;
  for (const auto& [name, group] : deployment.task_groups) {
    const bool waits = group.desired_canaries != 0 && !group.promoted;
    out[name] = !waits && running[name] >= group.desired_total;
  }
  return out;
}

std::optional<UnixNanos> progress_cutoff(const model::Deployment& deployment, const Allocs& allocs) {
  std::optional<UnixNanos> out;
  const auto done = done_groups(deployment, allocs);
  for (const auto& [name, group] : deployment.task_groups) {
    if (done.at(name) || group.require_progress_by.is_zero()) continue;
    const auto by = group.require_progress_by.unix_nanos();
    if (!out || by < *out) out = by;
  }
  return out;
}

DeadlineVerdict at_deadline(const model::Deployment& deployment, const model::Job& job) {
  DeadlineVerdict out;
  // The clock stands still for a paused deployment.
  if (deployment.status == "paused") return out;
  for (const auto& [name, group] : deployment.task_groups) {
    const bool canarying = group.desired_canaries > 0 && !group.promoted;
    if (group.healthy_allocs >= (canarying ? group.desired_canaries : group.desired_total)) continue;
    out.fail = true;
    const auto* spec = find_group(job, name);
    if (spec != nullptr && spec->update && spec->update->auto_revert) out.rollback = true;
  }
  return out;
}

Reaction react(const model::Deployment& deployment, const model::Job& job, const Allocs& allocs, std::uint64_t latest_eval, UnixNanos now) {
  Reaction out;
  const bool active = state::active(deployment);
  for (const auto& alloc : allocs) {
    const auto* group = deployment.task_groups.get(alloc->task_group);
    if (group == nullptr) continue;
    if (unhealthy(*alloc)) {
      // Without a deadline the first failure is the end; with one, only when nothing may be tried again.
      const bool final = group->progress_deadline.count() == 0 ||
                         (active && !attempts_left(*alloc, find_group(job, alloc->task_group), now));
      const bool marked = alloc->desired_transition.reschedule.value_or(false) || alloc->desired_transition.force_reschedule.value_or(false);
      if (final) {
        out.fail = true;
        out.rollback = out.rollback || group->auto_revert;
      } else if (active && !marked) {
        out.allow_replacements.push_back(alloc->id);
      }
    } else if (healthy(*alloc) && alloc->deployment_status->modify_index > latest_eval) {
      out.create_eval = true;
    }
  }
  return out;
}

bool requires_promotion(const model::Deployment& deployment) {
  return deployment.status == "running" && std::ranges::any_of(deployment.task_groups, [](const auto& entry) {
    return entry.second.desired_canaries > 0 && !entry.second.promoted;
  });
}

bool may_promote(const model::Deployment& deployment, const Allocs& allocs) {
  if (!requires_promotion(deployment)) return false;
  bool placed = false;
  for (const auto& [name, group] : deployment.task_groups) {
    placed = placed || !group.placed_canaries.empty();
    if (group.desired_canaries < 1) continue;
    if (!group.auto_promote || static_cast<std::int64_t>(group.placed_canaries.size()) < group.desired_canaries) return false;
    const auto ready = std::ranges::count_if(allocs, [&](const AllocPtr& alloc) {
      return healthy(*alloc) && std::ranges::find(group.placed_canaries, alloc->id) != group.placed_canaries.end();
    });
    if (ready < group.desired_canaries) return false;
  }
  return placed;
}

JobPtr latest_stable(const std::vector<JobPtr>& versions) {
  JobPtr out;
  for (const auto& job : versions) {
    if (job->stable && (out == nullptr || out->version < job->version)) out = job;
  }
  return out;
}

Rollback roll_back(const std::vector<JobPtr>& versions, const model::Job& current, const std::string& reason) {
  const auto stable = latest_stable(versions);
  if (stable == nullptr) return {nullptr, reason + " - no stable job version to auto revert to"};
  if (state::same_specification(*stable, current)) {
    return {nullptr, fmt::format("{} - not rolling back to stable job version {} as current job has same specification", reason, stable->version)};
  }
  return {stable, fmt::format("{} - rolling back to job version {}", reason, stable->version)};
}

}  // namespace drover::deploy
