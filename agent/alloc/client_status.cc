#include "agent/alloc/client_status.h"

namespace drover::agent {

ClientStatus client_status(const model::Map<model::TaskState>& tasks) {
  bool running = false;
  bool pending = false;
  for (const auto& [name, state] : tasks) {
    if (state.state == "dead" && state.failed) return {"failed", "Failed tasks"};
    running = running || state.state == "running";
    pending = pending || state.state == "pending";
  }
  if (running) return {"running", "Tasks are running"};
  if (pending || tasks.empty()) return {"pending", "No tasks have started"};
  return {"complete", "All tasks have completed"};
}

bool is_terminal_client_status(std::string_view status) { return status == "complete" || status == "failed" || status == "lost"; }

}  // namespace drover::agent
