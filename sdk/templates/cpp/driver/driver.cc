#include "driver.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sdk/base/file.h"
#include "sdk/plugin/config.h"
#include "usage.h"

using namespace drover;
using namespace drover::driver;
using namespace std::chrono_literals;

plugin::Spec config_schema() {
  using namespace plugin;
  return object({{"state_dir", default_value(attr("state_dir", "string"), "\"/run/@name@\"")}});
}

plugin::Spec task_config_schema() {
  using namespace plugin;
  return object({{"command", attr("command", "string", true)}, {"args", attr("args", "list(string)")}});
}

// May come more than once.
Async<Result<>> TaskDriver::set_config(std::string msgpack, std::string) {
  const auto config = plugin::decode_config(msgpack);
  if (!config) co_return fail(config.error());
  state_dir_ = plugin::get_string(*config, "state_dir", state_dir_);
  co_return Result<>{};
}

// Tasks run on the host as they are: no file isolation, so no mounts.
Capabilities TaskDriver::capabilities() { return {.send_signals = true, .mount_configs = MountConfigs::none}; }

Async<> TaskDriver::fingerprint(Channel<Fingerprint>& out) {
  const auto made = make_directories(state_dir_, 0700);
  Fingerprint first{.attributes = {{"driver.@name@.version", {"0.1.0", ""}}}, .health = made ? Health::healthy : Health::unhealthy,
                    .description = made ? "Healthy" : "state_dir: " + made.error().message()};
  [[maybe_unused]] const bool sent = co_await out.send(std::move(first));
  for (;;) co_await sleep_for(1h);  // the stream stays open; send another one when something changes
}

Async<Result<StartedTask>> TaskDriver::start_task(TaskConfig config) {
  if (config.id.empty()) co_return fail(Code::invalid_argument, "the task has no id");
  if (tasks_.contains(config.id)) co_return fail(Code::already_exists, "task with ID \"{}\" already started", config.id);
  const auto options = plugin::decode_config(config.driver_config);
  if (!options) co_return fail(options.error());
  std::vector<std::string> command = plugin::get_strings(*options, "args");
  command.insert(command.begin(), plugin::get_string(*options, "command"));
  if (command.front().empty()) co_return fail(Code::invalid_argument, "command is missing");
  const auto task = tasks_[config.id] = std::make_shared<Task>(executor_, config, state_dir_);
  const auto started = co_await Task::start(task, std::move(command));
  if (!started) {
    tasks_.erase(config.id);
    co_return fail(started.error());
  }
  log_.info("task started", "task", config.id);
  co_return StartedTask{.handle = task->handle(), .network = {}};
}

// After a restart of the plugin or the agent. Must not need driver_config: a host may have lost it.
Async<Result<>> TaskDriver::recover_task(TaskHandle handle) {
  if (handle.config.id.empty() || handle.version != 1) co_return fail(Code::invalid_argument, "this is no handle of @name@");
  if (tasks_.contains(handle.config.id)) co_return Result<>{};
  const auto task = std::make_shared<Task>(executor_, handle.config, state_dir_);
  const auto recovered = Task::recover(task, handle.driver_state);
  if (recovered) tasks_[handle.config.id] = task;
  co_return recovered;
}

Async<Result<ExitResult>> TaskDriver::wait_task(std::string id) {
  const auto task = find(id);
  if (!task) co_return fail(task_not_found());
  co_await task->ended.wait();
  co_return task->result;
}

Async<Result<>> TaskDriver::stop_task(std::string id, std::chrono::nanoseconds timeout, std::string signal) {
  const auto task = find(id);
  if (!task) co_return fail(task_not_found());
  const auto stopped = co_await Task::stop(task, timeout, signal.empty() ? "SIGINT" : std::move(signal));
  co_return stopped;
}

Async<Result<>> TaskDriver::destroy_task(std::string id, bool force) {
  const auto task = find(id);
  if (!task) co_return fail(task_not_found());
  if (!task->ended.is_set() && !force) co_return fail(Code::conflict, "cannot destroy running task");
  co_await Task::destroy(task);
  tasks_.erase(id);
  co_return Result<>{};
}

Async<Result<TaskStatus>> TaskDriver::inspect_task(std::string id) {
  const auto task = find(id);
  if (!task) co_return fail(task_not_found());
  co_return task->status();
}

Async<Result<>> TaskDriver::task_stats(std::string id, std::chrono::nanoseconds interval, Channel<TaskStats>& out) {
  const auto task = find(id);
  if (!task) co_return fail(task_not_found());
  Meter meter(task->pid());
  while (!task->ended.is_set()) {
    TaskStats sample = meter.sample(id);
    const bool sent = co_await out.send(std::move(sample));
    if (!sent) break;
    [[maybe_unused]] const bool over = co_await task->ended.wait_for(interval);
  }
  co_return Result<>{};
}

Async<> TaskDriver::task_events(Channel<TaskEvent>&) {
  for (;;) co_await sleep_for(1h);
}

Async<Result<>> TaskDriver::signal_task(std::string id, std::string signal) {
  const auto task = find(id);
  if (!task) co_return fail(task_not_found());
  co_return task->signal(signal);
}

Async<Result<ExecResult>> TaskDriver::exec_task(std::string, std::vector<std::string>, std::chrono::nanoseconds) {
  co_return fail(Code::unimplemented, "ExecTask is not supported by this driver");
}

Async<Result<>> TaskDriver::exec_task_streaming(std::string, ExecOptions, Channel<ExecInput>&, Channel<ExecOutput>&) {
  co_return fail(Code::unimplemented, "ExecTask is not supported by this driver");
}

std::shared_ptr<Task> TaskDriver::find(const std::string& id) const {
  const auto found = tasks_.find(id);
  return found == tasks_.end() ? nullptr : found->second;
}
