#include "agent/alloc/health.h"

#include <algorithm>

namespace drover::agent {

std::optional<HealthRules> health_rules(const model::TaskGroup& group, bool in_deployment, std::string_view job_type) {
  const auto rules_of = [](const auto& block) -> std::optional<HealthRules> {
    if (!block) return HealthRules{std::chrono::seconds(10), std::chrono::minutes(5)};
    if (block->health_check == "manual") return std::nullopt;
    return HealthRules{block->min_healthy_time, block->healthy_deadline};
  };
  if (in_deployment) return rules_of(group.update);
  return job_type == "service" ? rules_of(group.migrate) : std::nullopt;
}

Health health_of(const model::TaskGroup& group, const HealthRules& rules, const model::Map<model::TaskState>& tasks, UnixNanos started_watching,
                 UnixNanos now) {
  const UnixNanos minimum = rules.minimum.count();
  const UnixNanos deadline = started_watching + rules.deadline.count();
  UnixNanos latest_start = 0;
  bool all_started = true;
  for (const auto& task : group.tasks) {
    const Stage stage = stage_of(task);
    if (stage == Stage::poststop) continue;
    const auto* state = tasks.get(task.name);
    if (state == nullptr) return {std::nullopt, deadline};
    if (state->failed) return {false, 0};
    const bool may_end = stage == Stage::prestart_ephemeral || stage == Stage::poststart_ephemeral;
    if (state->state == "dead" && may_end) continue;
    if (state->state == "dead") return {false, 0};
    if (state->state != "running") {
      all_started = false;
      continue;
    }
    latest_start = std::max(latest_start, state->started_at.unix_nanos());
    latest_start = std::max(latest_start, state->last_restart.unix_nanos());
  }
  if (all_started && now >= latest_start + minimum) return {true, 0};
  if (now >= deadline) return {false, 0};
  return {std::nullopt, all_started ? std::min(deadline, latest_start + minimum) : deadline};
}

}  // namespace drover::agent
