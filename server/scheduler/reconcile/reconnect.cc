#include "server/scheduler/reconcile/reconnect.h"

#include <algorithm>

#include "server/scheduler/alloc_state.h"

namespace drover::scheduler {
namespace {

double best_norm_score(const model::Allocation& alloc) {
  double best = 0;
  if (alloc.metrics) {
    for (const auto& meta : alloc.metrics->score_meta_data) {
      if (meta.node_id == alloc.node_id) best = meta.norm_score;
    }
  }
  return best;
}

bool best_score_keeps_replacement(const model::Allocation& original, const model::Allocation& replacement) {
  const bool better = best_norm_score(replacement) > best_norm_score(original);
  return better && (replacement.client_status == "running" || original.client_status != "running");
}

// The leader's start; without a leader the oldest main task's. Restarts count as starts. 0: not known.
UnixNanos start_time(const model::Allocation& alloc) {
  const auto* group = group_of(alloc);
  if (group == nullptr) return 0;
  UnixNanos oldest = 0;
  for (const auto& task : group->tasks) {
    const auto* state = alloc.task_states.get(task.name);
    if (state == nullptr || task.lifecycle) continue;
    const auto at = std::max(state->started_at.unix_nanos(), state->last_restart.unix_nanos());
    if (task.leader) return at;
    if (at != 0 && (oldest == 0 || at < oldest)) oldest = at;
  }
  return oldest;
}

}  // namespace

bool may_reconnect(const model::Allocation& alloc, const model::Job& job) {
  const auto& wish = alloc.desired_transition;
  return alloc.desired_status == "run" && !wish.migrate.value_or(false) && !wish.reschedule.value_or(false) &&
         !wish.force_reschedule.value_or(false) && alloc.job->version >= job.version && alloc.job->create_index >= job.create_index;
}

bool keep_replacement(std::string_view strategy, const model::Allocation& original, const model::Allocation& replacement) {
  if (replacement.job->version > original.job->version || replacement.job->create_index > original.job->create_index) return true;
  if (strategy == "keep_original") return false;
  if (strategy == "keep_replacement") return true;
  if (strategy == "longest_running") {
    const auto a = start_time(original);
    const auto b = start_time(replacement);
    if (a == 0 && b == 0) return best_score_keeps_replacement(original, replacement);
    if (a == 0) return true;
    return b != 0 && b < a;
  }
  return best_score_keeps_replacement(original, replacement);
}

std::optional<UnixNanos> client_stop_time(const model::Allocation& alloc, UnixNanos now) {
  const auto* group = group_of(alloc);
  if (group == nullptr) return std::nullopt;
  const auto after = disconnect_rules(*group).stop_on_client_after;
  if (!after || after->count() == 0) return std::nullopt;
  UnixNanos since = now;
  for (const auto& state : alloc.alloc_states) {
    // It can be marked lost only once; the clock runs from there.
    if (state.field == 0 && state.value == "lost") {
      since = state.time.unix_nanos();
      break;
    }
  }
  constexpr std::chrono::nanoseconds default_kill = std::chrono::seconds(5);
  auto kill = default_kill;
  for (const auto& task : group->tasks) kill = std::max(kill, task.kill_timeout);
  return since + after->count() + kill.count();
}

}  // namespace drover::scheduler
