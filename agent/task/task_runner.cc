#include "agent/task/task_runner.h"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <nlohmann/json.hpp>

#include "agent/task/events.h"
#include "agent/task/task_config.h"
#include "agent/task/task_dir.h"
#include "sdk/async/scope.h"
#include "sdk/base/text.h"
#include "sdk/base/uuid.h"

namespace drover::agent {
namespace {
constexpr std::size_t kept_events = 10;
// How long a task that is to start waits for a driver whose plugin is being started.
constexpr std::chrono::seconds start_wait{10};

bool is_start_failure(const model::TaskState& state) { return state.started_at.is_zero(); }
}  // namespace

TaskRunner::TaskRunner(TaskServices& services, std::shared_ptr<const model::Allocation> alloc, const model::TaskGroup& group,
                       const model::Task& task, TaskLocal local, std::function<void()> changed)
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
      done_(services.executor) {
  if (local_.state.state.empty()) local_.state.state = "pending";
}

void TaskRunner::allow_start() { start_allowed_.set(); }

void TaskRunner::add_event(model::TaskEvent event) {
  auto& events = local_.state.events;
  if (event.fails_task) local_.state.failed = true;
  events.push_back(std::move(event));
  if (events.size() > kept_events) events.erase(events.begin());
  notify();
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

nanoseconds TaskRunner::kill_timeout() const { return std::min<nanoseconds>(task_.kill_timeout, services_.max_kill_timeout); }

Async<> TaskRunner::store() {
  const auto stored = co_await services_.store_task(alloc_->id, task_.name, encode_task_local(local_));
  // The state database is not writable: the task goes on, and what cannot be kept is said.
  if (!stored) log_.error("storing the task's state failed; a restart of the agent may lose it", "error", stored.error());
}

void TaskRunner::finish(bool failed) {
  auto& state = local_.state;
  state.state = "dead";
  state.failed = state.failed || failed;
  state.finished_at = model::Time(now());
  local_.run_complete = true;
}

Async<> TaskRunner::run() {
  if (!local_.run_complete) {
    co_await start_allowed_.wait();
    for (;;) {
      const Ended ended = co_await run_once();
      const model::RestartPolicy fallback;
      const model::RestartPolicy& policy = task_.restart_policy ? *task_.restart_policy : group_.restart_policy ? *group_.restart_policy : fallback;
      const std::string job_type = alloc_->job ? alloc_->job->type : "service";
      const auto decision = next_restart(policy, success_stops(job_type, task_), ended.outcome, now(), services_.rng, local_.restarts);
      if (decision.kind == RestartDecision::Kind::restart) {
        restart_asked_ = false;
        if (!killed_) stop_asked_.reset();
        local_.state.state = "pending";
        ++local_.state.restarts;
        local_.state.last_restart = model::Time(now());
        local_.driver_task_id.clear();
        add_event(events::restarting(now(), decision.reason, decision.delay));
        if (!stop_asked_.is_set() && decision.delay.count() > 0) {
          [[maybe_unused]] const bool asked = co_await stop_asked_.wait_for(decision.delay);
        }
        if (!killed_) continue;
      }
      if (decision.kind == RestartDecision::Kind::not_restarting) local_.state.events.push_back(events::not_restarting(now(), decision.reason));
      if (decision.kind == RestartDecision::Kind::killed || killed_) local_.state.events.push_back(events::killed(now(), ""));
      if (auto gone = forget_secrets(alloc_dir(), task_.name); !gone) log_.warn("the task's secrets could not be removed", "error", gone.error());
      finish(decision.kind == RestartDecision::Kind::not_restarting);
      break;
    }
    co_await store();
  }
  done_.set();
  notify();
}

Async<TaskRunner::Ended> TaskRunner::run_once() {
  Ended ended;
  if (killed_ && local_.handle.empty()) {
    ended.outcome.killed = true;
    co_return ended;
  }
  auto found = co_await services_.drivers.find(task_.driver, start_wait);
  // A task that runs outlives a plugin that is slow to come back.
  while (!found && !local_.handle.empty() && !killed_) found = co_await services_.drivers.find(task_.driver, std::chrono::minutes(1));
  if (!found) {
    add_event(events::driver_failure(now(), found.error().message()));
    ended.outcome.started = false;
    ended.outcome.recoverable = found.error().recoverable();
    co_return ended;
  }
  TaskDriver& driver = **found;
  bool running = false;
  if (!local_.handle.empty()) running = co_await recover(driver);
  if (!running) {
    auto started = co_await prepare_and_start(driver);
    if (!started) {
      ended.outcome.killed = killed_;
      ended.outcome.started = false;
      ended.outcome.recoverable = started.error().recoverable();
      co_return ended;
    }
  }
  const driver::ExitResult exit = co_await wait_for_end(driver);
  stats_.reset();
  add_event(events::terminated(now(), exit.exit_code, exit.signal, exit.error, exit.oom_killed));
  ended.outcome.killed = killed_;
  ended.outcome.restart_requested = restart_asked_;
  ended.outcome.successful = exit.exit_code == 0 && exit.signal == 0 && exit.error.empty();
  // The end is stored before the driver may forget it (L-02: an exit code is never lost).
  const std::string id = local_.driver_task_id;
  local_.handle.clear();
  co_await store();
  auto destroyed = co_await driver.destroy(id, true);
  if (!destroyed && destroyed.error().code() != Code::not_found) log_.warn("the driver did not forget the task", "error", destroyed.error());
  co_return ended;
}

Async<bool> TaskRunner::recover(TaskDriver& driver) {
  auto recovered = co_await driver.recover(local_.handle);
  if (recovered) {
    if (local_.state.state != "running") {
      local_.state.state = "running";
      if (is_start_failure(local_.state)) local_.state.started_at = model::Time(now());
    }
    notify();
    co_return true;
  }
  log_.warn("the task could not be taken over and is started again", "error", recovered.error());
  [[maybe_unused]] const auto destroyed = co_await driver.destroy(local_.driver_task_id, true);
  local_.handle.clear();
  local_.driver_task_id.clear();
  co_return false;
}

Async<Result<>> TaskRunner::prepare_and_start(TaskDriver& driver) {
  const std::string dir = alloc_dir();
  add_event(events::task_setup(now(), "Building Task Directory"));
  auto built = build_task_dir(dir, task_.name, task_.resources ? task_.resources->secrets_mb : 0);
  if (built && !built->on_disk_because.empty()) log_.warn("the task's secrets are kept on disk", "reason", built->on_disk_because);
  if (auto settings = write_log_settings(dir, task_.name, task_.log_config.get()); built && !settings) built = fail(settings.error());
  if (!built) {
    add_event(events::setup_failure(now(), fmt::format("failed to build task directory for \"{}\": {}", task_.name, built.error().message()), false));
    co_return fail(built.error());
  }
  const auto node = services_.node();
  const driver::Capabilities capabilities = driver.capabilities();
  const bool own_root = capabilities.fs_isolation == driver::FsIsolation::chroot || capabilities.fs_isolation == driver::FsIsolation::image;
  const std::string task_dir = dir + "/" + task_.name;
  EnvironmentInput input{.alloc = *alloc_, .group = group_, .task = task_, .node = *node, .region = services_.region};
  input.alloc_dir = own_root ? "/alloc" : dir + "/alloc";
  input.task_dir = own_root ? "/local" : task_dir + "/local";
  input.secrets_dir = own_root ? "/secrets" : task_dir + "/secrets";
  if (capabilities.fs_isolation != driver::FsIsolation::image) input.host = services_.host_environment;
  Environment environment = build_environment(input);
  auto encoded = driver.encode_config(task_.config.is_null() ? "{}" : task_.config.json().dump(), config_variables_json(environment, *node, services_.region));
  if (!encoded) {
    add_event(events::failed_validation(now(), fmt::format("failed to decode driver config: {}", encoded.error().message())));
    co_return fail(encoded.error());
  }
  // A stored id without a handle: an earlier agent died between StartTask and its answer. What it may have started is ended,
  // so that the task runs once.
  if (!local_.driver_task_id.empty() && !is_start_failure(local_.state)) {
    [[maybe_unused]] const auto destroyed = co_await driver.destroy(local_.driver_task_id, true);
    local_.driver_task_id.clear();
  }
  if (local_.driver_task_id.empty()) {
    local_.driver_task_id = fmt::format("{}/{}/{}", alloc_->id, task_.name, make_uuid().substr(0, 8));
    co_await store();
  }
  if (killed_) co_return fail(Code::cancelled, "the task was killed before it started");
  driver::TaskConfig config = make_task_config({.alloc = *alloc_, .group = group_, .task = task_, .node = *node,
                                                .driver_task_id = local_.driver_task_id, .alloc_dir = dir,
                                                .driver_config = std::move(*encoded), .environment = std::move(environment)});
  auto started = co_await driver.start(std::move(config));
  if (!started && started.error().code() == Code::unavailable) {
    // The plugin died under the call: whether it started anything is not known, so that is ended first.
    const bool ready = co_await driver.wait_ready(std::chrono::seconds(30));
    if (ready) [[maybe_unused]] const auto destroyed = co_await driver.destroy(local_.driver_task_id, true);
  }
  if (!started) {
    add_event(events::driver_failure(now(), fmt::format("rpc error: {}", started.error().message())));
    local_.driver_task_id.clear();
    co_return fail(started.error());
  }
  local_.handle = std::move(started->handle);
  local_.state.state = "running";
  local_.state.started_at = model::Time(now());
  local_.state.events.push_back(events::started(now()));
  if (local_.state.events.size() > kept_events) local_.state.events.erase(local_.state.events.begin());
  co_await store();
  notify();
  co_return Result<>{};
}

Async<driver::ExitResult> TaskRunner::wait_for_end(TaskDriver& driver) {
  Scope side(services_.executor);
  side.spawn(stop_when_asked(driver));
  side.spawn(sample_stats(driver));
  driver::ExitResult out;
  for (;;) {
    auto ended = co_await driver.wait(local_.driver_task_id);
    if (ended) {
      out = std::move(*ended);
      break;
    }
    if (ended.error().code() != Code::unavailable) {
      out.exit_code = -1;
      out.error = ended.error().message();
      break;
    }
    // The plugin went away; the task did not. F-23: wait for the next instance and take the task over.
    log_.warn("the driver plugin went away; waiting for its next instance", "driver", task_.driver);
    bool recovered = false;
    while (!recovered) {
      const bool ready = co_await driver.wait_ready(std::chrono::minutes(5));
      if (!ready) continue;
      auto taken = co_await driver.recover(local_.handle);
      if (taken) recovered = true;
      else if (taken.error().code() != Code::unavailable) break;
    }
    if (!recovered) {
      out.exit_code = -1;
      out.error = "the driver plugin could not take the task over";
      break;
    }
  }
  co_await side.close();
  co_return out;
}

Async<> TaskRunner::stop_when_asked(TaskDriver& driver) {
  co_await stop_asked_.wait();
  if (killed_ && task_.shutdown_delay.count() > 0) {
    add_event(events::shutdown_delay(now(), task_.shutdown_delay, skip_shutdown_delay_));
    if (!skip_shutdown_delay_) co_await sleep_for(task_.shutdown_delay);
  }
  const nanoseconds timeout = kill_timeout();
  if (killed_) add_event(events::killing(now(), timeout, ""));
  nanoseconds pause = std::chrono::seconds(5);
  for (int attempt = 0; attempt < 5; ++attempt, pause = std::min<nanoseconds>(pause * 4, std::chrono::minutes(2))) {
    auto stopped = co_await driver.stop(local_.driver_task_id, timeout, task_.kill_signal);
    if (stopped || stopped.error().code() == Code::not_found) co_return;
    log_.error("stopping the task failed", "attempt", attempt + 1, "error", stopped.error());
    co_await sleep_for(pause);
  }
  add_event(events::killed(now(), "Resources may have been leaked"));
}

namespace {
Async<> keep_latest(Channel<driver::TaskStats>& samples, std::optional<driver::TaskStats>& out) {
  for (;;) {
    auto sample = co_await samples.receive();
    if (!sample) co_return;
    out = std::move(*sample);
  }
}
}  // namespace

Async<> TaskRunner::sample_stats(TaskDriver& driver) {
  using namespace asio::experimental::awaitable_operators;
  for (;;) {
    Channel<driver::TaskStats> samples(services_.executor, 4);
    auto both = driver.stats(local_.driver_task_id, services_.stats_interval, samples) || keep_latest(samples, stats_);
    [[maybe_unused]] const auto ended = co_await std::move(both);
    co_await sleep_for(std::chrono::seconds(5));
  }
}

}  // namespace drover::agent
