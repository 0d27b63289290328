// The tables of the state and their orders. A value of `Tables` is one version of everything; copying it is a few dozen
// pointer copies. Objects are shared and never change. Keys point into the objects they order.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <tuple>

#include "lib/model/alloc.h"
#include "lib/model/api_job.h"
#include "lib/model/api_volume.h"
#include "lib/model/cluster.h"
#include "lib/model/config.h"
#include "lib/model/deployment.h"
#include "lib/model/eval.h"
#include "lib/model/job.h"
#include "lib/model/job_summary.h"
#include "lib/model/node.h"
#include "lib/model/periodic_launch.h"
#include "server/state/tree.h"

namespace drover::state {

using NodePtr = std::shared_ptr<const model::Node>;
using NodePoolPtr = std::shared_ptr<const model::NodePool>;
using JobPtr = std::shared_ptr<const model::Job>;
using SummaryPtr = std::shared_ptr<const model::JobSummary>;
using SubmissionPtr = std::shared_ptr<const model::JobSubmission>;
using DeploymentPtr = std::shared_ptr<const model::Deployment>;
using EvalPtr = std::shared_ptr<const model::Evaluation>;
using AllocPtr = std::shared_ptr<const model::Allocation>;
using NamespacePtr = std::shared_ptr<const model::Namespace>;
using ScalingPolicyPtr = std::shared_ptr<const model::ScalingPolicy>;
using ScalingEventsPtr = std::shared_ptr<const model::JobScalingEvents>;
using LaunchPtr = std::shared_ptr<const model::PeriodicLaunch>;
using HostVolumePtr = std::shared_ptr<const model::HostVolume>;
using VolumeClaimPtr = std::shared_ptr<const model::TaskGroupHostVolumeClaim>;
using ConfigPtr = std::shared_ptr<const model::SchedulerConfiguration>;

enum class Table : std::uint8_t {
  nodes, node_pools, jobs, job_summary, job_version, job_submission, deployment, evals, allocs, scheduler_config,
  namespaces, scaling_policy, scaling_event, periodic_launch, host_volumes,
  task_group_volumes,
};
inline constexpr std::size_t table_count = 16;
[[nodiscard]] std::string_view to_string(Table table);

// Terminal: desired to stop, or ended on the client. Only the latter frees what it holds on the node.
[[nodiscard]] bool server_terminal(const model::Allocation& alloc);
[[nodiscard]] bool client_terminal(const model::Allocation& alloc);
[[nodiscard]] inline bool terminal(const model::Allocation& alloc) { return server_terminal(alloc) || client_terminal(alloc); }
[[nodiscard]] bool terminal(const model::Evaluation& eval);
[[nodiscard]] bool active(const model::Deployment& deployment);
// A periodic job that is launched by the clock: enabled, not stopped, and no mere pattern for dispatched jobs.
[[nodiscard]] bool launches_children(const model::Job& job);

namespace keys {
using Text = std::string_view;
using Number = std::uint64_t;

template <class P>
struct Id {
  using Key = Text;
  Key operator()(const P& p) const { return p->id; }
};
template <class P>
struct Name {
  using Key = Text;
  Key operator()(const P& p) const { return p->name; }
};
template <class P>
struct NamespaceId {
  using Key = std::tuple<Text, Text>;
  Key operator()(const P& p) const { return {p->namespace_, p->id}; }
};
template <class P>
struct Created {
  using Key = std::tuple<Number, Text>;
  Key operator()(const P& p) const { return {p->create_index, p->id}; }
};
template <class P>
struct NamespaceCreated {
  using Key = std::tuple<Text, Number, Text>;
  Key operator()(const P& p) const { return {p->namespace_, p->create_index, p->id}; }
};
template <class P>
struct ByJob {
  using Key = std::tuple<Text, Text, Text>;
  Key operator()(const P& p) const { return {p->namespace_, p->job_id, p->id}; }
};
struct Version {
  using Key = std::tuple<Text, Text, Number>;
  Key operator()(const JobPtr& p) const { return {p->namespace_, p->id, p->version}; }
};
struct Submission {
  using Key = std::tuple<Text, Text, Number>;
  Key operator()(const SubmissionPtr& p) const { return {p->namespace_, p->job_id, p->version}; }
};
struct Summary {
  using Key = std::tuple<Text, Text>;
  Key operator()(const SummaryPtr& p) const { return {p->namespace_, p->job_id}; }
};
struct ScalingEvents {
  using Key = std::tuple<Text, Text>;
  Key operator()(const ScalingEventsPtr& p) const { return {p->namespace_, p->job_id}; }
};
// (namespace, job, group)
struct ScalingTarget {
  using Key = std::tuple<Text, Text, Text>;
  static Text part(const model::ScalingPolicy& policy, Text name) {
    const std::string* value = policy.target.get(name);
    return value == nullptr ? Text() : Text(*value);
  }
  Key operator()(const ScalingPolicyPtr& p) const { return {part(*p, "Namespace"), part(*p, "Job"), part(*p, "Group")}; }
};
// (node, ended on the client, id)
struct AllocByNode {
  using Key = std::tuple<Text, bool, Text>;
  Key operator()(const AllocPtr& p) const { return {p->node_id, client_terminal(*p), p->id}; }
};
struct AllocByEval {
  using Key = std::tuple<Text, Text>;
  Key operator()(const AllocPtr& p) const { return {p->eval_id, p->id}; }
};
struct AllocByDeployment {
  using Key = std::tuple<Text, Text>;
  Key operator()(const AllocPtr& p) const { return {p->deployment_id, p->id}; }
};
// (node, name, id)
struct VolumeByNode {
  using Key = std::tuple<Text, Text, Text>;
  Key operator()(const HostVolumePtr& p) const { return {p->node_id, p->name, p->id}; }
};
// (namespace, job, group, volume)
struct ClaimByGroup {
  using Key = std::tuple<Text, Text, Text, Text>;
  Key operator()(const VolumeClaimPtr& p) const { return {p->namespace_, p->job_id, p->task_group_name, p->volume_id}; }
};
}  // namespace keys

struct Tables {
  std::uint64_t index = 0;                            // of the last entry applied
  std::array<std::uint64_t, table_count> indexes{};   // of the last entry that touched each table
  std::uint64_t allocs_deleted_index = 0;             // of the last entry that deleted allocations

