// The scheduler as a step function: one evaluation in, what to write out, until done.
//
// No coroutine, clock, thread or I/O is in here. A worker drives it:
//
//   auto run = scheduler::make_run(evaluation, rng);
//   Step step = run->begin(view, now);
//   for (;;) {
//     write every step.create_evals (in order, before the plan); write step.reblock or step.update when set;
//     if (!step.plan) break;                                   // done
//     PlanResult result = submit *step.plan;                   // the worker adds eval_token and snapshot_index
//     newer = result.refresh_index == 0 ? nullptr : snapshot at or after result.refresh_index;
//     step = run->resume(result, newer, now);                  // null `newer` keeps the old view
//   }
//
// The run counts attempts (5; batch 2) and starts again from 0 when a plan made progress. A plan that was committed in full
// ends with one step without a plan. Failing to submit is the worker's business (nack); simply drop the run. For `job plan`
// set `annotate_plan` in the evaluation, keep the writes and answer the plan with an empty result.
// Everything decided is in the returned values: metrics with scores and reasons in each new allocation and in
// `update.failed_tg_allocs`. One run per evaluation; use it from one thread; the Rng and the table must outlive it. Who runs many
// evaluations keeps one NodeTable for them all, one run at a time.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "lib/model/eval.h"
#include "lib/model/plan.h"
#include "sdk/base/clock.h"
#include "server/scheduler/node_table.h"
#include "server/scheduler/state_view.h"

namespace drover::scheduler {

using ViewPtr = std::shared_ptr<const StateView>;

struct Step {
  std::vector<model::Evaluation> create_evals;  // blocked and delayed evaluations, new
  std::optional<model::Plan> plan;              // to submit; none: this is the last step
  std::optional<model::Evaluation> update;      // the evaluation in its final form (last step only)
  std::optional<model::Evaluation> reblock;     // instead of `update`: a blocked evaluation that stays blocked
};

class EvalRun {
 public:
  virtual ~EvalRun() = default;
  [[nodiscard]] virtual Step begin(ViewPtr view, UnixNanos now) = 0;
  [[nodiscard]] virtual Step resume(const model::PlanResult& result, ViewPtr newer, UnixNanos now) = 0;
};

// By evaluation.type: service, batch, system, sysbatch. Any other type or trigger ends in one step with status "failed".
// Without a table the run makes its own.
[[nodiscard]] std::unique_ptr<EvalRun> make_run(model::Evaluation evaluation, Rng& rng, NodeTable* table = nullptr);

}  // namespace drover::scheduler
