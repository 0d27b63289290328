#include "agent/task/task_runner.h"

#include "agent/task/events.h"
#include "agent/task/task_dir.h"
#include "sdk/base/fail_point.h"

namespace drover::agent {
namespace {
constexpr std::size_t kept_events = 10;
// How long a task that is to start waits for a driver whose plugin is being started.
constexpr std::chrono::seconds start_wait{10};
// How long the end of a task waits for a plugin that is down; its record then stays for the next agent to remove.
constexpr std::chrono::minutes forget_wait{1};
}  // namespace

TaskRunner::TaskRunner(TaskServices& services, std::shared_ptr<const model::Allocation> alloc, const model::TaskGroup& group,
                       const model::Task& task, TaskLocal local, bool may_run_already, std::function<void()> changed)
    : services_(services),
      alloc_(std::move(alloc)),
      job_(alloc_->job),
      group_(group),
      task_(task),
      local_(std::move(local)),
      changed_(std::move(changed)),
      log_(services.log.named("task_runner").with("alloc_id", alloc_->id).with("task", task.name)),
      start_allowed_(services.executor),
      stop_asked_(services.executor),
      done_(services.executor),
      may_run_already_(may_run_already),
      reckoning_(services.clock) {
  if (local_.state.state.empty()) local_.state.state = "pending";
  shown_ = local_.state;
  // An earlier agent was stopping the task: this one goes on with that, and knows whose doing the end is (F-03).
  restart_asked_ = local_.stopping == "restart";
  killed_ = local_.stopping == "kill";
  skip_shutdown_delay_ = killed_;
  if (killed_) start_allowed_.set();
  if (killed_ || restart_asked_) stop_asked_.set();
}

void TaskRunner::allow_start() { start_allowed_.set(); }

void TaskRunner::notify() {
  if (!unstored_) shown_ = local_.state;
  changed_();
}

void TaskRunner::push_event(model::TaskEvent event) {
  auto& events = local_.state.events;
  if (event.fails_task) local_.state.failed = true;
  events.push_back(std::move(event));
  if (events.size() > kept_events) events.erase(events.begin());
}

void TaskRunner::add_event(model::TaskEvent event) {
  push_event(std::move(event));
  notify();
}

metrics::Labels TaskRunner::metric_labels() const {
  metrics::Labels out{{"job", alloc_->job_id}, {"task_group", alloc_->task_group}, {"alloc_id", alloc_->id}, {"task", task_.name}, {"namespace", alloc_->namespace_}};
  const std::string& parent = job_->parent_id;
  if (parent.empty()) return out;
  out.emplace_back("parent_id", parent);
  for (const auto& [mark, label] : {std::pair{"/dispatch-", "dispatch_id"}, std::pair{"/periodic-", "periodic_id"}}) {
    if (const auto at = job_->id.find(mark); at != std::string::npos) out.emplace_back(label, job_->id.substr(at + std::string_view(mark).size()));
  }
  return out;
}

void TaskRunner::count(std::string_view metric) const {
  if (services_.meter) services_.meter.count(metric, 1, metric_labels());
}

void TaskRunner::kill(model::TaskEvent why, bool skip_shutdown_delay) {
  if (killed_ || local_.run_complete) return;
  killed_ = true;
  skip_shutdown_delay_ = skip_shutdown_delay;
  if (!why.type.empty()) add_event(std::move(why));
  stop_asked_.set();
  start_allowed_.set();
}

Async<> TaskRunner::kill_and_wait(model::TaskEvent why, bool skip_shutdown_delay) {
  kill(std::move(why), skip_shutdown_delay);
  co_await done_.wait();
}

bool TaskRunner::restart(std::string reason) {
  if (local_.state.state != "running" || killed_) return false;
  restart_asked_ = true;
  add_event(events::restart_signaled(now(), std::move(reason)));
  stop_asked_.set();
  return true;
}

Async<Result<>> TaskRunner::signal(std::string name, std::string reason) {
  if (local_.state.state != "running") co_return fail(Code::conflict, "Task not running");
  auto driver = co_await services_.drivers.find(task_.driver, {});
  if (!driver) co_return fail(driver.error());
  add_event(events::signaling(now(), name, std::move(reason)));
  auto sent = co_await (*driver)->signal(local_.driver_task_id, std::move(name));
  co_return sent;
}

Async<Result<>> TaskRunner::exec(driver::ExecOptions options, Channel<driver::ExecInput>& input, Channel<driver::ExecOutput>& output) {
  if (local_.state.state != "running" || local_.handle.empty()) {
    co_return fail(Error(Code::conflict, fmt::format("task \"{}\" is not running.", task_.name)).with_http_status(400));
  }
  std::string id = local_.driver_task_id;
  auto driver = co_await services_.drivers.find(task_.driver, {});
  if (!driver) co_return fail(driver.error());
  auto ended = co_await (*driver)->exec(std::move(id), std::move(options), input, output);
  co_return ended;
}

nanoseconds TaskRunner::kill_timeout() const { return std::min<nanoseconds>(task_.kill_timeout, services_.max_kill_timeout); }

Async<> TaskRunner::store() {
  const auto stored = co_await services_.store_task(alloc_->id, task_.name, encode_task_local(local_));
  // The state database is not writable: the task goes on, and what cannot be kept is said.
  if (!stored) log_.error("storing the task's state failed; a restart of the agent may lose it", "error", stored.error());
}

Async<> TaskRunner::run() {
  co_await let_driver_forget();
  if (!local_.run_complete) {
    if (local_.holds_devices) hold_devices();
    // What may be running is looked after whatever its turn is.
    if (local_.handle.empty()) co_await start_allowed_.wait();
    for (bool again = true; again;) {
      // The agent that planned the pause may have seen another date: none is longer than its policy makes it.
      const nanoseconds delay = std::min<nanoseconds>(nanoseconds(local_.restart_at - reckoning_.now()), longest_pause(restart_policy()));
      if (local_.restart_at != 0 && delay.count() > 0) [[maybe_unused]] const bool asked = co_await stop_asked_.wait_for(delay);
      local_.restart_at = 0;
      const TaskOutcome outcome = co_await run_once();
      // The end is stored with what follows from it, so that it is told once and a restart counted once (L-02, L-03).
      unstored_ = true;
      again = runs_again(outcome);
      if (!again) forget_secret_files();
      co_await store();
      unstored_ = false;
      notify();
      fail_point("task.end_stored");
      co_await let_driver_forget();
    }
  }
  co_await let_devices_go();
  done_.set();
  notify();
}

Async<TaskOutcome> TaskRunner::run_once() {
  TaskOutcome outcome;
  const bool may_run = !local_.handle.empty() || may_run_already_;
  outcome.killed = killed_ && !may_run;
  if (outcome.killed) co_return outcome;
  auto found = co_await services_.drivers.find(task_.driver, start_wait);
  // A task that runs outlives a plugin that is slow to come back, and is not called stopped while nobody can stop it.
  while (!found && may_run && !(killed_ && found.error().code() == Code::not_found)) {
    found = co_await services_.drivers.find(task_.driver, std::chrono::minutes(1));
  }
  if (!found) {
    add_event(events::driver_failure(now(), found.error().message()));
    outcome.killed = killed_;
    outcome.started = false;
    outcome.recoverable = found.error().recoverable();
    co_return outcome;
  }
  TaskDriver& driver = **found;
  bool running = false;
  if (!local_.handle.empty()) running = co_await recover(driver);
  if (!running) {
    const auto started = co_await prepare_and_start(driver);
    outcome.started = started.has_value();
    if (!started) {
      outcome.killed = killed_;
      outcome.recoverable = started.error().recoverable();
      co_return outcome;
    }
  }
  const driver::ExitResult exit = co_await wait_for_end(driver);
  fail_point("task.ended");
  stats_.reset();
  local_.ended = true;
  push_event(events::terminated(now(), exit.exit_code, exit.signal, exit.error, exit.oom_killed));
  if (exit.oom_killed) count("client.allocs.oom_killed");
  outcome.killed = killed_;
  outcome.restart_requested = restart_asked_;
  outcome.successful = exit.exit_code == 0 && exit.signal == 0 && exit.error.empty();
  co_return outcome;
}

void TaskRunner::forget_secret_files() {
  if (auto gone = forget_secrets(alloc_dir(), task_.name); !gone) log_.warn("the task's secrets could not be removed", "error", gone.error());
}

const model::RestartPolicy& TaskRunner::restart_policy() const {
  static const model::RestartPolicy fallback;
  return task_.restart_policy ? *task_.restart_policy : group_.restart_policy ? *group_.restart_policy : fallback;
}

// What follows from an end, in local_.
bool TaskRunner::runs_again(const TaskOutcome& outcome) {
  using Kind = RestartDecision::Kind;
  const std::string job_type = alloc_->job ? alloc_->job->type : "service";
  const auto decision = next_restart(restart_policy(), success_stops(job_type, task_), outcome, reckoning_.now(), services_.rng, local_.restarts);
  auto& state = local_.state;
  local_.stopping.clear();
  if (decision.kind == Kind::restart && !killed_) {
    restart_asked_ = false;
    stop_asked_.reset();
    state.state = "pending";
    ++state.restarts;
    state.last_restart = model::Time(now());
    if (decision.delay.count() > 0) local_.restart_at = reckoning_.now() + decision.delay.count();
    if (!local_.ended) local_.driver_task_id.clear();
    push_event(events::restarting(now(), decision.reason, decision.delay));
    count("client.allocs.restart");
    return true;
  }
  if (decision.kind == Kind::not_restarting) push_event(events::not_restarting(now(), decision.reason));
  if (decision.kind == Kind::killed || killed_) push_event(events::killed(now(), ""));
  state.state = "dead";
  state.failed = state.failed || decision.kind == Kind::not_restarting;
  state.finished_at = model::Time(now());
  local_.run_complete = true;
  count(state.failed ? "client.allocs.failed" : "client.allocs.complete");
  return false;
}

// Stored first, done after: an agent that dies between finds `ended` and does it again.
Async<> TaskRunner::let_driver_forget() {
  if (!local_.ended) co_return;
  auto found = co_await services_.drivers.find(task_.driver, start_wait);
  Result<> left = found ? Result<>{} : fail(found.error());
  for (bool recovered = false; found;) {
    TaskDriver& driver = **found;
    left = co_await driver.destroy(local_.driver_task_id, true);
    if (left) break;
    if (left.error().code() == Code::unavailable) {
      const bool ready = co_await driver.wait_ready(forget_wait);
      if (!ready) break;
    } else if (left.error().code() != Code::not_found || recovered) {
      break;
    }
    // A new instance does not know the task until it is told.
    const auto taken = co_await driver.recover(local_.handle);
    recovered = taken.has_value();
    if (!taken && taken.error().code() != Code::unavailable) {
      left = {};
      break;
    }
  }
  if (!left && left.error().code() != Code::not_found) log_.warn("the driver did not forget the task", "error", left.error());
  if (services_.release_logs) co_await services_.release_logs(alloc_dir(), task_.name);
  fail_point("task.destroyed");
  local_.ended = false;
  local_.handle.clear();
  local_.driver_task_id.clear();
}

}  // namespace drover::agent