  Tree<NodePtr, keys::Id<NodePtr>> nodes;
  Tree<NodePoolPtr, keys::Name<NodePoolPtr>> node_pools;
  Tree<JobPtr, keys::NamespaceId<JobPtr>> jobs;
  Tree<SummaryPtr, keys::Summary> summaries;
  Tree<JobPtr, keys::Version> versions;
  Tree<SubmissionPtr, keys::Submission> submissions;
  Tree<DeploymentPtr, keys::Id<DeploymentPtr>> deployments;
  Tree<DeploymentPtr, keys::Created<DeploymentPtr>> deployments_created;
  Tree<DeploymentPtr, keys::NamespaceCreated<DeploymentPtr>> deployments_namespace;
  Tree<DeploymentPtr, keys::ByJob<DeploymentPtr>> deployments_job;
  Tree<EvalPtr, keys::Id<EvalPtr>> evals;
  Tree<EvalPtr, keys::Created<EvalPtr>> evals_created;
  Tree<EvalPtr, keys::NamespaceCreated<EvalPtr>> evals_namespace;
  Tree<EvalPtr, keys::ByJob<EvalPtr>> evals_job;
  Tree<AllocPtr, keys::Id<AllocPtr>> allocs;
  Tree<AllocPtr, keys::Created<AllocPtr>> allocs_created;
  Tree<AllocPtr, keys::NamespaceCreated<AllocPtr>> allocs_namespace;
  Tree<AllocPtr, keys::AllocByNode> allocs_node;
  Tree<AllocPtr, keys::ByJob<AllocPtr>> allocs_job;
  Tree<AllocPtr, keys::AllocByEval> allocs_eval;
  Tree<AllocPtr, keys::AllocByDeployment> allocs_deployment;  // only those of a deployment
  Tree<NamespacePtr, keys::Name<NamespacePtr>> namespaces;
  Tree<ScalingPolicyPtr, keys::Id<ScalingPolicyPtr>> scaling_policies;
  Tree<ScalingPolicyPtr, keys::ScalingTarget> scaling_targets;
  Tree<ScalingEventsPtr, keys::ScalingEvents> scaling_events;
  Tree<LaunchPtr, keys::NamespaceId<LaunchPtr>> periodic_launches;
  Tree<HostVolumePtr, keys::NamespaceId<HostVolumePtr>> host_volumes;
  Tree<HostVolumePtr, keys::VolumeByNode> host_volumes_node;
  Tree<VolumeClaimPtr, keys::Id<VolumeClaimPtr>> volume_claims;
  Tree<VolumeClaimPtr, keys::ClaimByGroup> volume_claims_group;
  ConfigPtr scheduler_config;
  std::shared_ptr<const model::AutopilotConfiguration> autopilot;  // null: the defaults

  [[nodiscard]] std::uint64_t index_of(Table table) const { return indexes[static_cast<std::size_t>(table)]; }
};

}  // namespace drover::state
