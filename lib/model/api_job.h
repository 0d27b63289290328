// Requests and answers of the job endpoints.
// Field names, types and order are wire facts (HTTP API contract, appendix A); `describe` lists each once.
#pragma once

#include <memory>
#include <string>

#include "lib/model/types.h"
#include "lib/model/alloc.h"
#include "lib/model/api_deployment.h"
#include "lib/model/diff.h"
#include "lib/model/eval.h"
#include "lib/model/job.h"
#include "lib/model/query.h"
#include "lib/model/task.h"

namespace drover::model {

struct JobAction : Action {
  std::string task_name;
  std::string task_group_name;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    Action::describe(self, v);
    v("TaskName", self.task_name);
    v("TaskGroupName", self.task_group_name);
  }
  friend bool operator==(const JobAction&, const JobAction&) = default;
};

struct JobDeregisterResponse : QueryMeta {
  std::string eval_id;
  std::uint64_t eval_create_index = 0;
  std::uint64_t job_modify_index = 0;
  std::string volume_eval_id;
  std::uint64_t volume_eval_index = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    QueryMeta::describe(self, v);
    v("EvalID", self.eval_id);
    v("EvalCreateIndex", self.eval_create_index);
    v("JobModifyIndex", self.job_modify_index);
    v("VolumeEvalID", self.volume_eval_id);
    v("VolumeEvalIndex", self.volume_eval_index);
  }
  friend bool operator==(const JobDeregisterResponse&, const JobDeregisterResponse&) = default;
};

struct JobDispatchRequest : WriteRequest {
  std::string job_id;
  Bytes payload;
  Map<std::string> meta;
  std::string id_prefix_template;
  std::int64_t priority = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    WriteRequest::describe(self, v);
    v("JobID", self.job_id);
    v("Payload", self.payload);
    v("Meta", self.meta);
    v("IdPrefixTemplate", self.id_prefix_template);
    v("Priority", self.priority);
  }
  friend bool operator==(const JobDispatchRequest&, const JobDispatchRequest&) = default;
};

struct JobDispatchResponse : WriteMeta {
  std::string dispatched_job_id;
  std::string eval_id;
  std::uint64_t eval_create_index = 0;
  std::uint64_t job_create_index = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    WriteMeta::describe(self, v);
    v("DispatchedJobID", self.dispatched_job_id);
    v("EvalID", self.eval_id);
    v("EvalCreateIndex", self.eval_create_index);
    v("JobCreateIndex", self.job_create_index);
  }
  friend bool operator==(const JobDispatchResponse&, const JobDispatchResponse&) = default;
};

struct JobEvaluateRequest : WriteRequest {
  std::string job_id;
  EvalOptions eval_options;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    WriteRequest::describe(self, v);
    v("JobID", self.job_id);
    v("EvalOptions", self.eval_options);
  }
  friend bool operator==(const JobEvaluateRequest&, const JobEvaluateRequest&) = default;
};

struct JobPlanResponse : WriteMeta {
  Box<PlanAnnotations> annotations;
  Map<AllocMetric> failed_tg_allocs;
  std::uint64_t job_modify_index = 0;
  List<Evaluation> created_evals;
  Box<JobDiff> diff;
  Time next_periodic_launch;
  std::string warnings;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    WriteMeta::describe(self, v);
    v("Annotations", self.annotations);
    v("FailedTGAllocs", self.failed_tg_allocs);
    v("JobModifyIndex", self.job_modify_index);
    v("CreatedEvals", self.created_evals);
    v("Diff", self.diff);
    v("NextPeriodicLaunch", self.next_periodic_launch, null_zero);
    v("Warnings", self.warnings);
  }
  friend bool operator==(const JobPlanResponse&, const JobPlanResponse&) = default;
};

