#include "agent/task/restart_policy.h"

#include <fmt/format.h>

#include "sdk/base/text.h"

namespace drover::agent {

bool success_stops(const std::string& job_type, const model::Task& task) {
  if (task.lifecycle) {
    const auto& lifecycle = *task.lifecycle;
    if (lifecycle.hook == "poststop" || (!lifecycle.hook.empty() && !lifecycle.sidecar)) return true;
  }
  return job_type == "batch" || job_type == "sysbatch";
}

RestartDecision next_restart(const model::RestartPolicy& policy, bool stops_on_success, const TaskOutcome& outcome, UnixNanos now,
                             Rng& rng, RestartHistory& history) {
  using Kind = RestartDecision::Kind;
  if (outcome.killed) return {Kind::killed, "", {}};
  if (outcome.restart_requested) return {Kind::restart, "", {}};
  if (policy.attempts == 0) {
    if (stops_on_success && outcome.successful) return {Kind::terminated, "", {}};
    return {Kind::not_restarting, "Policy allows no restarts", {}};
  }
  if (history.window_start == 0 || now - history.window_start > policy.interval.count()) history = {0, now};
  ++history.count;
  if (!outcome.started && !outcome.recoverable) return {Kind::not_restarting, "Error was unrecoverable", {}};
  if (outcome.started && outcome.successful && stops_on_success) {
    return {Kind::terminated, "Restart unnecessary as task terminated successfully", {}};
  }
  if (history.count > policy.attempts) {
    if (policy.mode == "fail") {
      return {Kind::not_restarting,
              fmt::format("Exceeded allowed attempts {} in interval {} and mode is \"fail\"", policy.attempts, format_duration(policy.interval)), {}};
    }
    return {Kind::restart, "Exceeded allowed attempts, applying a delay", nanoseconds(history.window_start + policy.interval.count() - now)};
  }
  const auto jitter = policy.delay.count() > 3 ? rng.below(static_cast<std::uint64_t>(policy.delay.count()) / 4) : 0;
  return {Kind::restart, "Restart within policy", policy.delay + nanoseconds(static_cast<std::int64_t>(jitter))};
}

}  // namespace drover::agent
