// What only the leader does: broker, blocked evaluations, plan applier, workers, heartbeats, deployments, drains, garbage collection.
//
// Nothing here is persisted: establish() rebuilds it from the tables. The state machine tells it every change; the timer
// sleeps exactly until the next deadline of any room. Loop only.
#pragma once

#include <memory>
#include <vector>

#include "lib/metrics/meter.h"
#include "sdk/async/pool.h"
#include "sdk/async/scope.h"
#include "server/broker/worker.h"
#include "server/deploy/watcher.h"
#include "server/drain/drainer.h"
#include "server/gc/schedule.h"
#include "server/nodes/heartbeats.h"
#include "server/periodic/dispatcher.h"

namespace drover {

struct LeaderOptions {
  int workers = 1;
  std::vector<std::string> schedulers{"service", "batch", "system", "sysbatch"};
  std::uint64_t seed = 0;
  nodes::HeartbeatOptions heartbeats;
  gc::GcOptions gc;
  std::int64_t job_tracked_versions = 6;
  model::SchedulerConfiguration default_config;
  broker::FitCheck fits;
  broker::RunFactory make_run;
  metrics::Meter meter;
};

class Leader {
 public:
  Leader(const Executor& executor, fsm::Writer& writer, fsm::Fsm& fsm, const Clock& clock, LeaderOptions options, Logger log);

  // Takes up the leadership: rebuilds everything from the tables and starts the workers.
  void establish();
  // Lays it down. What was in memory is forgotten.
  void revoke();
  [[nodiscard]] bool established() const { return established_; }

  // After each entry of the log is applied.
  void on_changes(std::uint64_t index, const state::Changes& changes);
  // A sign of life of a node: how long it may take to the next one.
  [[nodiscard]] std::chrono::nanoseconds heartbeat(const std::string& node_id);
  // Acts on every deadline that has passed; run by the timer, and by tests that move the clock.
  void tick();

  // Other workers from now on; those of before end with the evaluation they are at.
  void set_workers(int count, std::vector<std::string> schedulers);

  [[nodiscard]] const broker::EvalBroker& eval_broker() const { return broker_; }
  [[nodiscard]] const broker::BlockedEvals& blocked_evals() const { return blocked_; }
  [[nodiscard]] std::size_t plan_queue_depth() const { return applier_.depth(); }
  [[nodiscard]] std::size_t heartbeat_timers() const { return heartbeats_.size(); }
  [[nodiscard]] Async<> close();

 private:
  using MonoTime = broker::MonoTime;
  void restore_evals();
  void node_changed(std::uint64_t index, const state::NodePtr& before, const state::NodePtr& after);
  void alloc_changed(std::uint64_t index, const state::AllocPtr& before, const state::AllocPtr& after);
  // While an operator has it paused, the broker hands out nothing; what waits is read from the tables again afterwards.
  void apply_pause();
  void eval_changed(const state::EvalPtr& before, const state::EvalPtr& after);
  // Makes sure that the timer wakes at or before `deadline`.
  void arm(MonoTime deadline);
  void arm_next();
  [[nodiscard]] MonoTime next_deadline() const;
  Async<> timer();
  static Async<> run_worker(std::shared_ptr<broker::Worker> worker);
  Async<> store_config();
  Async<> expire_node(std::string node_id);
  Async<> cancel_evals(std::vector<state::EvalPtr> evals, std::string description);
  Async<> reap_failed(broker::Delivery delivery);
  Async<> run_gc(gc::Round round);
  void reap();
  // Sees whether the date was set.
  void look_at_the_clock();

  Executor executor_;
  fsm::Writer& writer_;
  fsm::Fsm& fsm_;
  const Clock& clock_;
  LeaderOptions options_;
  Logger log_;
  Rng rng_;
  Scope scope_;
  Condition ready_;         // the broker has work
  Condition timer_changed_;
  MonoTime planned_ = MonoTime::max();
  gc::Schedule garbage_;
  gc::Past past_;
  bool collecting_ = false;  // one round at a time
  MonoTime next_minute_{};
  Pool pool_{1};
  broker::EvalBroker broker_;
  broker::BlockedEvals blocked_;
  broker::PlanApplier applier_;
  nodes::Heartbeats heartbeats_;
  deploy::Watcher deployments_;
  drain::Drainer drainer_;
  periodic::Dispatcher periodic_;
  broker::WorkerContext context_;
  std::vector<std::shared_ptr<broker::Worker>> workers_;
  bool established_ = false;
};

}  // namespace drover
