// One immutable version of the state with the questions readers ask. Any thread may hold and read it.
#pragma once

#include <functional>
#include <string>

#include "server/scheduler/state_view.h"
#include "server/state/tables.h"

namespace drover::state {

class Snapshot final : public scheduler::StateView {
 public:
  explicit Snapshot(Tables tables) : tables_(std::move(tables)) {}
  [[nodiscard]] const Tables& tables() const { return tables_; }
  [[nodiscard]] std::uint64_t index_of(Table table) const { return tables_.index_of(table); }

  [[nodiscard]] std::uint64_t index() const override { return tables_.index; }
  [[nodiscard]] NodePtr node(std::string_view id) const override;
  [[nodiscard]] JobPtr job(std::string_view namespace_, std::string_view id) const override;
  [[nodiscard]] JobPtr job_version(std::string_view namespace_, std::string_view id, std::uint64_t version) const override;
  // Newest first.
  [[nodiscard]] std::vector<JobPtr> job_versions(std::string_view namespace_, std::string_view id) const override;
  void each_node(const std::function<bool(const NodePtr&)>& visit) const override { tables_.nodes.scan(visit); }
  [[nodiscard]] std::size_t node_count() const override { return tables_.nodes.size(); }
  [[nodiscard]] AllocPtr alloc(std::string_view id) const override;
  [[nodiscard]] std::vector<AllocPtr> allocs_by_job(std::string_view namespace_, std::string_view id, bool all) const override;
  [[nodiscard]] std::vector<AllocPtr> allocs_by_node(std::string_view node_id) const override;
  [[nodiscard]] std::vector<AllocPtr> live_allocs_by_node(std::string_view node_id) const override;
  [[nodiscard]] DeploymentPtr latest_deployment(std::string_view namespace_, std::string_view job_id) const override;
  [[nodiscard]] std::vector<DeploymentPtr> deployments_by_job(std::string_view namespace_, std::string_view job_id) const override;
  [[nodiscard]] model::SchedulerConfiguration scheduler_config() const override;
  [[nodiscard]] NodePoolPtr node_pool(std::string_view name) const override;
  [[nodiscard]] HostVolumePtr host_volume(std::string_view namespace_, std::string_view id) const override;
  [[nodiscard]] std::vector<VolumeClaimPtr> volume_claims(std::string_view namespace_, std::string_view job_id, std::string_view group) const override;
  [[nodiscard]] bool each_change(const StateView& earlier, const NodeChange& node, const AllocChange& alloc) const override;

  [[nodiscard]] EvalPtr eval(std::string_view id) const;
  [[nodiscard]] std::vector<EvalPtr> evals_by_job(std::string_view namespace_, std::string_view job_id) const;
  [[nodiscard]] std::vector<AllocPtr> allocs_by_eval(std::string_view eval_id) const;
  [[nodiscard]] std::vector<AllocPtr> allocs_by_deployment(std::string_view deployment_id) const;
  [[nodiscard]] DeploymentPtr deployment(std::string_view id) const;
  [[nodiscard]] NamespacePtr name_space(std::string_view name) const;
  [[nodiscard]] ScalingPolicyPtr scaling_policy(std::string_view id) const;
  [[nodiscard]] ScalingEventsPtr scaling_events(std::string_view namespace_, std::string_view job_id) const;
  [[nodiscard]] LaunchPtr periodic_launch(std::string_view namespace_, std::string_view job_id) const;
  [[nodiscard]] SummaryPtr summary(std::string_view namespace_, std::string_view job_id) const;
  [[nodiscard]] SubmissionPtr submission(std::string_view namespace_, std::string_view job_id, std::uint64_t version) const;

 private:
  Tables tables_;
};
using SnapshotPtr = std::shared_ptr<const Snapshot>;

// The configuration of a cluster that has stored none.
[[nodiscard]] model::SchedulerConfiguration default_scheduler_config();

}  // namespace drover::state
