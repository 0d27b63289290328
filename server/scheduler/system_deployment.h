// The deployment of a system job: how many nodes may change now, which of them as canaries (server contract 12).
//
// Pure. One object per attempt: pace() says which of the destructive updates happen now, finish() settles the counts once
// everything is placed.
#pragma once

#include <map>
#include <optional>

#include "server/scheduler/reconcile/node_reconciler.h"

namespace drover::scheduler {

class SystemDeployment {
 public:
  SystemDeployment(JobPtr job, DeploymentPtr stored, UnixNanos now);

  // Whether the job's state asks for a deployment of this version; creates it.
  void open(const NodeChanges& changes, const std::vector<AllocPtr>& allocs, std::int64_t eval_priority, Rng& rng);
  // Splits the destructive updates: those to carry out now stay in `updates`, marked when they are canaries. Returns, by
  // group, how many wait for canaries to be judged; others that wait are not counted.
  [[nodiscard]] std::map<std::string, std::int64_t> pace(std::vector<NodeUpdate>& updates, const std::vector<AllocPtr>& allocs);
  void placed_canary(const std::string& group, const std::string& alloc_id);
  // `totals`: allocations each group is to have. `unfinished`: something was placed, changed or moved.
  void finish(const model::Map<model::DesiredUpdates>& desired, bool unfinished);

  // Allocations placed now belong to it; empty when it is not active.
  [[nodiscard]] std::string id() const;
  [[nodiscard]] const std::optional<model::Deployment>& deployment() const { return current_; }
  [[nodiscard]] const std::vector<model::DeploymentStatusUpdate>& updates() const { return updates_; }
  // Canaries in the group: those that run and those placed now.
  [[nodiscard]] std::int64_t canaries(const std::string& group) const;

 private:
  [[nodiscard]] bool of_version(const model::Allocation& alloc) const;

  JobPtr job_;
  UnixNanos now_;
  std::optional<model::Deployment> current_;
  DeploymentPtr superseded_;
  bool created_ = false;
  std::vector<model::DeploymentStatusUpdate> updates_;
  std::map<std::string, std::int64_t, std::less<>> canaries_;
};

}  // namespace drover::scheduler
