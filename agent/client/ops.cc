#include "agent/client/ops.h"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "agent/client/plugin_facts.h"
#include "agent/client/usage.h"
#include "sdk/driver/client.h"

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
  auto usage = alloc_usage(*runner, task);
  const auto devices = client_.plugin_manager().device_stats();
  const auto& resources = runner->alloc().allocated_resources;
  for (auto& [name, of_task] : usage.tasks) {
    const auto* held = resources ? resources->tasks.get(name) : nullptr;
    if (held == nullptr || held->devices.empty()) continue;
    of_task.resource_usage.ensure().device_stats = device_stats(devices, &held->devices);
    for (const auto& group : of_task.resource_usage->device_stats) usage.resource_usage.ensure().device_stats.push_back(group);
  }
  co_return usage;
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

Result<std::vector<std::string>> LocalClientOps::action_command(std::string_view alloc_id, std::string_view task, std::string_view action) const {
  AllocRunner* runner = client_.alloc(alloc_id);
  if (runner == nullptr) return unknown_alloc(alloc_id);
  const TaskRunner* found = runner->task(task);
  if (found == nullptr) return fail(Error(Code::internal, "task not found"));
  for (const auto& one : found->task().actions) {
    if (one.name != action) continue;
    std::vector<std::string> out{one.command};
    out.insert(out.end(), one.args.begin(), one.args.end());
    return out;
  }
  return fail(Error(Code::not_found, fmt::format("action {} not found in task {}", action, task)).with_http_status(404));
}

namespace {
constexpr std::size_t exec_queue = 8;
constexpr std::int32_t killed_code = 128 + 9;
constexpr std::chrono::milliseconds end_delay{150};

bool runs(Client& client, const std::string& alloc_id, const std::string& task) {
  AllocRunner* runner = client.alloc(alloc_id);
  const TaskRunner* found = runner == nullptr ? nullptr : runner->task(task);
  return found != nullptr && found->state().state == "running" && !found->stopping();
}

// Passes the session's output on. A command that was killed may have been because its task ends, which is told a moment later;
// the session has then no exit code.
Async<> pass_output(Client& client, std::string alloc_id, std::string task, Channel<driver::ExecOutput>& from, Channel<driver::ExecOutput>& to, bool& ended) {
  for (;;) {
    auto value = co_await from.receive();
    if (!value) co_return;
    if (value->exit_code == killed_code) {
      if (runs(client, alloc_id, task)) co_await sleep_for(end_delay);
      ended = !runs(client, alloc_id, task);
      if (ended) co_return;
    }
    const bool taken = co_await to.send(std::move(*value));
    if (taken) continue;
    from.close();
    co_return;
  }
}

Async<> exec_and_keep(TaskRunner& runner, driver::ExecOptions options, Channel<driver::ExecInput>& input, Channel<driver::ExecOutput>& output, Result<>& result) {
  result = co_await runner.exec(std::move(options), input, output);
  output.close();
}
}  // namespace

Async<Result<>> LocalClientOps::exec_task(std::string alloc_id, std::string task, driver::ExecOptions options, Channel<driver::ExecInput>& input,
                                          Channel<driver::ExecOutput>& output) {
  AllocRunner* runner = client_.alloc(alloc_id);
  if (runner == nullptr) co_return unknown_alloc(alloc_id);
  TaskRunner* found = runner->task(task);
  if (found == nullptr) co_return fail(Code::internal, "task not found");
  Channel<driver::ExecOutput> from_driver(co_await asio::this_coro::executor, exec_queue);
  Result<> done;
  bool ended = false;
  using namespace asio::experimental::awaitable_operators;
  auto both = exec_and_keep(*found, std::move(options), input, from_driver, done) && pass_output(client_, alloc_id, task, from_driver, output, ended);
  co_await std::move(both);
  output.close();
  if (done && !ended) co_return Result<>{};
  if (!done && done.error().http_status() != 0) co_return done;
  if (ended || !runs(client_, alloc_id, task)) co_return fail(Error(Code::unavailable, "plugin is shut down").with_http_status(500));
  co_return fail(Error(done.error().code(), driver::rpc_text(done.error())));
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

std::vector<model::AgentPlugin> LocalClientOps::plugins() const { return client_.plugins(); }
pluginhost::PluginLogRing* LocalClientOps::plugin_log(std::string_view name) const { return client_.plugin_manager().log_of(std::string(name)); }
Result<> LocalClientOps::reset_plugin(std::string_view name) { return client_.plugin_manager().reset(std::string(name)); }

}  // namespace drover::agent
