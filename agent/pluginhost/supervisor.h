// When a plugin is started, and started again: a state machine over values (P-23). Pure: what happened and the time come in, what
// to do next goes out; plugin_life.cc does it.
//
//   Starting --up--> Running --ended--> Backoff --time--> Starting
//       \--failed--> Backoff     |            \--too often--> Failed --time, reset--> Starting
//                                \--after good service--> Starting
//   any --stop--> Stopped
#pragma once

#include <string>
#include <string_view>

#include "agent/pluginhost/restart_policy.h"

namespace drover::pluginhost {

enum class Phase { starting, running, backoff, failed, stopped, skipped };
[[nodiscard]] std::string_view to_string(Phase phase);

enum class Happened {
  begin,      // the manager starts, or a stopped plugin is wanted again
  up,         // the process runs and has said what it is
  failed,     // it did not come up
  ended,      // it ran, and its process has ended
  time_over,  // the pause is over
  reset,      // an operator wants it tried now, and what was forgotten
  stop,
  skip,       // it is not for this agent: another provides the same, or a list keeps it away
};

enum class Act { start, serve, pause, rest };
struct Next {
  Act act = Act::rest;
  std::chrono::nanoseconds pause{0};
};

// A value; nothing but step() changes it.
struct Supervision {
  Phase phase = Phase::stopped;
  int restarts = 0;         // starts after the first
  UnixNanos since = 0;      // when this phase began
  UnixNanos next_start = 0; // while it waits
  RestartHistory history;
};

// `jitter` is in [0, 1). What does not fit the phase changes nothing and asks for what the phase does anyway.
Next step(Supervision& state, Happened happened, UnixNanos now, double jitter);

}  // namespace drover::pluginhost
