#include "agent/task/events.h"

#include <fmt/format.h>

#include "sdk/base/text.h"

namespace drover::agent::events {
namespace {
model::TaskEvent make(UnixNanos now, std::string type, std::string display) {
  model::TaskEvent event;
  event.type = std::move(type);
  event.time = now;
  event.display_message = std::move(display);
  event.details.allocate();
  return event;
}
}  // namespace

model::TaskEvent received(UnixNanos now) { return make(now, "Received", "Task received by client"); }

model::TaskEvent task_setup(UnixNanos now, std::string message) {
  auto event = make(now, "Task Setup", message);
  event.details["message"] = message;
  event.message = std::move(message);
  return event;
}

model::TaskEvent setup_failure(UnixNanos now, std::string error, bool fails_task) {
  auto event = make(now, "Setup Failure", error.empty() ? "Task setup failed" : error);
  event.details["setup_error"] = error;
  event.setup_error = std::move(error);
  event.fails_task = fails_task;
  if (fails_task) event.details["fails_task"] = "true";
  return event;
}

model::TaskEvent hook_failed(UnixNanos now, std::string error) { return make(now, "Task hook failed", std::move(error)); }

model::TaskEvent driver_message(UnixNanos now, std::string message, const std::map<std::string, std::string>& annotations) {
  auto event = make(now, "Driver", message);
  for (const auto& [key, value] : annotations) event.details[key] = value;
  event.driver_message = std::move(message);
  return event;
}

model::TaskEvent devices_lost(UnixNanos now, const std::string& devices) {
  return make(now, "Device Lost", fmt::format("the node lost devices of this task: {}", devices));
}

model::TaskEvent failed_validation(UnixNanos now, std::string error) {
  auto event = make(now, "Failed Validation", error.empty() ? "Validation of task failed" : error);
  event.details["validation_error"] = error;
  event.validation_error = std::move(error);
  event.fails_task = true;
  event.details["fails_task"] = "true";
  return event;
}

model::TaskEvent driver_failure(UnixNanos now, std::string error) {
  auto event = make(now, "Driver Failure", error.empty() ? "Failed to start task" : error);
  event.details["driver_error"] = error;
  event.driver_error = std::move(error);
  return event;
}

model::TaskEvent started(UnixNanos now) { return make(now, "Started", "Task started by client"); }

model::TaskEvent terminated(UnixNanos now, std::int64_t exit_code, std::int64_t signal, std::string message, bool oom_killed) {
  std::string display = fmt::format("Exit Code: {}", exit_code);
  if (signal != 0) display += fmt::format(", Signal: {}", signal);
  if (!message.empty()) display += fmt::format(", Exit Message: {}", quote(message));
  auto event = make(now, "Terminated", std::move(display));
  event.details["exit_code"] = std::to_string(exit_code);
  event.details["signal"] = std::to_string(signal);
  event.details["oom_killed"] = oom_killed ? "true" : "false";
  if (!message.empty()) event.details["exit_message"] = message;
  event.exit_code = exit_code;
  event.signal = signal;
  event.message = std::move(message);
  return event;
}

model::TaskEvent restarting(UnixNanos now, std::string reason, nanoseconds delay) {
  const std::string in = fmt::format("Task restarting in {}", format_duration(delay));
  auto event = make(now, "Restarting", reason.empty() || reason == "Restart within policy" ? in : fmt::format("{} - {}", reason, in));
  event.details["restart_reason"] = reason;
  event.details["start_delay"] = std::to_string(delay.count());
  event.restart_reason = std::move(reason);
  event.start_delay = delay.count();
  return event;
}

model::TaskEvent not_restarting(UnixNanos now, std::string reason) {
  auto event = make(now, "Not Restarting", reason.empty() ? "Task exceeded restart policy" : reason);
  event.details["restart_reason"] = reason;
  event.details["fails_task"] = "true";
  event.restart_reason = std::move(reason);
  event.fails_task = true;
  return event;
}

model::TaskEvent restart_signaled(UnixNanos now, std::string reason) {
  auto event = make(now, "Restart Signaled", reason.empty() ? "Task signaled to restart" : reason);
  event.details["restart_reason"] = reason;
  event.restart_reason = std::move(reason);
  return event;
}

model::TaskEvent signaling(UnixNanos now, std::string signal, std::string reason) {
  std::string display = signal.empty() ? "Task being sent a signal" : fmt::format("Task being sent signal {}", signal);
  if (!reason.empty()) display += ": " + reason;
  auto event = make(now, "Signaling", std::move(display));
  event.details["task_signal"] = signal;
  event.details["task_signal_reason"] = reason;
  event.task_signal = std::move(signal);
  event.task_signal_reason = std::move(reason);
  return event;
}

model::TaskEvent killing(UnixNanos now, nanoseconds timeout, std::string reason) {
  std::string display = !reason.empty() ? reason
                        : timeout.count() > 0 ? fmt::format("Sent interrupt. Waiting {} before force killing", format_duration(timeout))
                                              : "Sent interrupt";
  auto event = make(now, "Killing", std::move(display));
  event.details["kill_timeout"] = format_duration(timeout);
  if (!reason.empty()) event.details["kill_reason"] = reason;
  event.kill_timeout = timeout;
  event.kill_reason = std::move(reason);
  return event;
}

model::TaskEvent killed(UnixNanos now, std::string error) {
  auto event = make(now, "Killed", error.empty() ? "Task successfully killed" : error);
  if (!error.empty()) event.details["kill_error"] = error;
  event.kill_error = std::move(error);
  return event;
}

model::TaskEvent restore_failed(UnixNanos now) {
  return make(now, "Failed Restoring Task", "failed to restore task; will not run until server is contacted");
}

model::TaskEvent sibling_failed(UnixNanos now, std::string sibling) {
  auto event = make(now, "Sibling Task Failed", sibling.empty() ? "Task's sibling failed" : fmt::format("Task's sibling \"{}\" failed", sibling));
  event.details["failed_sibling"] = sibling;
  event.failed_sibling = std::move(sibling);
  return event;
}

model::TaskEvent leader_dead(UnixNanos now) { return make(now, "Leader Task Dead", "Leader Task in Group dead"); }
model::TaskEvent main_tasks_dead(UnixNanos now) { return make(now, "Main Tasks Dead", "Main tasks in the group died"); }

model::TaskEvent shutdown_delay(UnixNanos now, nanoseconds delay, bool skipped) {
  return make(now, skipped ? "Skipping shutdown delay" : "Waiting for shutdown delay",
              skipped ? fmt::format("Skipping shutdown_delay of {} before killing the task.", format_duration(delay))
                      : fmt::format("Waiting for shutdown_delay of {} before killing the task.", format_duration(delay)));
}

}  // namespace drover::agent::events
