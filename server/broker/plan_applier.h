// The one place where placements become fact: plans in order of priority, each checked against the newest state with the
// results still on their way to disk laid over it, then one log entry each. Several commits may be in flight.
//
// Leader's loop only. Call start() once; submit() from workers.
#pragma once

#include <deque>
#include <list>
#include <map>
#include <memory>

#include "lib/metrics/meter.h"
#include "sdk/async/event.h"
#include "sdk/async/scope.h"
#include "sdk/base/log.h"
#include "server/broker/eval_broker.h"
#include "server/broker/node_use.h"
#include "server/broker/plan_check.h"
#include "server/fsm/writer.h"

namespace drover::broker {

class PlanApplier {
 public:
  PlanApplier(const Executor& executor, Scope& scope, fsm::Writer& writer, fsm::Fsm& fsm, EvalBroker& broker, const Clock& clock,
              FitCheck fits, Logger log, metrics::Meter meter = {}, std::size_t pipeline = 16);

  void start() { scope_.spawn(run()); }
  // Resumes when what was accepted is durable and applied. Refused when the evaluation is not outstanding by its token.
  [[nodiscard]] Async<Result<model::PlanResult>> submit(std::shared_ptr<const model::Plan> plan);
  // Fails what is queued; used when leadership is lost.
  void flush();
  [[nodiscard]] std::size_t depth() const { return depth_; }

 private:
  struct Pending {
    Pending(std::shared_ptr<const model::Plan> p, const Executor& executor) : plan(std::move(p)), done(executor) {}
    std::shared_ptr<const model::Plan> plan;
    Result<model::PlanResult> result = model::PlanResult{};
    Event done;
  };
  using PendingPtr = std::shared_ptr<Pending>;

  Async<> run();
  Async<> commit(PendingPtr pending, fsm::PlanResult entry, std::list<model::PlanResult>::iterator overlay);
  [[nodiscard]] PendingPtr pop();
  // The live allocations of a node with the uncommitted results applied.
  [[nodiscard]] std::vector<state::AllocPtr> live_on(std::string_view node_id) const;
  [[nodiscard]] fsm::EvalList preemption_evals(const model::PlanResult& result, std::int64_t now) const;
  void finish(Pending& pending, Result<model::PlanResult> result);

  Executor executor_;
  Scope& scope_;
  fsm::Writer& writer_;
  fsm::Fsm& fsm_;
  EvalBroker& broker_;
  const Clock& clock_;
  FitCheck fits_;
  Logger log_;
  metrics::Meter meter_;
  std::size_t pipeline_;
  std::size_t depth_ = 0;
  std::uint64_t generation_ = 0;  // of the leadership: commits of an earlier one do not touch this one's overlay
  std::map<std::int64_t, std::deque<PendingPtr>, std::greater<>> queue_;  // by priority, then first come
  std::list<model::PlanResult> uncommitted_;                             // in log order
  NodeUse use_;
  Condition changed_;
};

}  // namespace drover::broker