struct JobRegisterResponse : QueryMeta {
  std::string eval_id;
  std::uint64_t eval_create_index = 0;
  std::uint64_t job_modify_index = 0;
  std::string warnings;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    QueryMeta::describe(self, v);
    v("EvalID", self.eval_id);
    v("EvalCreateIndex", self.eval_create_index);
    v("JobModifyIndex", self.job_modify_index);
    v("Warnings", self.warnings);
  }
  friend bool operator==(const JobRegisterResponse&, const JobRegisterResponse&) = default;
};

struct JobRevertRequest : WriteRequest {
  std::string job_id;
  std::uint64_t job_version = 0;
  std::optional<std::uint64_t> enforce_prior_version;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    WriteRequest::describe(self, v);
    v("JobID", self.job_id);
    v("JobVersion", self.job_version);
    v("EnforcePriorVersion", self.enforce_prior_version);
  }
  friend bool operator==(const JobRevertRequest&, const JobRevertRequest&) = default;
};

struct ScalingEvent {
  std::int64_t time = 0;
  std::optional<std::int64_t> count;
  std::int64_t previous_count = 0;
  std::string message;
  bool error = false;
  Any meta;
  std::optional<std::string> eval_id;
  std::uint64_t create_index = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Time", self.time);
    v("Count", self.count);
    v("PreviousCount", self.previous_count);
    v("Message", self.message);
    v("Error", self.error);
    v("Meta", self.meta);
    v("EvalID", self.eval_id);
    v("CreateIndex", self.create_index);
  }
  friend bool operator==(const ScalingEvent&, const ScalingEvent&) = default;
};

// What scaled the groups of one job, newest first; internal, stored by the servers.
struct JobScalingEvents {
  std::string namespace_;
  std::string job_id;
  Map<List<ScalingEvent>> scaling_events;  // by group
  std::uint64_t modify_index = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Namespace", self.namespace_);
    v("JobID", self.job_id);
    v("ScalingEvents", self.scaling_events);
    v("ModifyIndex", self.modify_index);
  }
  friend bool operator==(const JobScalingEvents&, const JobScalingEvents&) = default;
};

struct TaskGroupScaleStatus {
  std::int64_t desired = 0;
  std::int64_t placed = 0;
  std::int64_t running = 0;
  std::int64_t healthy = 0;
  std::int64_t unhealthy = 0;
  List<ScalingEvent> events;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Desired", self.desired);
    v("Placed", self.placed);
    v("Running", self.running);
    v("Healthy", self.healthy);
    v("Unhealthy", self.unhealthy);
    v("Events", self.events);
  }
  friend bool operator==(const TaskGroupScaleStatus&, const TaskGroupScaleStatus&) = default;
};

struct JobScaleStatus {
  std::string job_id;
  std::string namespace_;
  std::uint64_t job_create_index = 0;
  std::uint64_t job_modify_index = 0;
  bool job_stopped = false;
  Map<TaskGroupScaleStatus> task_groups;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("JobID", self.job_id);
    v("Namespace", self.namespace_);
    v("JobCreateIndex", self.job_create_index);
    v("JobModifyIndex", self.job_modify_index);
    v("JobStopped", self.job_stopped);
    v("TaskGroups", self.task_groups);
  }
  friend bool operator==(const JobScaleStatus&, const JobScaleStatus&) = default;
};

struct JobStabilityRequest : WriteRequest {
  std::string job_id;
  std::uint64_t job_version = 0;
  bool stable = false;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    WriteRequest::describe(self, v);
    v("JobID", self.job_id);
    v("JobVersion", self.job_version);
    v("Stable", self.stable);
  }
  friend bool operator==(const JobStabilityRequest&, const JobStabilityRequest&) = default;
};

struct JobStabilityResponse : WriteMeta {

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    WriteMeta::describe(self, v);
  }
  friend bool operator==(const JobStabilityResponse&, const JobStabilityResponse&) = default;
};

struct JobStatusesDeployment {
  bool canary = false;
  std::optional<bool> healthy;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Canary", self.canary);
    v("Healthy", self.healthy);
  }
  friend bool operator==(const JobStatusesDeployment&, const JobStatusesDeployment&) = default;
};

