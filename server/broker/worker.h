// Runs the scheduler for one evaluation at a time. A parked worker is resumed when the broker has work; nothing polls.
//
// On the leader's loop. A snapshot with many nodes is scheduled on the pool, so that the loop stays quick; a small one costs
// less than the way to another thread and back.
#pragma once

#include <functional>

#include "lib/metrics/meter.h"
#include "sdk/async/event.h"
#include "sdk/async/pool.h"
#include "sdk/base/log.h"
#include "server/broker/blocked_evals.h"
#include "server/broker/eval_broker.h"
#include "server/broker/plan_applier.h"
#include "server/fsm/writer.h"
#include "server/scheduler/scheduler.h"

namespace drover::broker {

// scheduler::make_run, or a fake.
using RunFactory = std::function<std::unique_ptr<scheduler::EvalRun>(model::Evaluation evaluation, Rng& rng, scheduler::NodeTable* table)>;

struct WorkerContext {
  EvalBroker& broker;
  BlockedEvals& blocked;
  PlanApplier& applier;
  fsm::Writer& writer;
  fsm::Fsm& fsm;
  const Clock& clock;
  Condition& ready;  // notified when the broker has work
  Pool& pool;
  RunFactory make_run;
  Logger log;
  metrics::Meter meter;
  std::size_t pool_above_nodes = 500;
};

class Worker {
 public:
  Worker(WorkerContext& context, std::vector<std::string> types, std::uint64_t seed) : c_(context), types_(std::move(types)), rng_(seed) {}
  // Ends after retire(), or by cancellation.
  [[nodiscard]] Async<> run();
  // Takes no further evaluation. Who waits for one must be woken by `ready`.
  void retire() { retired_ = true; }

 private:
  [[nodiscard]] Async<Result<>> process(EvalPtr eval, std::string token);
  [[nodiscard]] Async<Result<>> write_evals(const scheduler::Step& step, std::uint64_t snapshot_index);
  [[nodiscard]] Async<scheduler::Step> step(std::string type, std::function<scheduler::Step()> work, std::size_t nodes);
  void measure(const model::Evaluation& eval, std::chrono::steady_clock::time_point start) const;

  WorkerContext& c_;
  std::vector<std::string> types_;
  Rng rng_;
  scheduler::NodeTable table_;  // used by one run at a time, on the loop or on the pool
  bool retired_ = false;
};

}  // namespace drover::broker
