// Whether and when a task runs again (client.md 3.5). Pure: history and time in, decision out.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "lib/model/job.h"
#include "sdk/base/clock.h"
#include "sdk/driver/driver.h"

namespace drover::agent {

// What the policy has to remember; stored with the task so that an agent's restart does not forget attempts.
struct RestartHistory {
  std::int64_t count = 0;
  UnixNanos window_start = 0;  // 0: no window yet
  friend bool operator==(const RestartHistory&, const RestartHistory&) = default;
};

// What happened. Exactly one of the members describes it; `killed` beats all.
struct RestartCause {
  bool killed = false;
  bool triggered = false;                     // restart asked for by a user, template or script: does not count
  bool trigger_failure = false;               // by a failing check: counts as a failure
  std::optional<Error> start_error;           // prestart or StartTask failed
  std::optional<driver::ExitResult> exit;
};

struct RestartDecision {
  enum class Kind { killed, restart_now, restart_later, finished, failed };
  Kind kind = Kind::finished;
  std::chrono::nanoseconds delay{};
  std::string reason;
  RestartHistory history;  // to be kept
};

[[nodiscard]] bool successful(const driver::ExitResult& exit);
// True when exit 0 ends the task for good: batch jobs and one-shot lifecycle tasks.
[[nodiscard]] bool success_stops(const std::string& job_type, const model::Task& task);
// `unit` is a random number in [0, 1) for the jitter of up to 25 %.
[[nodiscard]] RestartDecision next_restart(const model::RestartPolicy& policy, bool success_stops, const RestartHistory& history,
                                           const RestartCause& cause, UnixNanos now, double unit);
// The default policy of a job type, for groups that have none.
[[nodiscard]] model::RestartPolicy default_restart_policy(const std::string& job_type);

}  // namespace drover::agent
