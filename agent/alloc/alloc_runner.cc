#include "agent/alloc/alloc_runner.h"

#include <algorithm>

#include "agent/alloc/client_status.h"
#include "agent/alloc/health.h"
#include "agent/task/events.h"
#include "agent/task/task_dir.h"
#include "lib/model/codec.h"
#include "sdk/base/fail_point.h"
#include "sdk/base/uuid.h"

namespace drover::agent {
namespace {
const model::TaskGroup* find_group(const model::Allocation& alloc) {
  if (!alloc.job) return nullptr;
  for (const auto& group : alloc.job->task_groups) {
    if (group.name == alloc.task_group) return &group;
  }
  return nullptr;
}

bool wants_stop(const model::Allocation& alloc) { return alloc.desired_status == "stop" || alloc.desired_status == "evict"; }

bool is_sidecar(const model::Task& task) {
  const Stage stage = stage_of(task);
  return stage == Stage::prestart_sidecar || stage == Stage::poststart_sidecar;
}
}  // namespace

AllocRunner::AllocRunner(AllocServices& services, std::shared_ptr<const model::Allocation> alloc, std::map<std::string, TaskLocal> restored,
                         bool may_run_already)
    : services_(services),
      alloc_(std::move(alloc)),
      group_(find_group(*alloc_)),
      restored_(std::move(restored)),
      may_run_already_(may_run_already),
      log_(services.tasks.log.named("alloc_runner").with("alloc_id", alloc_->id)),
      scope_(services.tasks.executor),
      changed_(services.tasks.executor),
      reckoning_(services.tasks.clock) {}

AllocRunner::~AllocRunner() = default;

std::string AllocRunner::directory() const { return services_.tasks.alloc_root + "/" + alloc_->id; }

TaskRunner* AllocRunner::task(std::string_view name) {
  for (const auto& runner : tasks_) {
    if (runner->task().name == name) return runner.get();
  }
  return nullptr;
}

std::vector<LifecycleTask> AllocRunner::lifecycle_view() const {
  std::vector<LifecycleTask> out;
  for (const auto& runner : tasks_) {
    const auto& state = runner->state();
    out.push_back({stage_of(runner->task()), state.state, state.failed, !state.started_at.is_zero()});
  }
  return out;
}

Async<Result<>> AllocRunner::prepare() {
  if (group_ == nullptr) co_return fail(Code::invalid_argument, "job has no task group \"{}\"", alloc_->task_group);
  std::map<std::string, std::string> first_records;
  for (const auto& task : group_->tasks) {
    TaskLocal local;
    bool may_run = may_run_already_;
    if (const auto at = restored_.find(task.name); at != restored_.end()) {
      local = at->second;
      // No handle: the earlier agent may have died between StartTask and its answer, or this is not the newest record.
      may_run = local.handle.empty() && !local.run_complete;
    } else {
      local.driver_task_id = fmt::format("{}/{}/{}", alloc_->id, task.name, make_uuid().substr(0, 8));
      local.state.state = "pending";
      local.state.events.push_back(events::received(services_.tasks.clock.unix_nanos()));
      first_records[task.name] = encode_task_local(local);
    }
    tasks_.push_back(std::make_unique<TaskRunner>(services_.tasks, alloc_, *group_, task, std::move(local), may_run, [this] { task_changed(); }));
  }
  fail_point("alloc.received");
  if (!first_records.empty()) {
    std::string bytes = model::to_msgpack(*alloc_);
    auto stored = co_await services_.store_alloc(alloc_->id, std::move(bytes), std::move(first_records));
    if (!stored) co_return fail(stored.error(), "storing the allocation");
  }
  fail_point("alloc.stored");
  co_return build_alloc_dir(directory());
}

void AllocRunner::fail_setup(const Error& error) {
  log_.error("the allocation could not be set up", "error", error);
  for (const auto& runner : tasks_) {
    runner->kill(events::setup_failure(services_.tasks.clock.unix_nanos(), fmt::format("failed to setup alloc: {}", error.message()), true), true);
  }
}

Async<> AllocRunner::run() {
  watched_since_ = reckoning_.now();
  auto prepared = co_await prepare();
  if (!prepared) fail_setup(prepared.error());
  services_.changed(alloc_->id);
  for (const auto& runner : tasks_) scope_.spawn(run_task(*runner));
  const auto rules = prepared ? health_rules(*group_, !alloc_->deployment_id.empty(), alloc_->job->type) : std::nullopt;
  if (rules) scope_.spawn(watch_health(*rules));
  co_await coordinate();
  fail_point("alloc.ended");
  terminal_since_ = reckoning_.now();
  services_.changed(alloc_->id);
}

Async<> AllocRunner::run_task(TaskRunner& runner) { co_await runner.run(); }

void AllocRunner::task_changed() {
  changed_.notify_all();
  services_.changed(alloc_->id);
}

// Reacts to every change of a task's state until all have run for the last time.
Async<> AllocRunner::coordinate() {
  for (;;) {
    if (wants_stop(*alloc_) && !killing_) {
      killing_ = true;
      scope_.spawn(kill_all({}, nullptr));
    }
    const auto view = lifecycle_view();
    lifecycle_ = advance(lifecycle_, view);
    for (std::size_t i = 0; i < tasks_.size(); ++i) {
      if (may_start(lifecycle_, view[i].stage)) tasks_[i]->allow_start();
    }
    if (!killing_) {
      const UnixNanos now = services_.tasks.clock.unix_nanos();
      for (const auto& runner : tasks_) {
        if (runner->state().state != "dead" || stage_of(runner->task()) == Stage::poststop) continue;
        const bool failed = runner->state().failed;
        if (!failed && !runner->task().leader) continue;
        killing_ = true;
        scope_.spawn(kill_all(failed ? events::sibling_failed(now, runner->task().name) : events::leader_dead(now), runner.get()));
        break;
      }
      if (!killing_ && only_sidecars_left(view)) {
        killing_ = true;
        scope_.spawn(kill_all(events::main_tasks_dead(now), nullptr));
      }
    }
    const bool all_done = std::all_of(tasks_.begin(), tasks_.end(), [](const auto& runner) { return runner->done(); });
    if (all_done) co_return;
    co_await changed_.wait();
  }
}

namespace {
Async<> stop_task(TaskRunner& runner, model::TaskEvent why) { co_await runner.kill_and_wait(std::move(why), false); }
}  // namespace

// The leader first, then the others side by side, then sidecars; poststop tasks run afterwards.
Async<> AllocRunner::kill_all(model::TaskEvent why, TaskRunner* except) {
  for (const auto& runner : tasks_) {
    if (runner.get() != except && runner->task().leader) co_await runner->kill_and_wait(why, false);
  }
  for (const bool sidecars : {false, true}) {
    Scope wave(services_.tasks.executor);
    for (const auto& runner : tasks_) {
      if (runner.get() == except || runner->task().leader || stage_of(runner->task()) == Stage::poststop) continue;
      if (is_sidecar(runner->task()) == sidecars) wave.spawn(stop_task(*runner, why));
    }
    co_await wave.join();
  }
}

Async<> AllocRunner::watch_health(HealthRules rules) {
  if (alloc_->deployment_status && alloc_->deployment_status->healthy.has_value()) co_return;
  for (;;) {
    model::Map<model::TaskState> states;
    for (const auto& runner : tasks_) {
      auto& state = states[runner->task().name] = runner->state();
      if (state.state != "running") continue;
      state.started_at = model::Time(runner->up_since());
      state.last_restart = {};
    }
    const UnixNanos now = reckoning_.now();
    const Health health = health_of(*group_, rules, states, watched_since_, now);
    if (health.healthy) {
      healthy_ = health.healthy;
      healthy_at_ = services_.tasks.clock.unix_nanos();
      services_.changed(alloc_->id);
      co_return;
    }
    [[maybe_unused]] const bool changed = co_await changed_.wait_for(nanoseconds(std::max<UnixNanos>(health.again_at - now, 1'000'000)));
  }
}

void AllocRunner::update(std::shared_ptr<const model::Allocation> alloc) {
  alloc_ = std::move(alloc);
  for (const auto& runner : tasks_) runner->update(alloc_);
  changed_.notify_all();
}

void AllocRunner::restart(const std::string& name, bool all) {
  for (const auto& runner : tasks_) {
    if (!name.empty() && runner->task().name != name) continue;
    if (all || runner->state().state == "running") runner->restart("User requested running tasks to restart");
  }
}

Async<> AllocRunner::destroy() {
  if (!terminal()) {
    killing_ = true;
    co_await kill_all({}, nullptr);
  }
  co_await scope_.close();
  fail_point("alloc.removing");
  auto removed = co_await services_.remove_directory(directory());
  fail_point("alloc.removed");
  if (!removed) log_.error("the allocation's directory could not be removed", "error", removed.error());
  auto forgotten = co_await services_.forget_alloc(alloc_->id);
  if (!forgotten) log_.error("the allocation's records could not be removed", "error", forgotten.error());
}

Async<> AllocRunner::detach() { co_await scope_.close(); }

bool AllocRunner::terminal() const { return terminal_since_ != 0; }

std::shared_ptr<const model::Allocation> AllocRunner::client_update() const {
  auto out = std::make_shared<model::Allocation>();
  out->id = alloc_->id;
  out->namespace_ = alloc_->namespace_;
  out->job_id = alloc_->job_id;
  out->node_id = alloc_->node_id;
  out->task_group = alloc_->task_group;
  out->task_states.allocate();
  for (const auto& runner : tasks_) out->task_states[runner->task().name] = runner->state();
  const ClientStatus status = client_status(out->task_states);
  out->client_status = status.status;
  out->client_description = status.description;
  if (healthy_) {
    out->deployment_status.ensure() = alloc_->deployment_status ? *alloc_->deployment_status : model::AllocDeploymentStatus{};
    out->deployment_status->healthy = healthy_;
    out->deployment_status->timestamp = model::Time(healthy_at_);
  }
  return out;
}

}  // namespace drover::agent
