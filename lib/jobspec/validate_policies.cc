#include <algorithm>
#include <cmath>

#include "lib/jobspec/problems.h"

namespace drover::jobspec {

namespace {
using std::chrono::seconds;

std::string show(model::Duration value) { return format_duration(value); }
}  // namespace

Problems check_update(const model::UpdateStrategy& update) {
  Problems out;
  if (update.health_check != "checks" && update.health_check != "task_states" && update.health_check != "manual") {
    out.add("Invalid health check given: {}", quote(update.health_check));
  }
  if (update.max_parallel < 0) out.add("Max parallel can not be less than zero: {} < 0", update.max_parallel);
  if (update.canary < 0) out.add("Canary count can not be less than zero: {} < 0", update.canary);
  if (update.canary == 0 && update.auto_promote) out.add("Auto Promote requires a Canary count greater than zero");
  if (update.min_healthy_time.count() < 0) out.add("Minimum healthy time may not be less than zero: {}", show(update.min_healthy_time));
  if (update.healthy_deadline.count() <= 0) out.add("Healthy deadline must be greater than zero: {}", show(update.healthy_deadline));
  if (update.progress_deadline.count() < 0) out.add("Progress deadline must be zero or greater: {}", show(update.progress_deadline));
  if (update.min_healthy_time >= update.healthy_deadline) {
    out.add("Minimum healthy time must be less than healthy deadline: {} > {}", show(update.min_healthy_time), show(update.healthy_deadline));
  }
  if (update.progress_deadline.count() != 0 && update.healthy_deadline >= update.progress_deadline) {
    out.add("Healthy deadline must be less than progress deadline: {} > {}", show(update.healthy_deadline), show(update.progress_deadline));
  }
  if (update.stagger.count() <= 0) out.add("Stagger must be greater than zero: {}", show(update.stagger));
  return out;
}

Problems check_migrate(const model::MigrateStrategy& migrate) {
  Problems out;
  if (migrate.max_parallel < 0) out.add("MaxParallel must be >= 0 but found {}", migrate.max_parallel);
  if (migrate.health_check.empty()) out.add("Missing HealthCheck");
  else if (migrate.health_check != "checks" && migrate.health_check != "task_states") out.add("Invalid HealthCheck: {}", quote(migrate.health_check));
  if (migrate.min_healthy_time.count() < 0) out.add("MinHealthyTime is {} and must be >= 0", show(migrate.min_healthy_time));
  if (migrate.healthy_deadline.count() < 0) out.add("HealthyDeadline is {} and must be >= 0", show(migrate.healthy_deadline));
  if (migrate.min_healthy_time > migrate.healthy_deadline) out.add("MinHealthyTime must be less than HealthyDeadline");
  return out;
}

Problems check_restart(const model::RestartPolicy& restart) {
  Problems out;
  if (restart.mode != "delay" && restart.mode != "fail") {
    out.add("Unsupported restart mode: {}", quote(restart.mode));
    return out;
  }
  if (restart.attempts == 0 && restart.mode != "fail") out.add("Restart policy {} with {} attempts is ambiguous", quote(restart.mode), restart.attempts);
  if (restart.interval < seconds(5)) out.add("Interval can not be less than {} (got {})", show(seconds(5)), show(restart.interval));
  if (static_cast<double>(restart.attempts) * static_cast<double>(restart.delay.count()) > static_cast<double>(restart.interval.count())) {
    out.add("Nomad can't restart the TaskGroup {} times in an interval of {} with a delay of {}", restart.attempts, show(restart.interval), show(restart.delay));
  }
  return out;
}

namespace {

// How many of the policy's attempts fit in its interval, and the interval that all would need.
struct Viable {
  bool all = true;
  std::int64_t possible = 0;
  model::Duration wanted{};
};

Viable viable_attempts(const model::ReschedulePolicy& policy) {
  Viable out;
  if (policy.delay_function == "constant") {
    out.wanted = policy.delay * policy.attempts;
    if (policy.interval < out.wanted) {
      out.all = false;
      out.possible = policy.interval / policy.delay;
    }
    return out;
  }
  model::Duration before = policy.delay;
  model::Duration now = policy.delay;
  const std::int64_t attempts = std::min<std::int64_t>(policy.attempts, 10'000);
  for (std::int64_t i = 0; i < attempts; i++) {
    if (i > 0 && policy.delay_function == "exponential") now = std::min(now, policy.max_delay) * 2;
    if (i > 1 && policy.delay_function == "fibonacci") {
      const model::Duration next = std::min(now, policy.max_delay) + std::min(before, policy.max_delay);
      before = now;
      now = next;
    }
    if (now > policy.max_delay) out.wanted += policy.max_delay;
    else out.wanted = now;
    if (out.wanted < policy.interval) out.possible++;
  }
  out.all = out.possible >= policy.attempts;
  return out;
}

void check_attempts_fit(const model::ReschedulePolicy& policy, Problems& out) {
  const Viable viable = viable_attempts(policy);
  if (viable.all) return;
  if (policy.delay_function == "constant") {
    out.add("Nomad can only make {} attempts in {} with initial delay {} and delay function {}", viable.possible, show(policy.interval), show(policy.delay), quote(policy.delay_function));
  } else {
    out.add("Nomad can only make {} attempts in {} with initial delay {}, delay function {}, and delay ceiling {}", viable.possible, show(policy.interval), show(policy.delay), quote(policy.delay_function), show(policy.max_delay));
  }
  out.add("Set the interval to at least {} to accommodate {} attempts", show(std::chrono::round<seconds>(viable.wanted)), policy.attempts);
}

}  // namespace

Problems check_reschedule(const model::ReschedulePolicy& policy) {
  Problems out;
  if (policy.attempts <= 0 && !policy.unlimited) return out;
  if (policy.attempts > 0) {
    if (policy.interval.count() <= 0) out.add("Interval must be a non zero value if Attempts > 0");
    if (policy.unlimited) {
      out.add("Reschedule Policy with Attempts = {}, Interval = {}, and Unlimited = {} is ambiguous", policy.attempts, show(policy.interval), policy.unlimited);
      out.add("If Attempts >0, Unlimited cannot also be set to true");
    }
  }
  bool delays_good = true;
  if (policy.delay < seconds(5)) {
    out.add("Delay cannot be less than {} (got {})", show(seconds(5)), show(policy.delay));
    delays_good = false;
  }
  if (policy.delay_function != "constant" && policy.delay_function != "exponential" && policy.delay_function != "fibonacci") {
    out.add("Invalid delay function {}, must be one of [\"constant\" \"exponential\" \"fibonacci\"]", quote(policy.delay_function));
    delays_good = false;
  }
  if (policy.delay_function != "constant") {
    if (policy.max_delay < seconds(5)) {
      out.add("Max Delay cannot be less than {} (got {})", show(seconds(5)), show(policy.max_delay));
      delays_good = false;
    }
    if (policy.max_delay < policy.delay) {
      out.add("Max Delay cannot be less than Delay {} (got {})", show(policy.delay), show(policy.max_delay));
      delays_good = false;
    }
  }
  if (policy.unlimited) return out;
  if (policy.interval < seconds(15)) out.add("Interval cannot be less than {} (got {})", show(seconds(15)), show(policy.interval));
  if (delays_good) check_attempts_fit(policy, out);
  return out;
}

Problems check_disconnect(const model::DisconnectStrategy& disconnect, const std::string& job_type) {
  Problems out;
  const bool stops = disconnect.stop_on_client_after.has_value();
  if (stops && disconnect.lost_after.count() != 0) out.add("Disconnect cannot be configured with both lost_after and stop_after");
  if (disconnect.lost_after.count() < 0) out.add("lost_after cannot be a negative duration");
  if (stops && disconnect.stop_on_client_after->count() < 0) out.add("stop_after cannot be a negative duration");
  if (stops && job_type != "service" && job_type != "batch") out.add("stop_after can only be used with service or batch job types");
  const std::string& choice = disconnect.reconcile;
  if (!choice.empty() && choice != "best_score" && choice != "longest_running" && choice != "keep_original" && choice != "keep_replacement") {
    out.add("reconcile option is invalid: {}", choice);
  }
  return out;
}

namespace {

// A policy that scales a group names it; one without any target is not about a group.
void check_scaling_target(const model::ScalingPolicy& policy, Problems& out) {
  if (policy.type != "horizontal" || policy.target.empty()) return;
  for (const char* part : {"Namespace", "Job", "Group"}) {
    const std::string* name = policy.target.get(part);
    if (name == nullptr || name->empty()) out.add("missing target {}", to_lower(part));
  }
}

}  // namespace

Problems check_scaling(const model::ScalingPolicy& policy, std::int64_t count) {
  Problems out;
  if (policy.type.empty()) out.add("missing scaling policy type");
  check_scaling_target(policy, out);
  if (policy.max < 0) out.add("maximum count must be specified and non-negative");
  else if (policy.max < policy.min) out.add("maximum count must not be less than minimum count");
  if (policy.min < 0) out.add("minimum count must be specified and non-negative");
  if (!out.empty()) {
    Problems named;
    named.add("Scaling policy invalid: {}", out.text());
    return named;
  }
  if (count > policy.max) out.add("Scaling policy invalid: task group count must not be greater than maximum count in scaling policy");
  if (count < policy.min) out.add("Scaling policy invalid: task group count must not be less than minimum count in scaling policy");
  return out;
}

}  // namespace drover::jobspec
