#include "server/state/snapshot.h"

#include <algorithm>

namespace drover::state {
namespace {

template <class Ptr, class Tree, class Key>
Ptr get(const Tree& tree, const Key& key) {
  const Ptr* found = tree.find(key);
  return found == nullptr ? nullptr : *found;
}

// The run of values that start with the first parts of a key.
template <class Ptr, class Tree, class Same>
std::vector<Ptr> run_of(const Tree& tree, const typename Tree::Key& from, Same same) {
  std::vector<Ptr> out;
  tree.scan(from, [&](const Ptr& value) {
    if (!same(*value)) return false;
    out.push_back(value);
    return true;
  });
  return out;
}

}  // namespace

NodePtr Snapshot::node(std::string_view id) const { return get<NodePtr>(tables_.nodes, id); }

JobPtr Snapshot::job(std::string_view namespace_, std::string_view id) const {
  return get<JobPtr>(tables_.jobs, std::tuple(namespace_, id));
}

JobPtr Snapshot::job_version(std::string_view namespace_, std::string_view id, std::uint64_t version) const {
  return get<JobPtr>(tables_.versions, std::tuple(namespace_, id, version));
}

std::vector<JobPtr> Snapshot::job_versions(std::string_view namespace_, std::string_view id) const {
  auto out = run_of<JobPtr>(tables_.versions, {namespace_, id, 0},
                            [&](const model::Job& job) { return job.namespace_ == namespace_ && job.id == id; });
  std::reverse(out.begin(), out.end());
  return out;
}

AllocPtr Snapshot::alloc(std::string_view id) const { return get<AllocPtr>(tables_.allocs, id); }

std::vector<AllocPtr> Snapshot::allocs_by_job(std::string_view namespace_, std::string_view id, bool all) const {
  const JobPtr current = job(namespace_, id);
  std::vector<AllocPtr> out;
  tables_.allocs_job.scan({namespace_, id, {}}, [&](const AllocPtr& alloc) {
    if (alloc->namespace_ != namespace_ || alloc->job_id != id) return false;
    // Without `all`, allocations of a purged job of the same name are left out.
    if (all || !current || !alloc->job || alloc->job->create_index == current->create_index) out.push_back(alloc);
    return true;
  });
  return out;
}

std::vector<AllocPtr> Snapshot::allocs_by_node(std::string_view node_id) const {
  return run_of<AllocPtr>(tables_.allocs_node, {node_id, false, {}},
                          [&](const model::Allocation& alloc) { return alloc.node_id == node_id; });
}

std::vector<AllocPtr> Snapshot::live_allocs_by_node(std::string_view node_id) const {
  return run_of<AllocPtr>(tables_.allocs_node, {node_id, false, {}}, [&](const model::Allocation& alloc) {
    return alloc.node_id == node_id && !client_terminal(alloc);
  });
}

std::vector<DeploymentPtr> Snapshot::deployments_by_job(std::string_view namespace_, std::string_view job_id) const {
  return run_of<DeploymentPtr>(tables_.deployments_job, {namespace_, job_id, {}}, [&](const model::Deployment& deployment) {
    return deployment.namespace_ == namespace_ && deployment.job_id == job_id;
  });
}

DeploymentPtr Snapshot::latest_deployment(std::string_view namespace_, std::string_view job_id) const {
  DeploymentPtr latest;
  for (auto& deployment : deployments_by_job(namespace_, job_id)) {
    if (!latest || deployment->create_index > latest->create_index) latest = deployment;
  }
  return latest;
}

model::SchedulerConfiguration Snapshot::scheduler_config() const {
  return tables_.scheduler_config ? *tables_.scheduler_config : default_scheduler_config();
}

NodePoolPtr Snapshot::node_pool(std::string_view name) const { return get<NodePoolPtr>(tables_.node_pools, name); }

HostVolumePtr Snapshot::host_volume(std::string_view namespace_, std::string_view id) const {
  return get<HostVolumePtr>(tables_.host_volumes, std::tuple(namespace_, id));
}

std::vector<VolumeClaimPtr> Snapshot::volume_claims(std::string_view namespace_, std::string_view job_id, std::string_view group) const {
  return run_of<VolumeClaimPtr>(tables_.volume_claims_group, {namespace_, job_id, group, {}}, [&](const model::TaskGroupHostVolumeClaim& claim) {
    return claim.namespace_ == namespace_ && claim.job_id == job_id && claim.task_group_name == group;
  });
}

bool Snapshot::each_change(const StateView& earlier, const NodeChange& node, const AllocChange& alloc) const {
  const auto* before = dynamic_cast<const Snapshot*>(&earlier);
  if (before == nullptr) return false;
  tables_.nodes.differences_from(before->tables_.nodes, node);
  tables_.allocs.differences_from(before->tables_.allocs, alloc);
  return true;
}

NamespacePtr Snapshot::name_space(std::string_view name) const { return get<NamespacePtr>(tables_.namespaces, name); }
ScalingPolicyPtr Snapshot::scaling_policy(std::string_view id) const { return get<ScalingPolicyPtr>(tables_.scaling_policies, id); }
ScalingEventsPtr Snapshot::scaling_events(std::string_view namespace_, std::string_view job_id) const {
  return get<ScalingEventsPtr>(tables_.scaling_events, std::tuple(namespace_, job_id));
}

LaunchPtr Snapshot::periodic_launch(std::string_view namespace_, std::string_view job_id) const {
  return get<LaunchPtr>(tables_.periodic_launches, std::tuple(namespace_, job_id));
}

EvalPtr Snapshot::eval(std::string_view id) const { return get<EvalPtr>(tables_.evals, id); }

std::vector<EvalPtr> Snapshot::evals_by_job(std::string_view namespace_, std::string_view job_id) const {
  return run_of<EvalPtr>(tables_.evals_job, {namespace_, job_id, {}}, [&](const model::Evaluation& eval) {
    return eval.namespace_ == namespace_ && eval.job_id == job_id;
  });
}

std::vector<AllocPtr> Snapshot::allocs_by_eval(std::string_view eval_id) const {
  return run_of<AllocPtr>(tables_.allocs_eval, {eval_id, {}},
                          [&](const model::Allocation& alloc) { return alloc.eval_id == eval_id; });
}

std::vector<AllocPtr> Snapshot::allocs_by_deployment(std::string_view deployment_id) const {
  return run_of<AllocPtr>(tables_.allocs_deployment, {deployment_id, {}},
                          [&](const model::Allocation& alloc) { return alloc.deployment_id == deployment_id; });
}

DeploymentPtr Snapshot::deployment(std::string_view id) const { return get<DeploymentPtr>(tables_.deployments, id); }

SummaryPtr Snapshot::summary(std::string_view namespace_, std::string_view job_id) const {
  return get<SummaryPtr>(tables_.summaries, std::tuple(namespace_, job_id));
}

SubmissionPtr Snapshot::submission(std::string_view namespace_, std::string_view job_id, std::uint64_t version) const {
  return get<SubmissionPtr>(tables_.submissions, std::tuple(namespace_, job_id, version));
}

model::SchedulerConfiguration default_scheduler_config() {
  model::SchedulerConfiguration config;
  config.scheduler_algorithm = "binpack";
  config.preemption_config.system_scheduler_enabled = true;
  return config;
}

}  // namespace drover::state
