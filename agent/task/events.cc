#include "agent/task/events.h"

#include "sdk/base/text.h"

namespace drover::agent::events {
namespace {

constexpr std::size_t kept_events = 10;

TaskEvent make(const char* type, UnixNanos now) {
  TaskEvent out;
  out.type = type;
  out.time = now;
  out.details.allocate();
  return out;
}
TaskEvent finish(TaskEvent event) {
  event.display_message = display_message(event);
  return event;
}
const std::string& or_text(const std::string& text, const std::string& otherwise) { return text.empty() ? otherwise : text; }

}  // namespace

TaskEvent received(UnixNanos now) { return finish(make("Received", now)); }
TaskEvent setup(UnixNanos now, const std::string& message) {
  auto out = make("Task Setup", now);
  out.message = message;
  out.details["message"] = message;
  return finish(std::move(out));
}
TaskEvent setup_failure(UnixNanos now, const std::string& error) {
  auto out = make("Setup Failure", now);
  out.setup_error = error;
  out.details["setup_error"] = error;
  out.fails_task = true;
  out.details["fails_task"] = "true";
  return finish(std::move(out));
}
TaskEvent failed_validation(UnixNanos now, const std::string& error) {
  auto out = make("Failed Validation", now);
  out.validation_error = error;
  out.details["validation_error"] = error;
  out.fails_task = true;
  out.details["fails_task"] = "true";
  return finish(std::move(out));
}
TaskEvent driver_message(UnixNanos now, const std::string& message) {
  auto out = make("Driver", now);
  out.driver_message = message;
  out.details["driver_message"] = message;
  return finish(std::move(out));
}
TaskEvent driver_failure(UnixNanos now, const std::string& error) {
  auto out = make("Driver Failure", now);
  out.driver_error = error;
  out.details["driver_error"] = error;
  return finish(std::move(out));
}
TaskEvent started(UnixNanos now) { return finish(make("Started", now)); }
TaskEvent terminated(UnixNanos now, const driver::ExitResult& exit) {
  auto out = make("Terminated", now);
  out.exit_code = exit.exit_code;
  out.signal = exit.signal;
  out.message = exit.error;
  out.details["exit_code"] = std::to_string(exit.exit_code);
  out.details["signal"] = std::to_string(exit.signal);
  out.details["oom_killed"] = exit.oom_killed ? "true" : "false";
  if (!exit.error.empty()) out.details["exit_message"] = exit.error;
  return finish(std::move(out));
}
TaskEvent restarting(UnixNanos now, nanoseconds delay, const std::string& reason) {
  auto out = make("Restarting", now);
  out.start_delay = delay.count();
  out.restart_reason = reason;
  out.details["start_delay"] = std::to_string(delay.count());
  out.details["restart_reason"] = reason;
  return finish(std::move(out));
}
TaskEvent not_restarting(UnixNanos now, const std::string& reason) {
  auto out = make("Not Restarting", now);
  out.restart_reason = reason;
  out.details["restart_reason"] = reason;
  out.fails_task = true;
  out.details["fails_task"] = "true";
  return finish(std::move(out));
}
TaskEvent restart_signaled(UnixNanos now, const std::string& reason) {
  auto out = make("Restart Signaled", now);
  out.restart_reason = reason;
  if (!reason.empty()) out.details["restart_reason"] = reason;
  return finish(std::move(out));
}
TaskEvent signaling(UnixNanos now, const std::string& signal, const std::string& reason) {
  auto out = make("Signaling", now);
  out.task_signal = signal;
  out.task_signal_reason = reason;
  if (!signal.empty()) out.details["task_signal"] = signal;
  if (!reason.empty()) out.details["task_signal_reason"] = reason;
  return finish(std::move(out));
}
TaskEvent killing(UnixNanos now, nanoseconds kill_timeout, const std::string& reason) {
  auto out = make("Killing", now);
  out.kill_timeout = kill_timeout;
  out.kill_reason = reason;
  if (kill_timeout.count() != 0) out.details["kill_timeout"] = format_duration(kill_timeout);
  if (!reason.empty()) out.details["kill_reason"] = reason;
  return finish(std::move(out));
}
TaskEvent killed(UnixNanos now, const std::string& error) {
  auto out = make("Killed", now);
  out.kill_error = error;
  if (!error.empty()) out.details["kill_error"] = error;
  return finish(std::move(out));
}
TaskEvent sibling_failed(UnixNanos now, const std::string& sibling) {
  auto out = make("Sibling Task Failed", now);
  out.failed_sibling = sibling;
  out.details["failed_sibling"] = sibling;
  return finish(std::move(out));
}
TaskEvent leader_dead(UnixNanos now) { return finish(make("Leader Task Dead", now)); }
TaskEvent main_dead(UnixNanos now) { return finish(make("Main Tasks Dead", now)); }
TaskEvent failed_restoring(UnixNanos now, const std::string& error) {
  auto out = make("Failed Restoring Task", now);
  if (!error.empty()) out.details["driver_error"] = error;
  return finish(std::move(out));
}
TaskEvent waiting_shutdown_delay(UnixNanos now, nanoseconds delay) {
  auto out = make("Waiting for shutdown delay", now);
  out.details["start_delay"] = std::to_string(delay.count());
  out.start_delay = delay.count();
  return finish(std::move(out));
}
TaskEvent skipping_shutdown_delay(UnixNanos now, nanoseconds delay) {
  auto out = make("Skipping shutdown delay", now);
  out.details["start_delay"] = std::to_string(delay.count());
  out.start_delay = delay.count();
  return finish(std::move(out));
}
TaskEvent hook_failed(UnixNanos now, const std::string& hook, const std::string& error) {
  auto out = make("Task hook failed", now);
  out.message = hook + ": " + error;
  out.details["message"] = out.message;
  return finish(std::move(out));
}

std::string display_message(const TaskEvent& e) {
  const std::string& type = e.type;
  if (type == "Received") return "Task received by client";
  if (type == "Setup Failure") return or_text(e.setup_error, "Task setup failed");
  if (type == "Failed Validation") return or_text(e.validation_error, "Validation of task failed");
  if (type == "Driver") return e.driver_message;
  if (type == "Driver Failure") return or_text(e.driver_error, "Failed to start task");
  if (type == "Started") return "Task started by client";
  if (type == "Downloading Artifacts") return "Client is downloading artifacts";
  if (type == "Failed Artifact Download") return or_text(e.download_error, "Failed to download artifacts");
  if (type == "Terminated") {
    std::string out = fmt::format("Exit Code: {}", e.exit_code);
    if (e.signal != 0) out += fmt::format(", Signal: {}", e.signal);
    if (!e.message.empty()) out += fmt::format(", Exit Message: {}", quote(e.message));
    return out;
  }
  if (type == "Restarting") {
    const std::string in = "Task restarting in " + format_duration(nanoseconds(e.start_delay));
    return e.restart_reason.empty() || e.restart_reason == "Restart within policy" ? in : e.restart_reason + " - " + in;
  }
  if (type == "Not Restarting") return or_text(e.restart_reason, "Task exceeded restart policy");
  if (type == "Restart Signaled") return or_text(e.restart_reason, "Task signaled to restart");
  if (type == "Signaling") {
    std::string out = e.task_signal.empty() ? "Task being sent a signal" : "Task being sent signal " + e.task_signal;
    return e.task_signal_reason.empty() ? out : out + ": " + e.task_signal_reason;
  }
  if (type == "Killing") {
    if (!e.kill_reason.empty()) return e.kill_reason;
    if (e.kill_timeout.count() != 0) return fmt::format("Sent interrupt. Waiting {} before force killing", format_duration(e.kill_timeout));
    return "Sent interrupt";
  }
  if (type == "Killed") return or_text(e.kill_error, "Task successfully killed");
  if (type == "Sibling Task Failed") return e.failed_sibling.empty() ? "Task's sibling failed" : fmt::format("Task's sibling \"{}\" failed", e.failed_sibling);
  if (type == "Leader Task Dead") return "Leader Task in Group dead";
  if (type == "Main Tasks Dead") return "Main tasks in the group died";
  if (type == "Failed Restoring Task") return "failed to restore task; will not run until server is contacted";
  if (type == "Reconnected") return "Client reconnected";
  if (type == "Waiting for shutdown delay")
    return fmt::format("Waiting for shutdown_delay of {} before killing the task.", format_duration(nanoseconds(e.start_delay)));
  if (type == "Skipping shutdown delay")
    return fmt::format("Skipping shutdown_delay of {} before killing the task.", format_duration(nanoseconds(e.start_delay)));
  return e.message;
}

void append(model::TaskState& state, TaskEvent event) {
  state.events.push_back(std::move(event));
  if (state.events.size() > kept_events) state.events.erase(state.events.begin());
}

}  // namespace drover::agent::events
