#include "server/leader/leader.h"

#include <algorithm>

#include "sdk/base/uuid.h"

namespace drover {
namespace {
constexpr std::size_t cancel_batch = 728;
constexpr std::chrono::minutes sweep_interval{1};
}  // namespace

Leader::Leader(const Executor& executor, fsm::Writer& writer, fsm::Fsm& fsm, const Clock& clock, LeaderOptions options, Logger log)
    : executor_(executor),
      writer_(writer),
      fsm_(fsm),
      clock_(clock),
      options_(std::move(options)),
      log_(std::move(log)),
      rng_(options_.seed),
      scope_(executor),
      ready_(executor),
      timer_changed_(executor),
      garbage_(options_.gc),
      past_(clock.unix_nanos(), clock.monotonic()),
      broker_(clock, rng_),
      blocked_(clock, [this](state::EvalPtr eval) { broker_.enqueue(std::move(eval), true); }),
      applier_(executor, scope_, writer, fsm, broker_, clock, options_.fits, log_.named("plan_applier"), options_.meter),
      heartbeats_(options_.heartbeats, rng_),
      deployments_(executor, scope_, writer, fsm, clock, rng_, options_.job_tracked_versions, log_.named("deployments")),
      drainer_(executor, scope_, writer, fsm, clock, rng_, log_.named("drainer")),
      periodic_(scope_, writer, fsm, clock, rng_, options_.job_tracked_versions, log_.named("periodic")),
      context_{.broker = broker_, .blocked = blocked_, .applier = applier_, .writer = writer, .fsm = fsm, .clock = clock, .ready = ready_,
               .pool = pool_, .make_run = options_.make_run, .log = log_.named("worker"), .meter = options_.meter} {
  broker_.set_on_ready([this] { ready_.notify_all(); });
  set_workers(options_.workers, options_.schedulers);
}

void Leader::set_workers(int count, std::vector<std::string> schedulers) {
  for (const auto& worker : workers_) worker->retire();
  workers_.clear();
  for (int i = 0; i < count; ++i) {
    workers_.push_back(std::make_shared<broker::Worker>(context_, schedulers, rng_.next()));
    if (established_) scope_.spawn(run_worker(workers_.back()));
  }
  ready_.notify_all();  // for who waits and is to end
}

Async<> Leader::run_worker(std::shared_ptr<broker::Worker> worker) { co_await worker->run(); }

void Leader::establish() {
  established_ = true;
  const MonoTime now = clock_.monotonic();
  garbage_.start(now);
  past_ = gc::Past(clock_.unix_nanos(), now);
  collecting_ = false;
  next_minute_ = now + sweep_interval;
  apply_pause();
  fsm_.store().tables().nodes.scan([&](const state::NodePtr& node) {
    if (node->status != "down") heartbeats_.expect(node->id, now);
    return true;
  });
  if (!fsm_.store().tables().scheduler_config) scope_.spawn(store_config());
  applier_.start();
  for (const auto& worker : workers_) scope_.spawn(run_worker(worker));
  deployments_.start();
  drainer_.start();
  periodic_.start();
  scope_.spawn(timer());
}

void Leader::revoke() {
  established_ = false;
  scope_.cancel();
  broker_.set_enabled(false);
  blocked_.set_enabled(false);
  applier_.flush();
  heartbeats_.clear();
  deployments_.stop();
  drainer_.stop();
  periodic_.stop();
  planned_ = MonoTime::max();
}

Async<> Leader::close() {
  revoke();
  co_await scope_.join();
}

void Leader::restore_evals() {
  fsm_.store().tables().evals_created.scan([this](const state::EvalPtr& eval) {
    if (eval->status == "pending") broker_.enqueue(eval);
    else if (eval->status == "blocked") blocked_.block(eval);
    return true;
  });
}

void Leader::apply_pause() {
  const auto& config = fsm_.store().tables().scheduler_config;
  const bool run = !(config && config->pause_eval_broker);
  if (run == broker_.enabled()) return;
  broker_.set_enabled(run);
  blocked_.set_enabled(run);
  if (run) restore_evals();
}

void Leader::on_changes(std::uint64_t index, const state::Changes& changes) {
  if (!established_) return;
  for (const auto& change : changes) {
    switch (change.table) {
      case state::Table::nodes: node_changed(index, change.old_as<state::NodePtr>(), change.new_as<state::NodePtr>()); break;
      case state::Table::allocs: alloc_changed(index, change.old_as<state::AllocPtr>(), change.new_as<state::AllocPtr>()); break;
      case state::Table::evals: eval_changed(change.old_as<state::EvalPtr>(), change.new_as<state::EvalPtr>()); break;
      case state::Table::scheduler_config: apply_pause(); break;
      case state::Table::deployment:
        deployments_.deployment_changed(change.old_as<state::DeploymentPtr>(), change.new_as<state::DeploymentPtr>());
        break;
      case state::Table::jobs: {
        const auto job = change.new_as<state::JobPtr>();
        const auto old = change.old_as<state::JobPtr>();
        periodic_.job_changed(old, job);
        if (old && (!job || (job->stop && !old->stop))) blocked_.untrack(old->namespace_, old->id);
        break;
      }
      default: break;
    }
  }
  reap();
  arm_next();
}

void Leader::eval_changed(const state::EvalPtr& before, const state::EvalPtr& after) {
  if (!after || (before && before->status == after->status)) return;
  if (after->status == "pending") broker_.enqueue(after);
  else if (after->status == "blocked") blocked_.block(after);
  else if (after->status == "complete" && after->failed_tg_allocs.empty()) blocked_.untrack(after->namespace_, after->job_id);
}

void Leader::node_changed(std::uint64_t index, const state::NodePtr& before, const state::NodePtr& after) {
  drainer_.node_changed(before, after);
  if (!after) {
    if (before) heartbeats_.remove(before->id);
    return;
  }
  const auto open = [](const model::Node& node) {
    return node.status == "ready" && node.scheduling_eligibility != "ineligible" && !node.drain_strategy;
  };
  if (open(*after) && (!before || !open(*before) || before->computed_class != after->computed_class)) {
    blocked_.unblock(after->computed_class, index);
    blocked_.unblock_node(after->id);
  }
  if (after->status == "down") heartbeats_.remove(after->id);
}

void Leader::alloc_changed(std::uint64_t index, const state::AllocPtr& before, const state::AllocPtr& after) {
  deployments_.alloc_changed(before, after);
  drainer_.alloc_changed(before, after);
  if (!after || !before || !state::client_terminal(*after) || state::client_terminal(*before)) return;
  const state::NodePtr* node = fsm_.store().tables().nodes.find(after->node_id);
  if (node == nullptr) return;
  blocked_.unblock((*node)->computed_class, index);
  blocked_.unblock_node(after->node_id);
}

void Leader::reap() {
  if (auto gone = broker_.take_cancelable(cancel_batch); !gone.empty()) {
    scope_.spawn(cancel_evals(std::move(gone), "canceled after more recent eval was processed"));
  }
  if (blocked_.has_duplicates()) {
    scope_.spawn(cancel_evals(blocked_.take_duplicates(), "existing blocked evaluation exists for job"));
  }
  while (auto failed = broker_.dequeue({std::string(broker::failed_queue)})) scope_.spawn(reap_failed(std::move(*failed)));
}

Async<> Leader::cancel_evals(std::vector<state::EvalPtr> evals, std::string description) {
  fsm::EvalUpdate message;
  for (const auto& eval : evals) {
    const state::EvalPtr* stored = fsm_.store().tables().evals.find(eval->id);
    if (stored == nullptr || state::terminal(**stored)) continue;
    auto canceled = std::make_shared<model::Evaluation>(**stored);
    canceled->status = "canceled";
    canceled->status_description = description;
    canceled->modify_time = clock_.unix_nanos();
    message.evals.push_back(std::move(canceled));
  }
  if (message.evals.empty()) co_return;
  auto written = co_await writer_.write(std::move(message));
  if (!written) log_.warn("canceling evaluations failed", "error", written.error());
}

Async<> Leader::reap_failed(broker::Delivery delivery) {
  const std::int64_t now = clock_.unix_nanos();
  auto failed = std::make_shared<model::Evaluation>(*delivery.eval);
  failed->status = "failed";
  failed->status_description = "evaluation reached delivery limit (3)";
  failed->modify_time = now;
  auto next = std::make_shared<model::Evaluation>();
  next->id = make_uuid(rng_);
  next->namespace_ = failed->namespace_;
  next->priority = failed->priority;
  next->type = failed->type;
  next->triggered_by = "failed-follow-up";
  next->job_id = failed->job_id;
  next->job_modify_index = failed->job_modify_index;
  next->status = "pending";
  next->previous_eval = failed->id;
  next->wait_until = model::Time(now + std::chrono::nanoseconds(std::chrono::minutes(1)).count() +
                                 static_cast<std::int64_t>(rng_.below(300'000'000'000ULL)));
  next->create_time = next->modify_time = now;
  failed->next_eval = next->id;
  fsm::EvalUpdate message;
  message.evals.push_back(std::move(failed));
  message.evals.push_back(std::move(next));
  auto written = co_await writer_.write(std::move(message));
  if (!written) {
    log_.warn("giving up an evaluation failed", "eval_id", delivery.eval->id, "error", written.error());
    (void)broker_.nack(delivery.eval->id, delivery.token);
    co_return;
  }
  (void)broker_.ack(delivery.eval->id, delivery.token);
}

std::chrono::nanoseconds Leader::heartbeat(const std::string& node_id) {
  const auto ttl = heartbeats_.reset(node_id, fsm_.store().tables().nodes.size(), clock_.monotonic());
  arm_next();
  return ttl;
}

Async<> Leader::expire_node(std::string node_id) {
  const auto snapshot = fsm_.store().snapshot();
  const state::NodePtr node = snapshot->node(node_id);
  if (!node || node->status == "down") co_return;
  const std::int64_t now = clock_.unix_nanos();
  // A node whose groups tolerate an absence is only out of sight.
  const auto live = snapshot->live_allocs_by_node(node_id);
  const bool tolerated = std::ranges::any_of(live, [](const state::AllocPtr& alloc) {
    if (!alloc->job || alloc->desired_status != "run") return false;
    const auto group = std::ranges::find(alloc->job->task_groups, alloc->task_group, &model::TaskGroup::name);
    if (group == alloc->job->task_groups.end()) return false;
    return (group->disconnect && group->disconnect->lost_after.count() > 0) ||
           (group->max_client_disconnect && group->max_client_disconnect->count() > 0);
  });
  fsm::NodeUpdateStatus message;
  message.node_id = node_id;
  message.status = tolerated && node->status == "ready" ? "disconnected" : "down";
  message.updated_at = now / 1'000'000'000;
  model::NodeEvent event;
  event.message = "Node heartbeat missed";
  event.subsystem = "Cluster";
  event.timestamp = model::Time(now);
  message.event = std::move(event);
  message.evals = nodes::node_evals(*snapshot, *node, now, rng_);
  log_.warn("node heartbeat missed", "node_id", node_id, "status", message.status);
  auto written = co_await writer_.write(std::move(message));
  if (!written) log_.warn("marking a node down failed", "node_id", node_id, "error", written.error());
}

Async<> Leader::store_config() {
  fsm::SchedulerConfig message;
  message.config = options_.default_config;
  auto written = co_await writer_.write(std::move(message));
  if (!written) log_.warn("storing the scheduler configuration failed", "error", written.error());
}

Async<> Leader::run_gc(gc::Round round) {
  collecting_ = true;
  auto done = co_await gc::collect(writer_, fsm_, pool_, options_.gc, past_, round);
  collecting_ = false;
  if (!done) log_.warn("garbage collection failed", "error", done.error());
}

Leader::MonoTime Leader::next_deadline() const {
  MonoTime next = std::min(garbage_.next_deadline(), next_minute_);
  if (const auto at = broker_.next_deadline()) next = std::min(next, *at);
  if (const auto at = heartbeats_.next_deadline()) next = std::min(next, *at);
  if (const auto at = deployments_.next_deadline()) next = std::min(next, *at);
  if (const auto at = drainer_.next_deadline()) next = std::min(next, *at);
  // Periodic jobs go by the date. That it was set is seen within a minute.
  if (const auto at = periodic_.next_deadline()) next = std::min(next, due_at(clock_, *at, sweep_interval));
  return next;
}

void Leader::arm(MonoTime deadline) {
  if (deadline >= planned_) return;
  planned_ = deadline;
  timer_changed_.notify_all();
}

void Leader::arm_next() { arm(next_deadline()); }

void Leader::look_at_the_clock() {
  const auto set = past_.note(clock_.unix_nanos(), clock_.monotonic());
  if (set.count() != 0) log_.warn("the date of this machine was set", "by_seconds", std::chrono::duration_cast<std::chrono::seconds>(set).count());
}

void Leader::tick() {
  const MonoTime now = clock_.monotonic();
  broker_.tick();
  for (auto& node : heartbeats_.take_expired(now)) scope_.spawn(expire_node(std::move(node)));
  look_at_the_clock();
  deployments_.tick(now);
  drainer_.tick(now);
  periodic_.tick(clock_.unix_nanos());
  if (now >= next_minute_) {
    next_minute_ = now + sweep_interval;
    blocked_.unblock_failed();
    blocked_.prune();
  }
  // A round that takes longer than an interval is not joined by another: what that one would find comes with the next.
  if (const gc::Round due = garbage_.take_due(now); !due.empty() && !collecting_) scope_.spawn(run_gc(due));
  reap();
}

Async<> Leader::timer() {
  for (;;) {
    planned_ = next_deadline();
    const auto left = planned_ - clock_.monotonic();
    if (left.count() > 0) co_await timer_changed_.wait_for(left);
    // Woken early by a nearer deadline: tick() finds nothing due and the loop plans again.
    tick();
  }
}

}  // namespace drover
