#include "sdk/executor/executor_driver.h"

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <thread>
#include <nlohmann/json.hpp>

#include "sdk/executor/delegated_scope.h"
#include "sdk/executor/users.h"
#include "sdk/base/fail_point.h"
#include "sdk/base/file.h"

namespace drover {
namespace {

using namespace std::chrono_literals;
using driver::task_not_found;

constexpr auto fingerprint_interval = 30s;
constexpr std::int64_t scope_age_seconds = 300;
constexpr std::size_t max_events = 256;
// After SIGKILL: longer than that is a process stuck in the kernel, which the caller should hear of.
constexpr auto kill_limit = 15s;
constexpr auto turn_limit = 5s;
constexpr std::int32_t handle_version = 1;

// Zombies keep a cgroup busy until their parent, the executor or init, has reaped them: at once mostly, seldom after long. What is
// still there after some five seconds is the sweep's.
Async<> remove_cgroup(CgroupHost host, std::string path) {
  auto pause = 1ms;
  while (!remove_scope(host, path) && pause < 4s) {
    co_await sleep_for(pause);
    pause *= 2;
  }
}

std::size_t most_starts() { return std::max<std::size_t>(8, 2 * std::thread::hardware_concurrency()); }

std::string mebibytes(std::uint64_t bytes) { return fmt::format("{} MiB", (bytes + (1u << 19)) >> 20); }

// L-18: never told as stopped; its cgroup and its record stay.
Error unkillable_error(const std::string& name, const ExecutorStatus& status) {
  const std::string where = unkillable(task_processes(status.cgroup, status.executor_pid));
  return {Code::deadline_exceeded, fmt::format("task \"{}\" did not end within {} s after SIGKILL: {}", name, kill_limit.count(),
                                               where.empty() ? "its executor has not told its end" : "unkillable, " + where)};
}

driver::TaskEvent out_of_memory(const driver::TaskConfig& config, const ExecutorStatus& status) {
  driver::TaskEvent out;
  out.task_id = config.id;
  out.alloc_id = config.alloc_id;
  out.task_name = config.name;
  out.timestamp = status.ended_at;
  out.message = "OOM Killed";
  if (status.memory_limit != 0) out.message += fmt::format(": its limit is {}", mebibytes(status.memory_limit));
  if (status.memory_peak != 0) {
    out.message += fmt::format("{} it had {} at most", status.memory_limit != 0 ? "," : ":", mebibytes(status.memory_peak));
    out.annotations["memory_peak_bytes"] = std::to_string(status.memory_peak);
  }
  if (status.memory_limit != 0) out.annotations["memory_limit_bytes"] = std::to_string(status.memory_limit);
  return out;
}

// The executor has no environment: a point of its own travels in the launch spec.
executor::FailPoint armed_executor_point() {
  using executor::FailPoint;
  static constexpr std::pair<const char*, FailPoint> points[] = {
      {"executor.before_record", FailPoint::before_record},           {"executor.after_record", FailPoint::after_record},
      {"executor.after_clone", FailPoint::after_clone},               {"executor.after_exec", FailPoint::after_exec},
      {"executor.while_running", FailPoint::while_running},           {"executor.before_exit_record", FailPoint::before_exit_record},
      {"executor.before_exit_sync", FailPoint::before_exit_sync}, {"executor.after_exit_record", FailPoint::after_exit_record}};
  for (const auto& [name, point] : points) {
    if (take_fail_point(name)) return point;
  }
  return FailPoint::none;
}

std::string value_of(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

}  // namespace

ExecutorHost executor_host_from_environment() {
  ExecutorHost out;
  out.executor_path = value_of("DROVER_EXECUTOR");
  if (out.executor_path.empty()) {
    std::error_code error;
    const auto own = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
    const auto beside = own / "drover-executor";
    const auto above = own.parent_path() / "drover-executor";
    out.executor_path = std::filesystem::exists(beside, error) ? beside : std::filesystem::exists(above, error) ? above : std::filesystem::path(DROVER_INSTALLED_EXECUTOR);
  }
  const std::string state = value_of("DROVER_STATE_DIR");
  out.state_dir = state.empty() ? "/var/lib/drover/executor" : state + "/executor";
  return out;
}

ExecutorDriver::ExecutorDriver(Executor loop, Logger log, ExecutorHost host, const Clock& clock)
    : loop_(loop), log_(std::move(log)), host_(std::move(host)), binary_(host_.executor_path), clock_(clock), starts_(loop, most_starts()), scope_(loop), has_events_(loop), has_tasks_(std::move(loop)) {}

ExecutorDriver::~ExecutorDriver() = default;

Async<> ExecutorDriver::close() { co_await scope_.close(); }

void ExecutorDriver::look_at_cgroups() {
  cgroups_ = inspect_cgroups();
  if (delegated_root_.empty()) return;
  cgroups_.slice = delegated_root_;
  cgroups_.suffix.clear();
}

Result<> ExecutorDriver::choose_cgroup_layout(const std::string& mode) {
  delegated_root_.clear();
  look_at_cgroups();
  if (mode.empty() || mode == "compat") return {};
  if (mode != "delegated") return fail(Code::invalid_argument, "cgroup_mode must be \"compat\" or \"delegated\", got \"{}\"", mode);
  if (cgroups_.mode != CgroupMode::unified) return fail(Code::unavailable, "cgroup_mode = \"delegated\": {}", cgroup_complaint(cgroups_));
  auto scope = delegated_scope(cgroups_.mount);
  if (!scope) return fail(std::move(scope).error());
  delegated_root_ = std::move(*scope);
  look_at_cgroups();
  return {};
}

Async<Result<>> ExecutorDriver::make_files(driver::TaskConfig) { co_return Result<>{}; }

Result<std::shared_ptr<ExecutorDriver::Task>> ExecutorDriver::find(const std::string& id) {
  const auto at = tasks_.find(id);
  if (at == tasks_.end() || !at->second->running) return fail(task_not_found());
  return at->second;
}

driver::TaskHandle ExecutorDriver::handle_of(const Task& task) const {
  driver::TaskHandle out;
  out.version = handle_version;
  out.config = task.config;
  out.state = task.running->ended() ? driver::TaskState::exited : driver::TaskState::running;
  const nlohmann::json state = {{"version", 1}, {"pid", task.running->status().pid}, {"made_cgroup", task.made_cgroup}};
  out.driver_state = state.dump();
  return out;
}

std::shared_ptr<ExecutorDriver::Task> ExecutorDriver::reserve(driver::TaskConfig config) {
  auto task = std::make_shared<Task>(loop_, std::move(config));
  tasks_.emplace(task->config.id, task);
  return task;
}

Async<> ExecutorDriver::settle(std::shared_ptr<Task> task, Async<Result<>> work) {
  auto outcome = co_await std::move(work);
  task->outcome = std::move(outcome);
  if (!task->outcome) tasks_.erase(task->config.id);
  task->settled.set();
  has_tasks_.notify_all();
}

bool ExecutorDriver::is_known(const std::string& state_path) const {
  for (const auto& [id, task] : tasks_) {
    if ((task->running ? task->running->state_path() : state_directory(host_.state_dir, id).path) == state_path) return true;
  }
  return false;
}

Async<Result<driver::StartedTask>> ExecutorDriver::start_task(driver::TaskConfig config) {
  if (config.id.empty()) co_return fail(Code::invalid_argument, "the task has no id");
  if (tasks_.contains(config.id)) co_return fail(Code::already_exists, "task with ID \"{}\" already started", config.id);
  fail_point("driver.start.asked");
  const auto task = reserve(std::move(config));
  scope_.spawn(settle(task, launch(task)));
  co_await task->settled.wait();
  if (!task->outcome) co_return fail(task->outcome.error());
  log_.debug("task started", "id", task->config.id, "pid", task->running->status().pid);
  fail_point("driver.start.runs");
  co_return driver::StartedTask{handle_of(*task), task->network};
}

// Where many tasks are started at once, each has the processors to itself sooner, and the host its answers, when they take turns.
Async<> ExecutorDriver::hold_turn(std::shared_ptr<Task> task, Permits::Held) {
  // One whose file system hangs must not keep the others waiting.
  [[maybe_unused]] const bool started = co_await task->settled.wait_for(turn_limit);
}

Async<Result<>> ExecutorDriver::launch(std::shared_ptr<Task> own) {
  Task& task = *own;
  const auto place = state_directory(host_.state_dir, task.config.id);
  if (::access(place.slot.c_str(), F_OK) == 0) co_await clear_slot(scope_, place.slot, [this](const std::string& path) { return is_known(path); });
  auto files = co_await make_files(task.config);
  if (!files) co_return fail(std::move(files).error());
  auto turn = co_await starts_.take();
  scope_.spawn(hold_turn(own, std::move(turn)));
  auto prepared = prepare(task.config);
  if (!prepared) co_return fail(std::move(prepared).error());
  prepared->launch.id = task.config.id;
  prepared->launch.fail_point = armed_executor_point();
  if (prepared->made_cgroup) task.made_cgroup = prepared->launch.cgroup;
  task.network = prepared->network;
  fail_point("driver.start.prepared");
  const auto held = std::move(prepared->held);
  auto started = co_await ExecutorTask::start(scope_, binary_.runnable(), place.path, std::move(prepared->launch));
  if (!started) {
    if (!task.made_cgroup.empty()) co_await remove_cgroup(cgroups_, task.made_cgroup);
    co_return fail(started.error(), "starting task \"{}\"", task.config.name);
  }
  task.running = std::move(*started);
  co_return Result<>{};
}

Async<Result<>> ExecutorDriver::recover_task(driver::TaskHandle handle) {
  if (handle.config.id.empty()) co_return fail(Code::invalid_argument, "the handle has no task id");
  fail_point("driver.recover.asked");
  const auto known = tasks_.find(handle.config.id);
  std::shared_ptr<Task> task = known == tasks_.end() ? nullptr : known->second;
  if (!task) {
    task = reserve(std::move(handle.config));
    scope_.spawn(settle(task, take_over(*task, std::move(handle.driver_state))));
  }
  co_await task->settled.wait();
  fail_point("driver.recover.done");
  co_return task->outcome;
}

// When the start that the handle names is not here, any start of the task will do, under the id that the host uses: it died
// within a start, or lost what it had stored last (F-02, F-38).
Async<Result<>> ExecutorDriver::take_over(Task& task, std::string driver_state) {
  const auto place = state_directory(host_.state_dir, task.config.id);
  auto adopted = co_await ExecutorTask::adopt(scope_, place.path);
  const auto slot = [](const std::string& id) { return id.substr(0, id.rfind('/')); };
  for (const auto& [id, other] : tasks_) {
    if (adopted || other.get() == &task || slot(id) != slot(task.config.id)) continue;
    // In our hands already, under the id of that time.
    const auto known = other;
    co_await known->settled.wait();
    if (!known->outcome) break;
    task.running = known->running;
    task.made_cgroup = known->made_cgroup;
    tasks_.erase(known->config.id);
    co_return Result<>{};
  }
  if (!adopted) adopted = co_await adopt_slot(scope_, place.slot, [this](const std::string& path) { return is_known(path); });
  const std::string scope = scope_name(task.config.alloc_id, task.config.name);
  if (!adopted) {
    // A start that came no further than its cgroup; one with processes in it stays.
    for (const bool reserves : {false, true}) ::rmdir(scope_path(cgroups_, scope, reserves).c_str());
    co_return fail(adopted.error(), "recovering task \"{}\"", task.config.name);
  }
  const ExecutorStatus& status = (*adopted)->status();
  if (slot(status.id) != slot(task.config.id)) {
    co_return fail(Code::not_found, "recovering task \"{}\": its state is another task's", task.config.name);
  }
  const auto state = nlohmann::json::parse(driver_state, nullptr, false);
  if (state.is_object()) task.made_cgroup = state.value("made_cgroup", "");
  else if (status.cgroup.ends_with("/" + scope)) task.made_cgroup = status.cgroup;
  task.running = std::move(*adopted);
  co_return Result<>{};
}

Async<Result<driver::ExitResult>> ExecutorDriver::wait_task(std::string id) {
  const auto task = find(id);
  if (!task) co_return fail(task.error());
  const auto running = (*task)->running;
  const bool seen_before = running->ended();
  co_await running->wait();
  if (running->status().exit.oom_killed && !seen_before) tell(out_of_memory((*task)->config, running->status()));
  co_return running->status().exit;
}

Async<Result<>> ExecutorDriver::stop_task(std::string id, std::chrono::nanoseconds timeout, std::string signal) {
  const auto task = find(id);
  if (!task) co_return fail(task.error());
  const auto number = parse_signal(signal, SIGINT);
  if (!number) co_return fail(number.error());
  const auto running = (*task)->running;
  auto grace = std::chrono::ceil<std::chrono::milliseconds>(std::max(timeout, 0ns));
  fail_point("driver.stop.asked");
  if (grace > 0ms) {
    const bool asked = co_await ask_to_end((*task)->config);
    if (asked) {
      const bool obeyed = co_await running->wait_for(grace);
      if (obeyed) co_return Result<>{};
      grace = 0ms;
    }
  }
  DROVER_CO_TRY(running->stop(grace.count() == 0 ? SIGKILL : *number, grace));
  fail_point("driver.stop.sent");
  const bool ended = co_await running->wait_for(grace + kill_limit);
  if (!ended) co_return fail(unkillable_error((*task)->config.name, running->status()));
  fail_point("driver.stop.ended");
  co_return Result<>{};
}

Async<Result<>> ExecutorDriver::destroy_task(std::string id, bool force) {
  const auto task = find(id);
  if (!task) co_return fail(task.error());
  const auto running = (*task)->running;
  const std::string cgroup = (*task)->made_cgroup;
  if (!running->ended()) {
    if (!force) co_return fail(Code::conflict, "cannot destroy running task");
    DROVER_CO_TRY(running->stop(SIGKILL, 0ms));
    const bool ended = co_await running->wait_for(kill_limit);
    if (!ended) co_return fail(unkillable_error((*task)->config.name, running->status()));
  }
  fail_point("driver.destroy.ended");
  // The record goes last: until then whoever comes after us finds the task, and its cgroup by it (L-17).
  if (!cgroup.empty()) co_await remove_cgroup(cgroups_, cgroup);
  fail_point("driver.destroy.cgroup_removed");
  running->reap();
  told_.erase(id);
  tasks_.erase(id);
  fail_point("driver.destroy.done");
  co_return Result<>{};
}

Async<Result<driver::TaskStatus>> ExecutorDriver::inspect_task(std::string id) {
  const auto task = find(id);
  if (!task) co_return fail(task.error());
  const ExecutorStatus& status = (*task)->running->status();
  driver::TaskStatus out;
  out.id = id;
  out.name = (*task)->config.name;
  out.started_at = status.started_at;
  out.state = driver::TaskState::running;
  out.driver_attributes = {{"pid", std::to_string(status.pid)}};
  if ((*task)->running->ended()) {
    out.state = driver::TaskState::exited;
    out.completed_at = status.ended_at;
    out.exit_result = status.exit;
  }
  co_return out;
}

void ExecutorDriver::tell(driver::TaskEvent event) {
  // Several waits of one task see its end; it is told once, and to nobody when nobody listens.
  if (!told_.insert(event.task_id).second) return;
  if (events_.size() < max_events) events_.push_back(std::move(event));
  has_events_.notify_all();
}

Async<> ExecutorDriver::task_events(Channel<driver::TaskEvent>& out) {
  for (;;) {
    while (events_.empty()) co_await has_events_.wait();
    auto event = std::move(events_.front());
    events_.pop_front();
    const bool sent = co_await out.send(std::move(event));
    if (!sent) co_return;
  }
}

Async<Result<>> ExecutorDriver::signal_task(std::string id, std::string signal) {
  const auto task = find(id);
  if (!task) co_return fail(task.error());
  if (signal.empty()) co_return fail(Code::invalid_argument, "no signal given: use a name such as SIGHUP");
  const auto number = parse_signal(signal, 0);
  if (!number) co_return fail(number.error());
  co_return (*task)->running->signal(*number);
}

Async<Result<driver::ExecResult>> ExecutorDriver::exec_task(std::string id, std::vector<std::string> command, std::chrono::nanoseconds timeout) {
  const auto task = find(id);
  if (!task) co_return fail(task.error());
  if (command.empty()) co_return fail(Code::invalid_argument, "no command to execute");
  auto spec = session_of((*task)->config);
  spec.arguments = std::move(command);
  const auto running = (*task)->running;
  auto result = co_await run_exec(running, std::move(spec), timeout);
  co_return result;
}

Async<Result<>> ExecutorDriver::exec_task_streaming(std::string id, driver::ExecOptions options, Channel<driver::ExecInput>& input,
                                                    Channel<driver::ExecOutput>& output) {
  const auto task = find(id);
  if (!task) co_return fail(task.error());
  if (options.command.empty()) co_return fail(Code::invalid_argument, "no command to execute");
  auto spec = session_of((*task)->config);
  spec.arguments = std::move(options.command);
  spec.terminal = options.tty;
  const auto running = (*task)->running;
  auto result = co_await stream_exec(running, std::move(spec), input, output);
  co_return result;
}

driver::Fingerprint ExecutorDriver::health() {
  auto out = facts();
  if (out.health != driver::Health::healthy) return out;
  const std::string& path = host_.executor_path;
  const bool missing = ::access(path.c_str(), F_OK) != 0;
  if (!missing && ::access(path.c_str(), X_OK) == 0) return out;
  out.health = driver::Health::unhealthy;
  out.description = missing ? fmt::format("\"{}\" is missing: install it there, or name it in DROVER_EXECUTOR", path)
                            : fmt::format("\"{}\" is not executable: chmod 0755 it", path);
  return out;
}

Async<bool> ExecutorDriver::ask_to_end(driver::TaskConfig) { co_return false; }

Async<> ExecutorDriver::gather() { co_return; }

Async<> ExecutorDriver::fingerprint(Channel<driver::Fingerprint>& out) {
  std::optional<driver::Fingerprint> last;
  for (;;) {
    co_await gather();
    look_at_cgroups();
    for (const auto& scope : sweep_scopes(cgroups_, clock_.unix_nanos() / 1'000'000'000, scope_age_seconds)) {
      log_.info("removed a cgroup that nobody uses", "path", scope);
    }
    auto now = health();
    if (!last || !(*last == now)) {
      last = now;
      const bool sent = co_await out.send(std::move(now));
      if (!sent) co_return;
    }
    co_await sleep_for(fingerprint_interval);
  }
}

}  // namespace drover
