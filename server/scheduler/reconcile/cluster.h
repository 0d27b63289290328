// Reconciles a service or batch job with its allocations, deployment and nodes (server contract 11).
//
// Pure: everything it needs is in Input; placing is left to the caller. One object, one call of compute().
#pragma once

#include <functional>

#include "server/scheduler/reconcile/changes.h"
#include "server/scheduler/reconcile/name_index.h"

namespace drover::scheduler {

struct ClusterInput {
  JobPtr job;  // null when purged
  std::string job_id;
  const model::Evaluation* eval = nullptr;
  bool batch = false;
  std::vector<AllocPtr> allocs;
  TaintedNodes tainted;
  DeploymentPtr deployment;
  UnixNanos now = 0;
  // Asks the stack whether a running allocation can take the new version where it is.
  std::function<UpdateVerdict(const AllocPtr&, const model::TaskGroup&)> update;
  Rng* rng = nullptr;  // ids of evaluations and the deployment
};

class ClusterReconciler {
 public:
  explicit ClusterReconciler(const ClusterInput& input);
  [[nodiscard]] Changes compute();
  // The deployment the placements belong to: the stored one or the one created.
  [[nodiscard]] const std::optional<model::Deployment>& deployment() const { return deployment_; }

 private:
  struct Group;  // the work on one group

  void cancel_deployments();
  void stop_everything(const std::map<std::string, AllocSet, std::less<>>& groups);
  std::size_t stop_all_of(const AllocSet& set);
  bool compute_group(const std::string& name, AllocSet all);
  void init_deployment_state(Group& g);
  void cancel_canaries(Group& g);
  void reconcile_reconnecting(Group& g, const AllocSet& reconnecting);
  void handle_disconnecting(Group& g, const AllocSet& disconnecting);
  void schedule_later(Group& g);
  void compute_stop(Group& g, NameIndex& names);
  void compute_updates(Group& g);
  void place_canaries(Group& g, NameIndex& names);
  [[nodiscard]] std::int64_t allowance(const Group& g) const;
  [[nodiscard]] std::vector<PlaceRequest> placements(Group& g, NameIndex& names);
  std::int64_t take_placements(Group& g, std::vector<PlaceRequest> place, std::int64_t allowed, bool ready);
  void destructive_updates(Group& g, NameIndex& names, std::int64_t allowed);
  void migrations(Group& g, NameIndex& names);
  void create_deployment(Group& g);
  [[nodiscard]] bool group_complete(const Group& g, std::size_t placed) const;
  void finish_deployment(bool complete);

  void mark_stop(const AllocSet& set, const char* client_status, const char* text,
                 const std::map<std::string, std::string>& followups = {});
  [[nodiscard]] model::Evaluation followup(const char* trigger, const char* text, UnixNanos at);
  // One evaluation for all that is due within five seconds of the first. Alloc id -> evaluation id.
  std::map<std::string, std::string> followup_batches(std::vector<Delayed> later, const char* trigger, const char* text,
                                                      bool same_for_all);

  const ClusterInput& in_;
  bool stopped_;
  Changes out_;
  std::optional<model::Deployment> deployment_;
  DeploymentPtr old_deployment_;
  bool paused_ = false;
  bool failed_ = false;
};

}  // namespace drover::scheduler
