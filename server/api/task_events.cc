#include "server/api/task_events.h"

#include <algorithm>

#include "sdk/base/text.h"

namespace drover::api {
namespace {

using model::TaskEvent;

std::string first(const std::string& own, std::string_view otherwise) { return own.empty() ? std::string(otherwise) : own; }

std::string terminated(const TaskEvent& event) {
  std::string out = fmt::format("Exit Code: {}", event.exit_code);
  if (event.signal != 0) out += fmt::format(", Signal: {}", event.signal);
  if (!event.message.empty()) out += fmt::format(", Exit Message: {}", quote(event.message));
  return out;
}

std::string restarting(const TaskEvent& event) {
  const std::string in = "Task restarting in " + format_duration(std::chrono::nanoseconds(event.start_delay));
  if (event.restart_reason.empty() || event.restart_reason == "Restart within policy") return in;
  return event.restart_reason + " - " + in;
}

std::string signaling(const TaskEvent& event) {
  std::string out = event.task_signal.empty() ? "Task being sent a signal" : "Task being sent signal " + event.task_signal;
  if (!event.task_signal_reason.empty()) out += ": " + event.task_signal_reason;
  return out;
}

std::string killing(const TaskEvent& event) {
  if (!event.kill_reason.empty()) return event.kill_reason;
  if (event.kill_timeout.count() == 0) return "Sent interrupt";
  return fmt::format("Sent interrupt. Waiting {} before force killing", format_duration(event.kill_timeout));
}

bool lacks_message(const model::Map<model::TaskState>& states) {
  return std::ranges::any_of(states, [](const auto& entry) {
    return std::ranges::any_of(entry.second.events, [](const TaskEvent& event) { return event.display_message.empty(); });
  });
}

void fill(model::Map<model::TaskState>& states) {
  for (auto& [name, state] : states) {
    for (auto& event : state.events) {
      if (event.display_message.empty()) event.display_message = display_message(event);
    }
  }
}

}  // namespace

std::string display_message(const TaskEvent& event) {
  const std::string& type = event.type;
  if (type == "Received") return "Task received by client";
  if (type == "Started") return "Task started by client";
  if (type == "Terminated") return terminated(event);
  if (type == "Restarting") return restarting(event);
  if (type == "Not Restarting") return first(event.restart_reason, "Task exceeded restart policy");
  if (type == "Restart Signaled") return first(event.restart_reason, "Task signaled to restart");
  if (type == "Signaling") return signaling(event);
  if (type == "Killing") return killing(event);
  if (type == "Killed") return first(event.kill_error, "Task successfully killed");
  if (type == "Setup Failure") return first(event.setup_error, "Task setup failed");
  if (type == "Failed Validation") return first(event.validation_error, "Validation of task failed");
  if (type == "Driver") return event.driver_message;
  if (type == "Driver Failure") return first(event.driver_error, "Failed to start task");
  if (type == "Downloading Artifacts") return "Client is downloading artifacts";
  if (type == "Failed Artifact Download") return first(event.download_error, "Failed to download artifacts");
  if (type == "Sibling Task Failed") {
    return event.failed_sibling.empty() ? "Task's sibling failed" : fmt::format("Task's sibling {} failed", quote(event.failed_sibling));
  }
  if (type == "Leader Task Dead") return "Leader Task in Group dead";
  if (type == "Main Tasks Dead") return "Main tasks in the group died";
  return event.message;
}

void show_messages(model::List<model::AllocListStub>& stubs) {
  for (auto& stub : stubs) {
    if (!stub.task_states || !lacks_message(*stub.task_states)) continue;
    auto copy = std::make_shared<model::Map<model::TaskState>>(*stub.task_states);
    fill(*copy);
    stub.task_states = std::move(copy);
  }
}

void show_messages(std::shared_ptr<const model::Allocation>& alloc) {
  if (!alloc || !lacks_message(alloc->task_states)) return;
  auto copy = std::make_shared<model::Allocation>(*alloc);
  fill(copy->task_states);
  alloc = std::move(copy);
}

}  // namespace drover::api
