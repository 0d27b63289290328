#include "agent/pluginhost/restart_policy.h"

#include <algorithm>

namespace drover::pluginhost {
using namespace std::chrono_literals;

RestartDecision plan_restart(RestartHistory& history, std::chrono::nanoseconds served, UnixNanos now, double jitter) {
  constexpr std::chrono::nanoseconds window = 10min, well = 10s;
  constexpr std::size_t most = 10;
  if (served >= window) history.streak = 0;
  history.recent_ends.push_back(now);
  while (history.recent_ends.size() > most || now - history.recent_ends.front() > window.count()) history.recent_ends.pop_front();
  if (history.recent_ends.size() >= most) return {.delay = 5min, .broken = true};
  if (history.recent_ends.size() == 1 && served >= well) return {.delay = 0ns, .broken = false};
  const std::chrono::nanoseconds base = std::min<std::chrono::nanoseconds>(1s * (1 << std::min(history.streak, 6)), 60s);
  ++history.streak;
  return {.delay = base + std::chrono::nanoseconds(static_cast<std::int64_t>(jitter * static_cast<double>(base.count()) / 10)), .broken = false};
}

}  // namespace drover::pluginhost
