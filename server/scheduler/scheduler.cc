#include "server/scheduler/scheduler.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "server/scheduler/generic.h"
#include "server/scheduler/system.h"

namespace drover::scheduler {
namespace {

constexpr std::array<std::string_view, 17> triggers = {
  "job-register", "job-deregister", "node-drain", "node-update", "alloc-stop", "rolling-update", "queued-allocs", "periodic-job",
  "max-plan-attempts", "deployment-watcher", "alloc-failure", "failed-follow-up", "preemption", "job-scaling",
  "max-disconnect-timeout", "reconnect", "alloc-reschedule",
};

// An evaluation that no scheduler handles.
class RefusedRun final : public EvalRun {
 public:
  RefusedRun(model::Evaluation eval, std::string text) : eval_(std::move(eval)), text_(std::move(text)) {}
  Step begin(ViewPtr, UnixNanos now) override {
    Step step;
    eval_.status = "failed";
    eval_.status_description = text_;
    eval_.modify_time = now;
    step.update = eval_;
    return step;
  }
  Step resume(const model::PlanResult&, ViewPtr view, UnixNanos now) override { return begin(std::move(view), now); }

 private:
  model::Evaluation eval_;
  std::string text_;
};

}  // namespace

std::unique_ptr<EvalRun> make_run(model::Evaluation evaluation, Rng& rng, NodeTable* table) {
  const bool generic = evaluation.type == "service" || evaluation.type == "batch";
  if (!generic && evaluation.type != "system" && evaluation.type != "sysbatch") {
    auto text = fmt::format("unknown scheduler type '{}'", evaluation.type);
    return std::make_unique<RefusedRun>(std::move(evaluation), std::move(text));
  }
  if (std::ranges::find(triggers, evaluation.triggered_by) == triggers.end()) {
    auto text = fmt::format("scheduler cannot handle '{}' evaluation reason", evaluation.triggered_by);
    return std::make_unique<RefusedRun>(std::move(evaluation), std::move(text));
  }
  if (generic) return std::make_unique<GenericRun>(std::move(evaluation), rng, table);
  return std::make_unique<SystemRun>(std::move(evaluation), rng, table);
}

}  // namespace drover::scheduler
