// The RPCs between agents: each is a name, a request type and an answer type. Servers register handlers for them
// (server/rpc), the client role and the HTTP API call them through a Caller, whether the server is in this process or not.
#pragma once

#include "lib/model/api_agent.h"
#include "lib/model/api_misc.h"
#include "lib/model/api_why.h"
#include "lib/model/cluster.h"
#include "lib/model/rpc.h"
#include "lib/model/rpc_volume.h"

namespace drover::wire {

template <class Req, class Rep>
struct Endpoint {
  using Request = Req;
  using Reply = Rep;
  const char* name;
};

namespace endpoints {
using namespace drover::model;

inline constexpr Endpoint<JobRegisterRequest, JobRegisterResponse> job_register{"Job.Register"};
inline constexpr Endpoint<JobDeregisterRequest, JobDeregisterResponse> job_deregister{"Job.Deregister"};
inline constexpr Endpoint<JobEvaluateRequest, JobRegisterResponse> job_evaluate{"Job.Evaluate"};
inline constexpr Endpoint<JobPlanRequest, JobPlanResponse> job_plan{"Job.Plan"};
inline constexpr Endpoint<JobValidateRequest, JobValidateResponse> job_validate{"Job.Validate"};
inline constexpr Endpoint<ListRequest, ListReply<JobListStub>> job_list{"Job.List"};
inline constexpr Endpoint<ObjectRequest, ObjectReply<Job>> job_get{"Job.GetJob"};
inline constexpr Endpoint<JobVersionsRequest, JobVersionsResponse> job_versions{"Job.GetJobVersions"};
inline constexpr Endpoint<JobSubmissionRequest, ObjectReply<JobSubmission>> job_submission{"Job.GetJobSubmission"};
inline constexpr Endpoint<ObjectRequest, ObjectReply<JobSummary>> job_summary{"Job.Summary"};
inline constexpr Endpoint<JobAllocationsRequest, ListReply<AllocListStub>> job_allocations{"Job.Allocations"};
inline constexpr Endpoint<ObjectRequest, ListReply<std::shared_ptr<const Evaluation>>> job_evaluations{"Job.Evaluations"};
inline constexpr Endpoint<ObjectRequest, ListReply<std::shared_ptr<const Deployment>>> job_deployments{"Job.Deployments"};

inline constexpr Endpoint<JobStatusesCall, ListReply<JobStatusesJob>> job_statuses{"Job.Statuses"};
inline constexpr Endpoint<ObjectRequest, ObjectReply<JobScaleStatus>> job_scale_status{"Job.ScaleStatus"};
inline constexpr Endpoint<ObjectRequest, ObjectReply<JobWhy>> job_why{"Job.Why"};
inline constexpr Endpoint<JobScaleRequest, JobRegisterResponse> job_scale{"Job.Scale"};
inline constexpr Endpoint<JobStabilityRequest, JobStabilityResponse> job_stable{"Job.Stable"};
inline constexpr Endpoint<JobRevertRequest, JobRegisterResponse> job_revert{"Job.Revert"};
inline constexpr Endpoint<JobTagRequest, JobTagResponse> job_tag{"Job.TagVersion"};
inline constexpr Endpoint<JobDispatchCall, JobDispatchResponse> job_dispatch{"Job.Dispatch"};
inline constexpr Endpoint<NameRequest, PeriodicForceResponse> periodic_force{"Periodic.Force"};
inline constexpr Endpoint<ScalingPoliciesRequest, ListReply<ScalingPolicyListStub>> scaling_policies{"Scaling.ListPolicies"};
inline constexpr Endpoint<ObjectRequest, ObjectReply<ScalingPolicy>> scaling_policy{"Scaling.GetPolicy"};

inline constexpr Endpoint<ListRequest, ListReply<std::shared_ptr<const Evaluation>>> eval_list{"Eval.List"};
inline constexpr Endpoint<ObjectRequest, ObjectReply<Evaluation>> eval_get{"Eval.GetEval"};
inline constexpr Endpoint<ObjectRequest, ListReply<AllocListStub>> eval_allocations{"Eval.Allocations"};
inline constexpr Endpoint<ListRequest, EvalCountResponse> eval_count{"Eval.Count"};

inline constexpr Endpoint<EvalDeleteRequest, EvalDeleteResponse> eval_delete{"Eval.Delete"};

inline constexpr Endpoint<ListRequest, ListReply<AllocListStub>> alloc_list{"Alloc.List"};
inline constexpr Endpoint<ObjectRequest, ObjectReply<Allocation>> alloc_get{"Alloc.GetAlloc"};
inline constexpr Endpoint<AllocGetRequest, ListReply<std::shared_ptr<const Allocation>>> alloc_get_many{"Alloc.GetAllocs"};
inline constexpr Endpoint<AllocStopRequest, AllocStopResponse> alloc_stop{"Alloc.Stop"};

inline constexpr Endpoint<ListRequest, ListReply<std::shared_ptr<const Deployment>>> deployment_list{"Deployment.List"};
inline constexpr Endpoint<ObjectRequest, ObjectReply<Deployment>> deployment_get{"Deployment.GetDeployment"};
inline constexpr Endpoint<ObjectRequest, ListReply<AllocListStub>> deployment_allocations{"Deployment.Allocations"};

inline constexpr Endpoint<ObjectRequest, DeploymentUpdateResponse> deployment_fail{"Deployment.Fail"};
inline constexpr Endpoint<DeploymentPauseRequest, DeploymentUpdateResponse> deployment_pause{"Deployment.Pause"};
inline constexpr Endpoint<DeploymentPromoteRequest, DeploymentUpdateResponse> deployment_promote{"Deployment.Promote"};
inline constexpr Endpoint<DeploymentUnblockRequest, DeploymentUpdateResponse> deployment_unblock{"Deployment.Unblock"};
inline constexpr Endpoint<DeploymentAllocHealthRequest, DeploymentUpdateResponse> deployment_health{"Deployment.SetAllocHealth"};

inline constexpr Endpoint<NodeRegisterRequest, NodeUpdateResponse> node_register{"Node.Register"};
inline constexpr Endpoint<NodeUpdateStatusRequest, NodeUpdateResponse> node_update_status{"Node.UpdateStatus"};
inline constexpr Endpoint<NodeClientAllocsRequest, NodeClientAllocsReply> node_client_allocs{"Node.GetClientAllocs"};
inline constexpr Endpoint<NodeUpdateAllocRequest, WriteMeta> node_update_alloc{"Node.UpdateAlloc"};
inline constexpr Endpoint<ListRequest, ListReply<NodeListStub>> node_list{"Node.List"};
inline constexpr Endpoint<ObjectRequest, ObjectReply<Node>> node_get{"Node.GetNode"};
inline constexpr Endpoint<ObjectRequest, ListReply<std::shared_ptr<const Allocation>>> node_allocations{"Node.GetAllocs"};
inline constexpr Endpoint<NodeUpdateEligibilityRequest, NodeEligibilityUpdateResponse> node_update_eligibility{"Node.UpdateEligibility"};
inline constexpr Endpoint<NodeUpdateDrainRequest, NodeDrainUpdateResponse> node_update_drain{"Node.UpdateDrain"};
inline constexpr Endpoint<ObjectRequest, NodeUpdateResponse> node_evaluate{"Node.Evaluate"};
inline constexpr Endpoint<NodeDeregisterRequest, NodeUpdateResponse> node_deregister{"Node.Deregister"};

inline constexpr Endpoint<ListRequest, ListReply<std::shared_ptr<const NodePool>>> node_pool_list{"NodePool.List"};
inline constexpr Endpoint<ObjectRequest, ObjectReply<NodePool>> node_pool_get{"NodePool.GetNodePool"};
inline constexpr Endpoint<NodePoolUpsertRequest, WriteMeta> node_pool_upsert{"NodePool.UpsertNodePools"};
inline constexpr Endpoint<NameRequest, WriteMeta> node_pool_delete{"NodePool.DeleteNodePools"};
inline constexpr Endpoint<HostVolumeListRequest, ListReply<HostVolumeStub>> host_volume_list{"HostVolume.List"};
inline constexpr Endpoint<ObjectRequest, ObjectReply<HostVolume>> host_volume_get{"HostVolume.Get"};
inline constexpr Endpoint<HostVolumeCreateRequest, HostVolumeCreateResponse> host_volume_create{"HostVolume.Create"};
inline constexpr Endpoint<HostVolumeRegisterRequest, HostVolumeRegisterResponse> host_volume_register{"HostVolume.Register"};
inline constexpr Endpoint<HostVolumeDeleteRequest, WriteMeta> host_volume_delete{"HostVolume.Delete"};
inline constexpr Endpoint<VolumeClaimsRequest, ListReply<std::shared_ptr<const TaskGroupHostVolumeClaim>>> volume_claims{"TaskGroupHostVolumeClaim.List"};
inline constexpr Endpoint<NameRequest, WriteMeta> volume_claim_delete{"TaskGroupHostVolumeClaim.Delete"};
inline constexpr Endpoint<ListRequest, ListReply<std::shared_ptr<const Namespace>>> namespace_list{"Namespace.ListNamespaces"};
inline constexpr Endpoint<ObjectRequest, ObjectReply<Namespace>> namespace_get{"Namespace.GetNamespace"};
inline constexpr Endpoint<NamespaceUpsertRequest, WriteMeta> namespace_upsert{"Namespace.UpsertNamespaces"};
inline constexpr Endpoint<NameRequest, WriteMeta> namespace_delete{"Namespace.DeleteNamespaces"};
inline constexpr Endpoint<SearchRequest, SearchResponse> search_prefix{"Search.PrefixSearch"};
inline constexpr Endpoint<FuzzySearchRequest, FuzzySearchResponse> search_fuzzy{"Search.FuzzySearch"};

inline constexpr Endpoint<EmptyRequest, StatusReply> status{"Status.Leader"};
inline constexpr Endpoint<EmptyRequest, WriteMeta> system_gc{"System.GarbageCollect"};
inline constexpr Endpoint<EmptyRequest, WriteMeta> system_reconcile{"System.ReconcileJobSummaries"};
inline constexpr Endpoint<EmptyRequest, SchedulerConfigurationResponse> scheduler_config_get{"Operator.SchedulerGetConfiguration"};
inline constexpr Endpoint<SchedulerSetConfigurationRequest, SchedulerSetConfigurationResponse> scheduler_config_set{
    "Operator.SchedulerSetConfiguration"};
inline constexpr Endpoint<EmptyRequest, RaftConfigurationResponse> raft_config{"Operator.RaftGetConfiguration"};
inline constexpr Endpoint<RaftPeerRequest, WriteMeta> raft_remove_peer{"Operator.RaftRemovePeerByID"};
inline constexpr Endpoint<RaftPeerRequest, LeadershipTransferResponse> raft_transfer{"Operator.TransferLeadershipToPeer"};
inline constexpr Endpoint<EmptyRequest, AutopilotReply> autopilot_get{"Operator.AutopilotGetConfiguration"};
inline constexpr Endpoint<AutopilotSetRequest, AutopilotSetReply> autopilot_set{"Operator.AutopilotSetConfiguration"};
inline constexpr Endpoint<EmptyRequest, ClusterHealth> cluster_health{"Operator.ServerHealth"};
// Answered once a majority has confirmed that this server leads: what is read afterwards is not stale.
inline constexpr Endpoint<EmptyRequest, WriteMeta> verify_leader{"Status.VerifyLeader"};
inline constexpr Endpoint<ServerInfoRequest, ServerInfo> server_info{"Server.Info"};
inline constexpr Endpoint<ClusterBootstrapRequest, WriteMeta> cluster_bootstrap{"Server.Bootstrap"};
inline constexpr Endpoint<ServerJoinRequest, ServerJoinReply> server_join{"Server.Join"};
inline constexpr Endpoint<RaftPeerRequest, WriteMeta> server_leave{"Server.Leave"};
}  // namespace endpoints

}  // namespace drover::wire
