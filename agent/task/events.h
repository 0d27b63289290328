// Task events with their details, deprecated flat fields and display messages (client contract 3.4). Pure.
#pragma once

#include <string>

#include "lib/model/alloc.h"
#include "sdk/base/clock.h"

namespace drover::agent::events {

[[nodiscard]] model::TaskEvent received(UnixNanos now);
[[nodiscard]] model::TaskEvent task_setup(UnixNanos now, std::string message);
[[nodiscard]] model::TaskEvent setup_failure(UnixNanos now, std::string error, bool fails_task);
[[nodiscard]] model::TaskEvent hook_failed(UnixNanos now, std::string error);
[[nodiscard]] model::TaskEvent driver_message(UnixNanos now, std::string message, const std::map<std::string, std::string>& annotations);
[[nodiscard]] model::TaskEvent devices_lost(UnixNanos now, const std::string& devices);
[[nodiscard]] model::TaskEvent failed_validation(UnixNanos now, std::string error);
[[nodiscard]] model::TaskEvent driver_failure(UnixNanos now, std::string error);
[[nodiscard]] model::TaskEvent started(UnixNanos now);
[[nodiscard]] model::TaskEvent terminated(UnixNanos now, std::int64_t exit_code, std::int64_t signal, std::string message, bool oom_killed);
[[nodiscard]] model::TaskEvent restarting(UnixNanos now, std::string reason, nanoseconds delay);
[[nodiscard]] model::TaskEvent not_restarting(UnixNanos now, std::string reason);
[[nodiscard]] model::TaskEvent restart_signaled(UnixNanos now, std::string reason);
[[nodiscard]] model::TaskEvent signaling(UnixNanos now, std::string signal, std::string reason);
[[nodiscard]] model::TaskEvent killing(UnixNanos now, nanoseconds timeout, std::string reason);
[[nodiscard]] model::TaskEvent killed(UnixNanos now, std::string error);
[[nodiscard]] model::TaskEvent restore_failed(UnixNanos now);
[[nodiscard]] model::TaskEvent sibling_failed(UnixNanos now, std::string sibling);
[[nodiscard]] model::TaskEvent leader_dead(UnixNanos now);
[[nodiscard]] model::TaskEvent main_tasks_dead(UnixNanos now);
[[nodiscard]] model::TaskEvent shutdown_delay(UnixNanos now, nanoseconds delay, bool skipped);

}  // namespace drover::agent::events
