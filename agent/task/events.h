// Task events: their type names, details, the old flat fields and the sentence people read (client.md 3.4). Pure.
#pragma once

#include <chrono>
#include <string>

#include "lib/model/alloc.h"
#include "sdk/base/clock.h"
#include "sdk/driver/driver.h"

namespace drover::agent::events {

using model::TaskEvent;
using std::chrono::nanoseconds;

[[nodiscard]] TaskEvent received(UnixNanos now);
[[nodiscard]] TaskEvent setup(UnixNanos now, const std::string& message);
[[nodiscard]] TaskEvent setup_failure(UnixNanos now, const std::string& error);
[[nodiscard]] TaskEvent failed_validation(UnixNanos now, const std::string& error);
[[nodiscard]] TaskEvent driver_message(UnixNanos now, const std::string& message);
[[nodiscard]] TaskEvent driver_failure(UnixNanos now, const std::string& error);
[[nodiscard]] TaskEvent started(UnixNanos now);
[[nodiscard]] TaskEvent terminated(UnixNanos now, const driver::ExitResult& exit);
[[nodiscard]] TaskEvent restarting(UnixNanos now, nanoseconds delay, const std::string& reason);
[[nodiscard]] TaskEvent not_restarting(UnixNanos now, const std::string& reason);
[[nodiscard]] TaskEvent restart_signaled(UnixNanos now, const std::string& reason);
[[nodiscard]] TaskEvent signaling(UnixNanos now, const std::string& signal, const std::string& reason);
[[nodiscard]] TaskEvent killing(UnixNanos now, nanoseconds kill_timeout, const std::string& reason);
[[nodiscard]] TaskEvent killed(UnixNanos now, const std::string& error);
[[nodiscard]] TaskEvent sibling_failed(UnixNanos now, const std::string& sibling);
[[nodiscard]] TaskEvent leader_dead(UnixNanos now);
[[nodiscard]] TaskEvent main_dead(UnixNanos now);
[[nodiscard]] TaskEvent failed_restoring(UnixNanos now, const std::string& error);
[[nodiscard]] TaskEvent waiting_shutdown_delay(UnixNanos now, nanoseconds delay);
[[nodiscard]] TaskEvent skipping_shutdown_delay(UnixNanos now, nanoseconds delay);
[[nodiscard]] TaskEvent hook_failed(UnixNanos now, const std::string& hook, const std::string& error);

// The sentence for an event: what `DisplayMessage` holds.
[[nodiscard]] std::string display_message(const TaskEvent& event);
// Keeps the newest ten.
void append(model::TaskState& state, TaskEvent event);

}  // namespace drover::agent::events
