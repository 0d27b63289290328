#include "sdk/testkit/plain_driver.h"

#include <nlohmann/json.hpp>

#include "sdk/base/clock.h"
#include "sdk/base/text.h"
#include "sdk/plugin/config.h"

namespace drover::testkit {
using namespace driver;
using namespace std::chrono_literals;

struct PlainDriver::Task {
  explicit Task(const Executor& executor) : ended(executor), scope(executor) {}
  TaskConfig config;
  std::int64_t began = 0, completed = 0;
  std::optional<ExitResult> result;
  Event ended;
  Scope scope;
  void finish(ExitResult value) {
    if (result) return;
    result = std::move(value);
    completed = system_clock().unix_nanos();
    ended.set();
  }
};

plugin::Spec PlainDriver::task_config_schema() {
  using namespace plugin;
  return object({{"run_for", default_value(attr("run_for", "string"), "\"0s\"")}, {"exit_code", default_value(attr("exit_code", "number"), "0")}});
}

Async<Result<>> PlainDriver::set_config(std::string, std::string) { co_return Result<>{}; }

Capabilities PlainDriver::capabilities() { return {.send_signals = true, .exec = true, .network_isolation_modes = {NetIsolation::host, NetIsolation::group}}; }

Async<> PlainDriver::fingerprint(Channel<Fingerprint>& out) {
  Fingerprint first{.attributes = {{fmt::format("driver.{}.version", name_), {"1.0.0", ""}}}, .health = Health::healthy, .description = "Healthy"};
  [[maybe_unused]] const bool sent = co_await out.send(std::move(first));
  for (;;) co_await sleep_for(24h);
}

Result<PlainDriver::TaskPtr> PlainDriver::find(const std::string& id) const {
  const auto found = tasks_.find(id);
  if (found == tasks_.end()) return fail(task_not_found());
  return found->second;
}

Async<> PlainDriver::run(TaskPtr task, std::chrono::nanoseconds left, int exit_code) {
  co_await sleep_for(left);
  task->finish({.exit_code = exit_code});
}

void PlainDriver::begin(TaskConfig config, std::int64_t began, std::chrono::nanoseconds run_for, int exit_code) {
  const auto task = std::make_shared<Task>(executor_);
  task->config = std::move(config);
  task->began = began;
  const std::chrono::nanoseconds passed(system_clock().unix_nanos() - began);
  task->scope.spawn(run(task, std::max<std::chrono::nanoseconds>(run_for - passed, 0ns), exit_code));
  tasks_[task->config.id] = task;
}

Async<Result<StartedTask>> PlainDriver::start_task(TaskConfig config) {
  if (tasks_.contains(config.id)) co_return fail(Code::already_exists, "task with ID \"{}\" already started", config.id);
  const auto options = plugin::decode_config(config.driver_config);
  if (!options) co_return fail(options.error());
  const auto run_for = parse_duration(plugin::get_string(*options, "run_for", "0s"));
  if (!run_for) co_return fail(run_for.error(), "run_for");
  const auto exit_code = static_cast<int>(plugin::get_int(*options, "exit_code"));
  const std::int64_t began = system_clock().unix_nanos();
  const nlohmann::json state = {{"began", began}, {"run_for", run_for->count()}, {"exit_code", exit_code}};
  begin(config, began, *run_for, exit_code);
  co_return StartedTask{.handle = {.version = 1, .config = std::move(config), .state = TaskState::running, .driver_state = state.dump()}, .network = {}};
}

Async<Result<>> PlainDriver::recover_task(TaskHandle handle) {
  if (tasks_.contains(handle.config.id)) co_return Result<>{};
  const auto state = nlohmann::json::parse(handle.driver_state, nullptr, false);
  if (!state.is_object() || !state.contains("began")) co_return fail(task_not_found());
  begin(std::move(handle.config), state.value("began", std::int64_t{0}), std::chrono::nanoseconds(state.value("run_for", std::int64_t{0})), state.value("exit_code", 0));
  co_return Result<>{};
}

Async<Result<ExitResult>> PlainDriver::wait_task(std::string id) {
  const auto task = find(id);
  if (!task) co_return fail(task.error());
  co_await (*task)->ended.wait();
  co_return *(*task)->result;
}

Async<Result<>> PlainDriver::stop_task(std::string id, std::chrono::nanoseconds, std::string) {
  const auto task = find(id);
  if (!task) co_return fail(task.error());
  (*task)->finish({.exit_code = 143, .signal = 15});
  co_return Result<>{};
}

Async<Result<>> PlainDriver::destroy_task(std::string id, bool force) {
  const auto task = find(id);
  if (!task) co_return fail(task.error());
  if (!force && !(*task)->result) co_return fail(Code::conflict, "cannot destroy running task");
  (*task)->finish({.exit_code = 137, .signal = 9});
  tasks_.erase(id);
  co_await (*task)->scope.close();
  co_return Result<>{};
}

Async<Result<TaskStatus>> PlainDriver::inspect_task(std::string id) {
  const auto task = find(id);
  if (!task) co_return fail(task.error());
  co_return TaskStatus{.id = id, .name = (*task)->config.name, .state = (*task)->result ? TaskState::exited : TaskState::running,
                       .started_at = (*task)->began, .completed_at = (*task)->completed, .exit_result = (*task)->result};
}

Async<Result<>> PlainDriver::task_stats(std::string id, std::chrono::nanoseconds interval, Channel<TaskStats>& out) {
  for (;;) {
    const auto task = find(id);
    if (!task) co_return fail(task.error());
    TaskStats sample{.id = id, .timestamp = system_clock().unix_nanos(), .total = {.cpu = {.percent = 1, .measured = {"Percent"}}}};
    const bool sent = co_await out.send(std::move(sample));
    if (!sent) co_return Result<>{};
    co_await sleep_for(interval);
  }
}

Async<> PlainDriver::task_events(Channel<TaskEvent>&) {
  for (;;) co_await sleep_for(24h);
}

Async<Result<>> PlainDriver::signal_task(std::string id, std::string) {
  const auto task = find(id);
  if (!task) co_return fail(task.error());
  co_return Result<>{};
}

Async<Result<ExecResult>> PlainDriver::exec_task(std::string id, std::vector<std::string> command, std::chrono::nanoseconds) {
  const auto task = find(id);
  if (!task) co_return fail(task.error());
  co_return ExecResult{.stdout_data = join(command, " ") + "\n", .exit = {.exit_code = 0}};
}

Async<Result<>> PlainDriver::exec_task_streaming(std::string id, ExecOptions, Channel<ExecInput>& input, Channel<ExecOutput>& output) {
  const auto task = find(id);
  if (!task) co_return fail(task.error());
  for (bool more = true; more;) {  // an echo
    auto piece = co_await input.receive();
    more = piece && !piece->stdin_eof;
    ExecOutput echo{.stdout_data = piece ? std::move(piece->stdin_data) : std::string(), .stdout_eof = !more, .stderr_eof = !more};
    [[maybe_unused]] const bool sent = co_await output.send(std::move(echo));
  }
  [[maybe_unused]] const bool sent = co_await output.send(ExecOutput{.exit_code = 0});
  co_return Result<>{};
}

}  // namespace drover::testkit
