#include "agent/client/ops.h"

#include "agent/client/usage.h"

namespace drover::agent {
namespace {
Unexpected unknown_alloc(std::string_view id) { return fail(Code::not_found, "Unknown allocation \"{}\"", id); }
Unexpected unknown_task(std::string_view task) { return fail(Code::not_found, "could not find task runner for task: {}", task); }
}  // namespace

std::string LocalClientOps::node_id() const { return client_.node()->id; }

Result<std::string> LocalClientOps::alloc_directory(std::string_view alloc_id) const {
  const AllocRunner* runner = client_.alloc(alloc_id);
  if (runner == nullptr) return unknown_alloc(alloc_id);
  return runner->directory();
}

TaskPresence LocalClientOps::task_presence(std::string_view alloc_id, std::string_view task) const {
  AllocRunner* runner = client_.alloc(alloc_id);
  const TaskRunner* found = runner == nullptr ? nullptr : runner->task(task);
  if (found == nullptr) return TaskPresence::unknown;
  return found->state().started_at.is_zero() ? TaskPresence::not_started : TaskPresence::started;
}

Async<Result<model::AllocResourceUsage>> LocalClientOps::alloc_stats(std::string alloc_id, std::string task) {
  AllocRunner* runner = client_.alloc(alloc_id);
  if (runner == nullptr) co_return unknown_alloc(alloc_id);
  co_return alloc_usage(*runner, task);
}

Async<Result<>> LocalClientOps::restart_alloc(std::string alloc_id, std::string task, bool all) {
  AllocRunner* runner = client_.alloc(alloc_id);
  if (runner == nullptr) co_return unknown_alloc(alloc_id);
  if (!task.empty()) {
    const TaskRunner* found = runner->task(task);
    if (found == nullptr) co_return unknown_task(task);
    if (found->state().state != "running") co_return fail(Code::conflict, "Task not running");
  }
  runner->restart(task, all);
  co_return Result<>{};
}

Async<Result<>> LocalClientOps::signal_alloc(std::string alloc_id, std::string task, std::string signal) {
  AllocRunner* runner = client_.alloc(alloc_id);
  if (runner == nullptr) co_return unknown_alloc(alloc_id);
  if (!task.empty() && runner->task(task) == nullptr) co_return unknown_task(task);
  for (const auto& each : runner->tasks()) {
    if (task.empty() ? each->state().state != "running" : each->task().name != task) continue;
    auto sent = co_await each->signal(signal, "User request");
    if (!sent) co_return sent;
  }
  co_return Result<>{};
}

Async<Result<>> LocalClientOps::collect_alloc(std::string alloc_id) {
  if (!client_.collect(alloc_id)) co_return unknown_alloc(alloc_id);
  co_return Result<>{};
}

Async<> LocalClientOps::collect_all() {
  client_.collect_all();
  co_return;
}

Async<Result<model::HostStats>> LocalClientOps::host_stats() { co_return client_.host_stats(); }

}  // namespace drover::agent
