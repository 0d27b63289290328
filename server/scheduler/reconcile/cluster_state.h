// The working state of one group while it is reconciled; private to cluster*.cc.
#pragma once

#include "server/scheduler/alloc_state.h"
#include "server/scheduler/reconcile/cluster.h"

namespace drover::scheduler {

struct ClusterReconciler::Group {
  std::string name;
  const model::TaskGroup* group = nullptr;
  model::DesiredUpdates* desired = nullptr;
  model::DeploymentState state;  // stored or to be created
  bool has_state = false;        // stored
  AllocSet all;
  AllocSet canaries;
  AllocSet untainted, migrate, lost;
  AllocSet disconnecting;  // that stay unknown for now, without replacement
  AllocSet reschedule_now;
  std::vector<Delayed> reschedule_later;
  std::vector<Delayed> lost_later;
  std::map<std::string, std::string> lost_followups;
  AllocSet destructive;
  std::size_t in_place = 0;
  bool requires_canaries = false;

  [[nodiscard]] bool canarying() const { return state.desired_canaries != 0 && !state.promoted; }
};

[[nodiscard]] inline bool has_updates(const model::TaskGroup& group) { return group.update && group.update->max_parallel > 0; }
[[nodiscard]] inline bool deployment_active(const model::Deployment& d) {
  return d.status == "running" || d.status == "paused" || d.status == "blocked" || d.status == "unblocking" ||
         d.status == "initializing" || d.status == "pending";
}

}  // namespace drover::scheduler
