// A StateView over plain maps, filled from golden inputs or by hand, to which plans can be committed.
#pragma once

#include <map>
#include <string>

#include "lib/model/plan.h"
#include "server/scheduler/state_view.h"

namespace drover::scheduler {

class MemoryView final : public StateView {
 public:
  std::map<std::string, NodePtr, std::less<>> nodes;
  std::map<std::string, AllocPtr, std::less<>> allocs;
  std::vector<JobPtr> versions;  // of all jobs, ascending
  std::map<std::string, JobPtr, std::less<>> jobs;
  std::vector<DeploymentPtr> deployments;
  std::map<std::string, model::NodePool, std::less<>> pools;
  std::map<std::string, model::HostVolume, std::less<>> volumes;
  VolumeClaims claims;
  model::SchedulerConfiguration config;
  std::uint64_t index_ = 1000;

  void add_node(model::Node node);
  void add_job(model::Job job);
  void add_alloc(model::Allocation alloc);
  // Takes over a plan's allocations and deployments, as the server's state does.
  void commit(const model::Plan& plan);

  std::uint64_t index() const override { return index_; }
  NodePtr node(std::string_view id) const override;
  JobPtr job(std::string_view ns, std::string_view id) const override;
  JobPtr job_version(std::string_view ns, std::string_view id, std::uint64_t version) const override;
  std::vector<JobPtr> job_versions(std::string_view ns, std::string_view id) const override;
  void each_node(const std::function<bool(const NodePtr&)>& visit) const override;
  std::size_t node_count() const override { return nodes.size(); }
  AllocPtr alloc(std::string_view id) const override;
  std::vector<AllocPtr> allocs_by_job(std::string_view ns, std::string_view id, bool all) const override;
  std::vector<AllocPtr> allocs_by_node(std::string_view node_id) const override;
  std::vector<AllocPtr> live_allocs_by_node(std::string_view node_id) const override;
  DeploymentPtr latest_deployment(std::string_view ns, std::string_view job_id) const override;
  std::vector<DeploymentPtr> deployments_by_job(std::string_view ns, std::string_view job_id) const override;
  model::SchedulerConfiguration scheduler_config() const override { return config; }
  std::shared_ptr<const model::NodePool> node_pool(std::string_view name) const override;
  std::shared_ptr<const model::HostVolume> host_volume(std::string_view ns, std::string_view id) const override;
  VolumeClaims volume_claims(std::string_view ns, std::string_view job_id, std::string_view group) const override;

 private:
  void commit_deployments(const model::Plan& plan);

  std::map<std::string, std::map<std::string, AllocPtr, std::less<>>, std::less<>> by_node_;
};

}  // namespace drover::scheduler
