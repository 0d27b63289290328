// What a scheduler proposes and what of it was committed.
// Field names, types and order are wire facts (HTTP API contract, appendix A); `describe` lists each once.
#pragma once

#include <memory>
#include <string>

#include "lib/model/types.h"
#include "lib/model/alloc.h"
#include "lib/model/deployment.h"
#include "lib/model/eval.h"
#include "lib/model/job.h"

namespace drover::model {

struct PlanResult {
  Map<List<std::shared_ptr<const Allocation>>> node_update;
  Map<List<std::shared_ptr<const Allocation>>> node_allocation;
  Box<Deployment> deployment;
  List<DeploymentStatusUpdate> deployment_updates;
  List<std::string> ineligible_nodes;
  Map<List<std::shared_ptr<const Allocation>>> node_preemptions;
  List<std::string> rejected_nodes;
  std::uint64_t refresh_index = 0;
  std::uint64_t alloc_index = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("NodeUpdate", self.node_update);
    v("NodeAllocation", self.node_allocation);
    v("Deployment", self.deployment);
    v("DeploymentUpdates", self.deployment_updates);
    v("IneligibleNodes", self.ineligible_nodes);
    v("NodePreemptions", self.node_preemptions);
    v("RejectedNodes", self.rejected_nodes);
    v("RefreshIndex", self.refresh_index);
    v("AllocIndex", self.alloc_index);
  }
  friend bool operator==(const PlanResult&, const PlanResult&) = default;
};

struct Plan {
  std::string eval_id;
  std::string eval_token;
  std::int64_t priority = 0;
  bool all_at_once = false;
  std::shared_ptr<const Job> job;
  Map<List<std::shared_ptr<const Allocation>>> node_update;
  Map<List<std::shared_ptr<const Allocation>>> node_allocation;
  Box<PlanAnnotations> annotations;
  Box<Deployment> deployment;
  List<DeploymentStatusUpdate> deployment_updates;
  Map<List<std::shared_ptr<const Allocation>>> node_preemptions;
  std::uint64_t snapshot_index = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("EvalID", self.eval_id);
    v("EvalToken", self.eval_token);
    v("Priority", self.priority);
    v("AllAtOnce", self.all_at_once);
    v("Job", self.job);
    v("NodeUpdate", self.node_update);
    v("NodeAllocation", self.node_allocation);
    v("Annotations", self.annotations);
    v("Deployment", self.deployment);
    v("DeploymentUpdates", self.deployment_updates);
    v("NodePreemptions", self.node_preemptions);
    v("SnapshotIndex", self.snapshot_index);
  }
  friend bool operator==(const Plan&, const Plan&) = default;
};

}  // namespace drover::model