struct JobStatusesAlloc {
  std::string id;
  std::string group;
  std::string client_status;
  std::string node_id;
  JobStatusesDeployment deployment_status;
  std::uint64_t job_version = 0;
  std::string followup_eval_id;
  bool has_paused_task = false;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("ID", self.id);
    v("Group", self.group);
    v("ClientStatus", self.client_status);
    v("NodeID", self.node_id);
    v("DeploymentStatus", self.deployment_status);
    v("JobVersion", self.job_version);
    v("FollowupEvalID", self.followup_eval_id);
    v("HasPausedTask", self.has_paused_task);
  }
  friend bool operator==(const JobStatusesAlloc&, const JobStatusesAlloc&) = default;
};

struct JobStatusesLatestDeployment {
  std::string id;
  bool is_active = false;
  std::uint64_t job_version = 0;
  std::string status;
  std::string status_description;
  bool all_auto_promote = false;
  bool requires_promotion = false;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("ID", self.id);
    v("IsActive", self.is_active);
    v("JobVersion", self.job_version);
    v("Status", self.status);
    v("StatusDescription", self.status_description);
    v("AllAutoPromote", self.all_auto_promote);
    v("RequiresPromotion", self.requires_promotion);
  }
  friend bool operator==(const JobStatusesLatestDeployment&, const JobStatusesLatestDeployment&) = default;
};

struct JobStatusesJob : NamespacedID {
  std::string name;
  std::string type;
  std::string node_pool;
  List<std::string> datacenters;
  std::int64_t priority = 0;
  std::uint64_t version = 0;
  std::int64_t submit_time = 0;
  std::uint64_t modify_index = 0;
  List<JobStatusesAlloc> allocs;
  std::int64_t group_count_sum = 0;
  List<std::string> child_statuses;
  std::string parent_id;
  Box<JobStatusesLatestDeployment> latest_deployment;
  bool stop = false;
  bool is_pack = false;
  std::string status;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    NamespacedID::describe(self, v);
    v("Name", self.name);
    v("Type", self.type);
    v("NodePool", self.node_pool);
    v("Datacenters", self.datacenters);
    v("Priority", self.priority);
    v("Version", self.version);
    v("SubmitTime", self.submit_time);
    v("ModifyIndex", self.modify_index);
    v("Allocs", self.allocs);
    v("GroupCountSum", self.group_count_sum);
    v("ChildStatuses", self.child_statuses);
    v("ParentID", self.parent_id);
    v("LatestDeployment", self.latest_deployment);
    v("Stop", self.stop);
    v("IsPack", self.is_pack);
    v("Status", self.status);
  }
  friend bool operator==(const JobStatusesJob&, const JobStatusesJob&) = default;
};

struct JobTagResponse : QueryMeta {
  std::string name;
  std::string description;
  std::int64_t tagged_time = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    QueryMeta::describe(self, v);
    v("Name", self.name);
    v("Description", self.description);
    v("TaggedTime", self.tagged_time);
  }
  friend bool operator==(const JobTagResponse&, const JobTagResponse&) = default;
};

struct JobValidateResponse {
  bool driver_config_validated = false;
  List<std::string> validation_errors;
  std::string error;
  std::string warnings;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("DriverConfigValidated", self.driver_config_validated);
    v("ValidationErrors", self.validation_errors);
    v("Error", self.error);
    v("Warnings", self.warnings);
  }
  friend bool operator==(const JobValidateResponse&, const JobValidateResponse&) = default;
};

struct JobVersionsResponse : QueryMeta {
  List<std::shared_ptr<const Job>> versions;
  List<JobDiff> diffs;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    QueryMeta::describe(self, v);
    v("Versions", self.versions);
    v("Diffs", self.diffs);
  }
  friend bool operator==(const JobVersionsResponse&, const JobVersionsResponse&) = default;
};

