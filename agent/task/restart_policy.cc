#include "agent/task/restart_policy.h"

#include <algorithm>

#include "sdk/base/text.h"

namespace drover::agent {

using Kind = RestartDecision::Kind;
using namespace std::chrono_literals;

bool successful(const driver::ExitResult& exit) { return exit.exit_code == 0 && exit.signal == 0 && exit.error.empty(); }

bool success_stops(const std::string& job_type, const model::Task& task) {
  if (task.lifecycle) {
    if (task.lifecycle->hook == "poststop") return true;
    return !task.lifecycle->sidecar;
  }
  return job_type == "batch" || job_type == "sysbatch";
}

model::RestartPolicy default_restart_policy(const std::string& job_type) {
  model::RestartPolicy policy;
  const bool batch = job_type == "batch" || job_type == "sysbatch";
  policy.attempts = batch ? 3 : 2;
  policy.interval = batch ? model::Duration(24h) : model::Duration(30min);
  policy.delay = 15s;
  policy.mode = "fail";
  return policy;
}

RestartDecision next_restart(const model::RestartPolicy& policy, bool stops, const RestartHistory& history, const RestartCause& cause,
                             UnixNanos now, double unit) {
  RestartDecision out{.history = history};
  if (cause.killed) {
    out.kind = Kind::killed;
    return out;
  }
  if (cause.triggered && !cause.trigger_failure) {
    out.kind = Kind::restart_now;
    return out;
  }
  const bool success = cause.exit && successful(*cause.exit) && !cause.trigger_failure;
  if (policy.attempts == 0) {
    out.kind = success && stops ? Kind::finished : Kind::failed;
    if (out.kind == Kind::failed) out.reason = "Policy allows no restarts";
    return out;
  }
  if (out.history.window_start == 0 || now > out.history.window_start + policy.interval.count()) {
    out.history.window_start = now;
    out.history.count = 0;
  }
  ++out.history.count;
  if (cause.start_error && !cause.start_error->recoverable()) {
    out.kind = Kind::failed;
    out.reason = "Error was unrecoverable";
    return out;
  }
  if (success && stops) {
    out.kind = Kind::finished;
    out.reason = "Restart unnecessary as task terminated successfully";
    return out;
  }
  if (out.history.count > policy.attempts) {
    if (policy.mode != "delay") {
      out.kind = Kind::failed;
      out.reason = fmt::format("Exceeded allowed attempts {} in interval {} and mode is \"fail\"", policy.attempts, format_duration(policy.interval));
      return out;
    }
    out.kind = Kind::restart_later;
    out.delay = std::chrono::nanoseconds(std::max<std::int64_t>(0, out.history.window_start + policy.interval.count() - now));
    out.reason = "Exceeded allowed attempts, applying a delay";
    return out;
  }
  out.kind = Kind::restart_later;
  out.delay = policy.delay + std::chrono::nanoseconds(static_cast<std::int64_t>(static_cast<double>(policy.delay.count()) * 0.25 * unit));
  out.reason = "Restart within policy";
  return out;
}

}  // namespace drover::agent
