// What happens after a task ended or failed to start (client contract 3.5). Pure: time and chance are arguments.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "lib/model/task.h"
#include "lib/model/task_group.h"
#include "sdk/base/clock.h"
#include "sdk/base/error.h"

namespace drover::agent {

// What ended, in the words the policy needs.
struct TaskOutcome {
  bool killed = false;             // by us, on purpose
  bool restart_requested = false;  // by a user or a hook, not a failure
  bool started = true;             // false: the driver or a hook refused to start it
  bool recoverable = true;         // of a start error
  bool successful = false;         // exit code 0, no signal, no error
};

struct RestartHistory {
  std::int64_t count = 0;
  std::int64_t window_start = 0;  // Unix nanoseconds, 0: none yet

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Count", self.count);
    v("WindowStart", self.window_start);
  }
  friend bool operator==(const RestartHistory&, const RestartHistory&) = default;
};

struct RestartDecision {
  enum class Kind : std::uint8_t { restart, terminated, not_restarting, killed };
  Kind kind = Kind::restart;
  std::string reason;
  nanoseconds delay{0};
};

// True when an exit code 0 ends the task for good: batch jobs, and lifecycle tasks that are no sidecars.
[[nodiscard]] bool success_stops(const std::string& job_type, const model::Task& task);

// Decides and updates `history`.
// No pause of the policy is longer.
[[nodiscard]] inline nanoseconds longest_pause(const model::RestartPolicy& policy) { return std::max<nanoseconds>(policy.interval, 2 * policy.delay); }

[[nodiscard]] RestartDecision next_restart(const model::RestartPolicy& policy, bool stops_on_success, const TaskOutcome& outcome,
                                           UnixNanos now, Rng& rng, RestartHistory& history);

}  // namespace drover::agent