struct PeriodicForceResponse : WriteMeta {
  std::string eval_id;
  std::uint64_t eval_create_index = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    WriteMeta::describe(self, v);
    v("EvalID", self.eval_id);
    v("EvalCreateIndex", self.eval_create_index);
  }
  friend bool operator==(const PeriodicForceResponse&, const PeriodicForceResponse&) = default;
};

struct ScalingPolicyListStub {
  std::string id;
  bool enabled = false;
  std::string type;
  Map<std::string> target;
  std::uint64_t create_index = 0;
  std::uint64_t modify_index = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("ID", self.id);
    v("Enabled", self.enabled);
    v("Type", self.type);
    v("Target", self.target);
    v("CreateIndex", self.create_index);
    v("ModifyIndex", self.modify_index);
  }
  friend bool operator==(const ScalingPolicyListStub&, const ScalingPolicyListStub&) = default;
};

struct JobRegisterRequest : WriteRequest {
  Box<JobSubmission> submission;
  std::shared_ptr<const Job> job;
  bool enforce_index = false;
  std::uint64_t job_modify_index = 0;
  bool policy_override = false;
  bool preserve_counts = false;
  bool preserve_resources = false;
  std::int64_t eval_priority = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    WriteRequest::describe(self, v);
    v("Submission", self.submission);
    v("Job", self.job);
    v("EnforceIndex", self.enforce_index, omit_empty);
    v("JobModifyIndex", self.job_modify_index, omit_empty);
    v("PolicyOverride", self.policy_override, omit_empty);
    v("PreserveCounts", self.preserve_counts, omit_empty);
    v("PreserveResources", self.preserve_resources, omit_empty);
    v("EvalPriority", self.eval_priority, omit_empty);
  }
  friend bool operator==(const JobRegisterRequest&, const JobRegisterRequest&) = default;
};

struct JobPlanRequest : WriteRequest {
  std::shared_ptr<const Job> job;
  bool diff = false;
  bool policy_override = false;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    WriteRequest::describe(self, v);
    v("Job", self.job);
    v("Diff", self.diff);
    v("PolicyOverride", self.policy_override);
  }
  friend bool operator==(const JobPlanRequest&, const JobPlanRequest&) = default;
};

struct JobValidateRequest : WriteRequest {
  std::shared_ptr<const Job> job;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    WriteRequest::describe(self, v);
    v("Job", self.job);
  }
  friend bool operator==(const JobValidateRequest&, const JobValidateRequest&) = default;
};

struct JobsParseRequest {
  std::string job_hcl;
  std::string variables;
  bool canonicalize = false;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("JobHCL", self.job_hcl);
    v("Variables", self.variables);
    v("Canonicalize", self.canonicalize);
  }
  friend bool operator==(const JobsParseRequest&, const JobsParseRequest&) = default;
};

struct ScalingRequest : WriteRequest {
  std::optional<std::int64_t> count;
  Map<std::string> target;
  std::string message;
  bool error = false;
  Any meta;
  bool policy_override = false;
  std::uint64_t job_modify_index = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    WriteRequest::describe(self, v);
    v("Count", self.count);
    v("Target", self.target);
    v("Message", self.message);
    v("Error", self.error);
    v("Meta", self.meta);
    v("PolicyOverride", self.policy_override);
    v("JobModifyIndex", self.job_modify_index);
  }
  friend bool operator==(const ScalingRequest&, const ScalingRequest&) = default;
};

struct JobStatusesRequest {
  List<NamespacedID> jobs;
  bool include_children = false;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Jobs", self.jobs);
    v("IncludeChildren", self.include_children);
  }
  friend bool operator==(const JobStatusesRequest&, const JobStatusesRequest&) = default;
};

struct TagVersionRequest : WriteRequest {
  std::uint64_t version = 0;
  bool latest = false;
  std::string description;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    WriteRequest::describe(self, v);
    v("Version", self.version);
    v("Latest", self.latest);
    v("Description", self.description);
  }
  friend bool operator==(const TagVersionRequest&, const TagVersionRequest&) = default;
};

}  // namespace drover::model
