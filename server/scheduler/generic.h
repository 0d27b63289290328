// Service and batch evaluations (server contract 10).
#pragma once

#include "server/scheduler/reconcile/cluster.h"
#include "server/scheduler/run_base.h"

namespace drover::scheduler {

class GenericRun final : public RunBase {
 public:
  GenericRun(model::Evaluation evaluation, Rng& rng, NodeTable* table);

 private:
  void attempt(Step& step) override;
  void give_up(Step& step) override;
  void finish(Step& step) override;

  void apply(const Changes& changes);
  void compute_placements(Stack& stack, const Changes& changes);
  void place_one(Stack& stack, const PlaceRequest& request);
  // The job version to place while canaries are judged, and the deployment it belongs to.
  struct Downgrade {
    JobPtr job;
    std::string deployment_id;
  };
  [[nodiscard]] Downgrade downgraded(const PlaceRequest& request) const;
  [[nodiscard]] SelectOptions options_for(const PlaceRequest& request, const model::Job& job, const model::TaskGroup& group) const;

  DeploymentPtr stored_deployment_;
  std::optional<model::Deployment> deployment_;
  std::vector<JobPtr> downgraded_jobs_;  // the stack refers to them
};

}  // namespace drover::scheduler
