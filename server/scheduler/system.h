// System and sysbatch evaluations: one allocation per node and count (server contract 12).
#pragma once

#include "server/scheduler/reconcile/node_reconciler.h"
#include "server/scheduler/run_base.h"
#include "server/scheduler/system_deployment.h"

namespace drover::scheduler {

class SystemRun final : public RunBase {
 public:
  SystemRun(model::Evaluation evaluation, Rng& rng, NodeTable* table);

 private:
  void attempt(Step& step) override;
  void give_up(Step& step) override;
  void finish(Step& step) override;

  void apply_stops(const NodeChanges& changes);
  void update_in_place(Stack& stack, NodeChanges& changes);
  void compute_placements(Step& step, Stack& stack, const NodeChanges& changes);
  void place_one(Step& step, Stack& stack, const NodeChanges& changes, const NodePlacement& request);

  std::optional<SystemDeployment> deployment_;
  model::Map<model::DesiredUpdates> desired_;
  std::map<std::string, NodePtr, std::less<>> ready_;
  std::map<std::string, model::AllocMetric, std::less<>> filtered_;
};

}  // namespace drover::scheduler
