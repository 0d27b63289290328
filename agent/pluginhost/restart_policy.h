// When to start a plugin again that ended (P-23). Pure: times come in, a decision goes out.
#pragma once

#include <chrono>
#include <deque>

#include "sdk/base/clock.h"

namespace drover::pluginhost {

struct RestartHistory {
  int streak = 0;                    // ends in a row without good service between
  std::deque<UnixNanos> recent_ends;
};

struct RestartDecision {
  std::chrono::nanoseconds delay{0};
  bool broken = false;  // too many ends: the driver counts as failed, and is only probed now and then
};

// A process that ran well for `served` (0: it never did) has ended at `now`. At once when it ran for 10 s and is the first to end within 10
// minutes: its tasks wait to be watched again. Else doubling from 1 s to 60 s with up to a tenth of jitter, from the start again after 10 minutes
// of good service; after 10 ends in 10 minutes one probe every 5 minutes.
[[nodiscard]] RestartDecision plan_restart(RestartHistory& history, std::chrono::nanoseconds served, UnixNanos now, double jitter);

}  // namespace drover::pluginhost
