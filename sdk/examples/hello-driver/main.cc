// A complete task driver: its "tasks" print a greeting into the task's stdout, then sleep for as long as the job says.
//
//   task "hi" { driver = "hello"  config { greeting = "good morning"  seconds = 3 } }
#include <fcntl.h>

#include <map>
#include <nlohmann/json.hpp>

#include "sdk/async/scope.h"
#include "sdk/base/clock.h"
#include "sdk/base/file.h"
#include "sdk/driver/serve.h"
#include "sdk/plugin/config.h"
namespace {
using namespace drover;
using namespace drover::driver;
using namespace std::chrono_literals;

struct Task {
  explicit Task(const Executor& executor) : scope(executor), exited(executor) {}
  TaskConfig config;
  std::int64_t started_at = 0, completed_at = 0;
  std::optional<ExitResult> result;
  Scope scope; Event exited;
};

class HelloDriver final : public Driver {
 public:
  HelloDriver(Executor executor, Logger log) : executor_(std::move(executor)), log_(std::move(log)) {}

  Async<Result<>> set_config(std::string msgpack, std::string) override {
    const auto config = plugin::decode_config(msgpack);
    if (!config) co_return fail(config.error());
    shout_ = plugin::get_bool(*config, "shout");
    co_return Result<>{};
  }
  Capabilities capabilities() override { return {.send_signals = false, .exec = true}; }
  Async<> fingerprint(Channel<Fingerprint>& out) override {
    Fingerprint first{.attributes = {{"driver.hello.version", {"0.1.0", ""}}}, .health = Health::healthy, .description = "Healthy"};
    [[maybe_unused]] const bool sent = co_await out.send(std::move(first));
    for (;;) co_await sleep_for(1h);
  }
  Async<Result<StartedTask>> start_task(TaskConfig config) override {
    if (tasks_.contains(config.id)) co_return fail(Code::already_exists, "task with ID \"{}\" already started", config.id);
    const auto options = plugin::decode_config(config.driver_config);
    if (!options) co_return fail(options.error());
    std::string line = plugin::get_string(*options, "greeting");
    if (line.empty()) co_return fail(Error(Code::invalid_argument, "an empty greeting greets nobody").with_recoverable());
    const auto file = open_file(config.stdout_path, O_WRONLY | O_APPEND);
    if (!file) co_return fail(file.error());
    line += shout_ ? "!\n" : "\n";
    DROVER_CO_TRY(write_all(file->get(), line));
    begin(config, std::chrono::seconds(plugin::get_int(*options, "seconds")));
    log_.info("task started", "task", config.id);
    co_return StartedTask{.handle = {.version = 1, .config = config, .state = TaskState::running, .driver_state = "hello"}, .network = {}};
  }
  Async<Result<>> recover_task(TaskHandle handle) override {
    if (handle.driver_state != "hello") co_return fail(task_not_found());  // not a handle that start_task gave
    if (!tasks_.contains(handle.config.id)) begin(handle.config, 0s);
    co_return Result<>{};
  }
  Async<Result<ExitResult>> wait_task(std::string id) override {
    const auto task = find(id);
    if (!task) co_return fail(task_not_found());
    co_await task->exited.wait();
    co_return *task->result;
  }
  Async<Result<>> stop_task(std::string id, std::chrono::nanoseconds, std::string) override {
    const auto task = find(id);
    if (!task) co_return fail(task_not_found());
    co_await task->scope.close();
    finish(*task, {.exit_code = 130, .signal = 2});
    co_return Result<>{};
  }
  Async<Result<>> destroy_task(std::string id, bool force) override {
    const auto task = find(id);
    if (!task) co_return fail(task_not_found());
    if (!force && !task->result) co_return fail(Code::conflict, "cannot destroy running task");
    co_await task->scope.close();
    tasks_.erase(id);
    co_return Result<>{};
  }
  Async<Result<TaskStatus>> inspect_task(std::string id) override {
    const auto task = find(id);
    if (!task) co_return fail(task_not_found());
    co_return TaskStatus{.id = id, .name = task->config.name, .state = task->result ? TaskState::exited : TaskState::running,
                         .started_at = task->started_at, .completed_at = task->completed_at, .exit_result = task->result};
  }
  Async<Result<>> task_stats(std::string id, std::chrono::nanoseconds interval, Channel<TaskStats>& out) override {
    for (;;) {
      if (!find(id)) co_return fail(task_not_found());
      TaskStats sample{.id = id, .timestamp = system_clock().unix_nanos(), .total = {.cpu = {.percent = 1, .measured = {"Percent"}}}};
      const bool sent = co_await out.send(std::move(sample));
      if (!sent) co_return Result<>{};
      co_await sleep_for(interval);
    }
  }
  Async<> task_events(Channel<TaskEvent>&) override {
    for (;;) co_await sleep_for(1h);
  }
  Async<Result<>> signal_task(std::string, std::string) override { co_return fail(Code::unimplemented, "SignalTask is not supported by this driver"); }
  Async<Result<ExecResult>> exec_task(std::string id, std::vector<std::string> command, std::chrono::nanoseconds) override {
    if (!find(id)) co_return fail(task_not_found());
    co_return ExecResult{.stdout_data = command.empty() ? "" : command.front(), .exit = {.exit_code = 3}};
  }
  Async<Result<>> exec_task_streaming(std::string id, ExecOptions, Channel<ExecInput>& input, Channel<ExecOutput>& output) override {
    if (!find(id)) co_return fail(task_not_found());
    for (bool more = true; more;) {  // an echo, until the end of standard input
      auto piece = co_await input.receive();
      more = piece && !piece->stdin_eof;
      ExecOutput echo{.stdout_data = piece ? std::move(piece->stdin_data) : std::string(), .stdout_eof = !more, .stderr_eof = !more};
      [[maybe_unused]] const bool sent = co_await output.send(std::move(echo));
    }
    [[maybe_unused]] const bool sent = co_await output.send(ExecOutput{.exit_code = 4});
    co_return Result<>{};
  }
 private:
  std::shared_ptr<Task> find(const std::string& id) {
    const auto found = tasks_.find(id);
    return found == tasks_.end() ? nullptr : found->second;
  }
  void begin(const TaskConfig& config, std::chrono::nanoseconds length) {
    const auto task = tasks_.emplace(config.id, std::make_shared<Task>(executor_)).first->second;
    task->config = config;
    task->started_at = system_clock().unix_nanos();
    task->scope.spawn(run(*task, length));
  }
  static Async<> run(Task& task, std::chrono::nanoseconds length) { co_await sleep_for(length); finish(task, {}); }
  static void finish(Task& task, ExitResult result) {
    if (task.result) return;
    task.result = std::move(result);
    task.completed_at = system_clock().unix_nanos();
    task.exited.set();
  }

  Executor executor_;
  Logger log_;
  bool shout_ = false;
  std::map<std::string, std::shared_ptr<Task>> tasks_;
};
}  // namespace

int main(int argc, char** argv) {
  using namespace drover::plugin;
  const Spec agent = object({{"shout", default_value(attr("shout", "bool"), "false")}});
  const Spec task = object({{"greeting", attr("greeting", "string", true)}, {"seconds", default_value(attr("seconds", "number"), "0")}});
  return serve_driver(argc, argv, {.name = "hello", .version = "0.1.0", .config_schema = agent, .task_config_schema = task},
                      [](Executor executor, Logger log) { return std::make_unique<HelloDriver>(std::move(executor), std::move(log)); });
}
