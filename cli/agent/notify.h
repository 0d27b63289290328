// sd_notify(3): one datagram to the service manager's socket, when there is one.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "sdk/async/asio.h"

namespace drover::cli {

void notify_service_manager(std::string_view state);

// How long a manager with a watchdog waits for a sign of life of the process `pid` before it restarts it (WATCHDOG_USEC,
// WATCHDOG_PID); empty: it does not.
[[nodiscard]] std::optional<std::chrono::microseconds> watchdog_limit(const std::map<std::string, std::string>& environment, int pid);
// Signs of life, two within each limit, until cancelled. They come from the loop: one that hangs gives none.
[[nodiscard]] Async<> feed_watchdog(std::chrono::microseconds limit);
// Tells the manager that a stop takes its time, again and again until cancelled: TimeoutStopSec of the unit need not be as long as a drain.
[[nodiscard]] Async<> extend_stop();

}  // namespace drover::cli
