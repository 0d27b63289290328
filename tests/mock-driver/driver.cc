#include "tests/mock-driver/driver.h"

#include <fcntl.h>

#include <nlohmann/json.hpp>

#include "sdk/base/file.h"
#include "sdk/base/text.h"

namespace drover::mock {

using driver::ExitResult;
using driver::task_not_found;
using std::chrono::nanoseconds;
using namespace std::chrono_literals;

struct Task {
  Task(const Executor& executor, driver::TaskConfig of, TaskOptions with) : config(std::move(of)), options(std::move(with)), killed(executor), written(executor), ended(executor) {}
  driver::TaskConfig config;
  TaskOptions options;
  std::int64_t started_at = 0, completed_at = 0;
  std::optional<ExitResult> result;
  int writers = 0;  // outputs not yet at their end; `written` is set when none is
  Event killed, written, ended;
};

namespace {

// The result a host takes for "the plugin went away": it attaches again and asks once more.
constexpr const char* plugin_is_shut_down = "plugin is shut down";

}  // namespace

MockDriver::MockDriver(Executor executor, Logger log, const Clock& clock)
    : executor_(std::move(executor)), log_(std::move(log)), clock_(clock), scope_(executor_) {}
MockDriver::~MockDriver() = default;

Async<> MockDriver::shutdown() { co_await scope_.close(); }

Async<Result<>> MockDriver::set_config(std::string msgpack, std::string) {
  auto config = decode_config(msgpack);
  if (!config) co_return fail(config.error());
  config_ = *config;
  co_return Result<>{};
}

driver::Capabilities MockDriver::capabilities() {
  return {.send_signals = true, .exec = true, .fs_isolation = config_.fs_isolation, .mount_configs = driver::MountConfigs::none};
}

Async<> MockDriver::fingerprint(Channel<driver::Fingerprint>& out) {
  const driver::Fingerprint healthy{.attributes = {{"driver.mock_driver", {true, {}}}}, .health = driver::Health::healthy, .description = "Healthy"};
  for (;;) {
    [[maybe_unused]] bool sent = co_await out.send(healthy);
    // A configuration that comes later is seen after an hour at the latest; tests set it before they ask.
    co_await sleep_for(config_.shutdown_periodically ? config_.period : nanoseconds(1h));
    if (!config_.shutdown_periodically) continue;
    sent = co_await out.send(driver::Fingerprint{.attributes = {}, .health = driver::Health::undetected, .description = "disabled"});
    co_await sleep_for(config_.pause);
  }
}

Result<std::shared_ptr<Task>> MockDriver::find(const std::string& id) const {
  const auto found = tasks_.find(id);
  if (found == tasks_.end()) return fail(task_not_found());
  return found->second;
}

Async<Result<driver::StartedTask>> MockDriver::start_task(driver::TaskConfig config) {
  const std::string id = config.id;
  if (tasks_.contains(id)) co_return fail(Code::already_exists, "task with ID \"{}\" already started", id);
  auto options = decode_task(config.driver_config);
  if (!options) co_return fail(options.error());
  if (options->start_block_for > 0ns) {
    co_await sleep_for(options->start_block_for);
    if (tasks_.contains(id)) co_return fail(Code::already_exists, "task with ID \"{}\" already started", id);
  }
  if (!options->start_error.empty()) {
    co_return fail(Error(Code::internal, options->start_error).with_recoverable(options->start_error_recoverable));
  }
  const auto task = std::make_shared<Task>(executor_, std::move(config), std::move(*options));
  task->started_at = clock_.unix_nanos();
  tasks_.emplace(id, task);
  begin(task, false);
  log_.info("task started", "task", id);
  const nlohmann::json state = {{"started_at", task->started_at}};
  co_return driver::StartedTask{
      .handle = {.version = 1, .config = task->config, .state = driver::TaskState::running, .driver_state = state.dump()},
      .network = task->options.network};
}

Async<Result<>> MockDriver::recover_task(driver::TaskHandle handle) {
  const std::string id = handle.config.id;
  if (tasks_.contains(id)) co_return Result<>{};
  auto options = decode_task(handle.config.driver_config);
  if (!options) co_return fail(options.error());
  const auto state = nlohmann::json::parse(handle.driver_state, nullptr, false);
  if (!state.is_object()) co_return fail(Code::invalid_argument, "the handle of task \"{}\" holds no state of this driver", id);
  const auto task = std::make_shared<Task>(executor_, std::move(handle.config), std::move(*options));
  task->started_at = state.value("started_at", clock_.unix_nanos());
  tasks_.emplace(id, task);
  begin(task, true);
  co_return Result<>{};
}

void MockDriver::begin(const std::shared_ptr<Task>& task, bool recovered) {
  if (!recovered) {
    // What an earlier instance of this plugin wrote is not written again.
    for (const auto& [output, path] : {std::pair(task->options.command.stdout_output, task->config.stdout_path),
                                       std::pair(task->options.command.stderr_output, task->config.stderr_path)}) {
      if (output.text.empty()) continue;
      ++task->writers;
      scope_.spawn(write(task, output, path));
    }
  }
  if (task->writers == 0) task->written.set();
  scope_.spawn(run(task, recovered));
}

Async<> MockDriver::run(std::shared_ptr<Task> task, bool recovered) {
  const TaskOptions& options = task->options;
  nanoseconds length = options.command.run_for;
  if (recovered) length = std::max(length - nanoseconds(clock_.unix_nanos() - task->started_at), nanoseconds::zero());
  const bool plugin_exits = options.plugin_exit_after > 0ns && options.plugin_exit_after < length;
  [[maybe_unused]] const bool killed = co_await task->killed.wait_for(plugin_exits ? options.plugin_exit_after : length);
  if (plugin_exits && !task->killed.is_set()) {
    task->result = ExitResult{.error = plugin_is_shut_down};
  } else {
    co_await task->written.wait();
    task->result = options.command.exit;
  }
  task->completed_at = clock_.unix_nanos();
  task->ended.set();
}

Async<> MockDriver::write(std::shared_ptr<Task> task, Output output, std::string path) {
  for (std::int64_t i = 0; i <= output.repeat && !task->killed.is_set(); ++i) {
    if (i > 0) {
      [[maybe_unused]] const bool killed = co_await task->killed.wait_for(output.pause);
      if (task->killed.is_set()) break;
    }
    auto append = [path, text = output.text]() -> Result<> {
      // Not blocking to open: without a reader a FIFO refuses, and without a log collector there is no file at all.
      const auto file = open_file(path, O_WRONLY | O_APPEND | O_NONBLOCK);
      if (!file) return fail(file.error());
      if (::fcntl(file->get(), F_SETFL, O_WRONLY | O_APPEND) != 0) return fail(Code::internal, "making {} blocking failed", path);
      return write_all(file->get(), text);
    };
    const auto written = co_await run_blocking(pool_, std::move(append));
    if (!written) {
      log_.warn("output of the task is lost", "task", task->config.id, "error", written.error().message());
      break;
    }
  }
  if (--task->writers == 0) task->written.set();
}

Async<Result<ExitResult>> MockDriver::wait_task(std::string id) {
  const auto task = find(id);
  if (!task) co_return fail(task.error());
  const auto held = *task;
  co_await held->ended.wait();
  co_return *held->result;
}

Async<Result<>> MockDriver::stop_task(std::string id, nanoseconds, std::string) {
  const auto task = find(id);
  if (!task) co_return fail(task.error());
  const auto held = *task;
  const bool ended = co_await held->ended.wait_for(held->options.kill_after);
  held->killed.set();
  if (!ended) co_await held->ended.wait();
  co_return Result<>{};
}

Async<Result<>> MockDriver::destroy_task(std::string id, bool force) {
  const auto task = find(id);
  if (!task) co_return fail(task.error());
  const auto held = *task;
  if (!held->result && !force) co_return fail(Code::conflict, "cannot destroy running task");
  held->killed.set();
  co_await held->ended.wait();
  tasks_.erase(id);
  co_return Result<>{};
}

Async<Result<driver::TaskStatus>> MockDriver::inspect_task(std::string id) {
  const auto task = find(id);
  if (!task) co_return fail(task.error());
  const Task& of = **task;
  co_return driver::TaskStatus{.id = id, .name = of.config.name, .state = of.result ? driver::TaskState::exited : driver::TaskState::running,
                               .started_at = of.started_at, .completed_at = of.completed_at, .exit_result = of.result, .network = of.options.network};
}

Async<Result<>> MockDriver::task_stats(std::string id, nanoseconds interval, Channel<driver::TaskStats>& out) {
  const auto task = find(id);
  if (!task) co_return fail(task.error());
  if (interval <= 0ns) co_return fail(Code::invalid_argument, "the collection interval is not positive");
  const auto held = *task;
  while (!held->result) {
    driver::TaskStats sample{.id = id, .timestamp = clock_.unix_nanos(), .total = {}, .by_pid = {}};
    sample.total.memory.rss = 1 << 20;
    sample.total.memory.measured = {"RSS"};
    const bool sent = co_await out.send(std::move(sample));
    if (!sent) break;
    [[maybe_unused]] const bool ended = co_await held->ended.wait_for(interval);
  }
  co_return Result<>{};
}

Async<> MockDriver::task_events(Channel<driver::TaskEvent>&) {
  for (;;) co_await sleep_for(1h);
}

Async<Result<>> MockDriver::signal_task(std::string id, std::string) {
  const auto task = find(id);
  if (!task) co_return fail(task.error());
  const std::string& error = (*task)->options.command.signal_error;
  if (!error.empty()) co_return fail(Error(Code::internal, error));
  co_return Result<>{};
}

Async<Result<driver::ExecResult>> MockDriver::exec_task(std::string id, std::vector<std::string> command, nanoseconds) {
  const auto task = find(id);
  if (!task) co_return fail(task.error());
  for (std::string& word : command) word = quote(word);
  co_return driver::ExecResult{.stdout_data = fmt::format("Exec({}, [{}])", quote((*task)->config.name), join(command, " "))};
}

Async<Result<>> MockDriver::exec_task_streaming(std::string id, driver::ExecOptions, Channel<driver::ExecInput>&, Channel<driver::ExecOutput>& output) {
  const auto task = find(id);
  if (!task) co_return fail(task.error());
  const auto held = *task;
  if (!held->options.exec_command) co_return fail(Code::invalid_argument, "no exec command is configured");
  const Command& command = *held->options.exec_command;
  for (const bool is_stdout : {true, false}) {
    const Output& what = is_stdout ? command.stdout_output : command.stderr_output;
    for (std::int64_t i = 0; !what.text.empty() && i <= what.repeat; ++i) {
      if (i > 0) co_await sleep_for(what.pause);
      driver::ExecOutput piece;
      (is_stdout ? piece.stdout_data : piece.stderr_data) = what.text;
      const bool sent = co_await output.send(std::move(piece));
      if (!sent) co_return Result<>{};
    }
  }
  co_await sleep_for(command.run_for);
  if (!command.exit.error.empty()) co_return fail(Error(Code::internal, command.exit.error));
  [[maybe_unused]] const bool sent = co_await output.send(driver::ExecOutput{.stdout_eof = true, .stderr_eof = true, .exit_code = command.exit.exit_code});
  co_return Result<>{};
}

}  // namespace drover::mock
