// The log entries: a type byte, then one described request in MessagePack. Every id and time is in the request, so applying it
// is deterministic. Internal: fields may be added in any release, since unknown ones are skipped.
#pragma once

#include <string>

#include "lib/model/alloc.h"
#include "lib/model/api_job.h"
#include "lib/model/api_volume.h"
#include "lib/model/cluster.h"
#include "lib/model/config.h"
#include "lib/model/deployment.h"
#include "lib/model/eval.h"
#include "lib/model/job.h"
#include "lib/model/node.h"
#include "sdk/base/error.h"

namespace drover::fsm {

// Numbers are stored: never change or reuse one. A type with bit 128 may be skipped by a server that does not know it.
enum class MessageType : std::uint8_t {
  node_register = 0,
  node_deregister = 1,
  node_update_status = 2,
  node_drain = 3,
  job_register = 4,
  job_deregister = 5,
  eval_update = 6,
  eval_delete = 7,
  alloc_client_update = 9,
  reconcile_summaries = 10,
  plan_result = 13,
  deployment_status = 14,
  deployment_promote = 15,
  deployment_health = 16,
  deployment_delete = 17,
  job_stability = 18,
  autopilot_config = 24,
  job_batch_deregister = 26,
  alloc_desired_transition = 27,
  node_eligibility = 28,
  scheduler_config = 30,
  scaling_event = 38,
  node_pool_upsert = 59,
  node_pool_delete = 60,
  job_version_tag = 61,
  host_volume_upsert = 66,
  host_volume_delete = 67,
  volume_claim_delete = 68,
  namespace_upsert = 64,
  namespace_delete = 65,
  restore_piece = 120,
  restore_end = 121,
  ignore_unknown_flag = 128,
};

using model::Box;
using model::List;
using model::Map;
using EvalList = List<std::shared_ptr<const model::Evaluation>>;
using AllocList = List<std::shared_ptr<const model::Allocation>>;

struct NodeRegister {
  static constexpr auto type = MessageType::node_register;
  std::shared_ptr<const model::Node> node;
  Box<model::NodeEvent> event;
  EvalList evals;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Node", self.node);
    v("Event", self.event);
    v("Evals", self.evals);
  }
};

struct NodeDeregister {
  static constexpr auto type = MessageType::node_deregister;
  List<std::string> node_ids;
  EvalList evals;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("NodeIDs", self.node_ids);
    v("Evals", self.evals);
  }
};

struct NodeUpdateStatus {
  static constexpr auto type = MessageType::node_update_status;
  std::string node_id;
  std::string status;
  std::int64_t updated_at = 0;
  Box<model::NodeEvent> event;
  EvalList evals;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("NodeID", self.node_id);
    v("Status", self.status);
    v("UpdatedAt", self.updated_at);
    v("Event", self.event);
    v("Evals", self.evals);
  }
};

struct NodeEligibility {
  static constexpr auto type = MessageType::node_eligibility;
  std::string node_id;
  std::string eligibility;
  std::int64_t updated_at = 0;
  Box<model::NodeEvent> event;
  EvalList evals;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("NodeID", self.node_id);
    v("Eligibility", self.eligibility);
    v("UpdatedAt", self.updated_at);
    v("Event", self.event);
    v("Evals", self.evals);
  }
};

// Sets, changes or (without a strategy) ends a drain. `status` of an end: "complete" or "canceled".
struct NodeDrain {
  static constexpr auto type = MessageType::node_drain;
  std::string node_id;
  Box<model::DrainStrategy> strategy;
  bool mark_eligible = false;
  std::string status;
  std::string accessor_id;
  Map<std::string> meta;
  std::int64_t updated_at = 0;  // seconds
  Box<model::NodeEvent> event;
  EvalList evals;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("NodeID", self.node_id);
    v("DrainStrategy", self.strategy);
    v("MarkEligible", self.mark_eligible);
    v("Status", self.status);
    v("AccessorID", self.accessor_id);
    v("Meta", self.meta);
    v("UpdatedAt", self.updated_at);
    v("Event", self.event);
    v("Evals", self.evals);
  }
};

// An event of scaling a group; `count` of the event is empty when nothing was changed.
struct ScalingEvent {
  static constexpr auto type = MessageType::scaling_event;
  std::string namespace_;
  std::string job_id;
  std::string group;
  model::ScalingEvent event;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Namespace", self.namespace_);
    v("JobID", self.job_id);
    v("TaskGroup", self.group);
    v("ScalingEvent", self.event);
  }
};

// `enforce_index`: the job's modify index must still be `job_modify_index` (0: no such job), or nothing is stored.
struct JobRegister {
  static constexpr auto type = MessageType::job_register;
  std::shared_ptr<const model::Job> job;
  std::shared_ptr<const model::Evaluation> eval;
  std::shared_ptr<const model::JobSubmission> submission;
  bool enforce_index = false;
  std::uint64_t job_modify_index = 0;
  std::int64_t tracked_versions = 0;
  Box<ScalingEvent> scaling;  // what a change of a count is remembered as
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Job", self.job);
    v("Eval", self.eval);
    v("Submission", self.submission);
    v("EnforceIndex", self.enforce_index);
    v("JobModifyIndex", self.job_modify_index);
    v("TrackedVersions", self.tracked_versions);
    v("Scaling", self.scaling);
  }
};

struct JobDeregister {
  static constexpr auto type = MessageType::job_deregister;
  std::string namespace_;
  std::string job_id;
  bool purge = false;
  bool no_shutdown_delay = false;
  std::int64_t submit_time = 0;
  std::shared_ptr<const model::Evaluation> eval;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Namespace", self.namespace_);
    v("JobID", self.job_id);
    v("Purge", self.purge);
    v("NoShutdownDelay", self.no_shutdown_delay);
    v("SubmitTime", self.submit_time);
    v("Eval", self.eval);
  }
};

struct JobRef {
  std::string namespace_;
  std::string id;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Namespace", self.namespace_);
    v("ID", self.id);
  }
};

// Names a version of a job, or without a tag takes the name away.
struct JobVersionTag {
  static constexpr auto type = MessageType::job_version_tag;
  std::string namespace_;
  std::string job_id;
  std::uint64_t version = 0;
  std::string name;
  Box<model::JobVersionTag> tag;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Namespace", self.namespace_);
    v("JobID", self.job_id);
    v("Version", self.version);
    v("Name", self.name);
    v("Tag", self.tag);
  }
};

struct NodePoolUpsert {
  static constexpr auto type = MessageType::node_pool_upsert;
  List<model::NodePool> pools;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("NodePools", self.pools);
  }
};

// Refused while a pool has nodes or jobs that have not ended.
struct NodePoolDelete {
  static constexpr auto type = MessageType::node_pool_delete;
  List<std::string> names;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Names", self.names);
  }
};

struct NamespaceUpsert {
  static constexpr auto type = MessageType::namespace_upsert;
  List<model::Namespace> namespaces;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Namespaces", self.namespaces);
  }
};

// Refused while a namespace has jobs or allocations that have not ended.
struct NamespaceDelete {
  static constexpr auto type = MessageType::namespace_delete;
  List<std::string> names;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Namespaces", self.names);
  }
};

struct HostVolumeUpsert {
  static constexpr auto type = MessageType::host_volume_upsert;
  std::shared_ptr<const model::HostVolume> volume;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Volume", self.volume);
  }
};

// Refused while an allocation that has not ended uses the volume, unless forced.
struct HostVolumeDelete {
  static constexpr auto type = MessageType::host_volume_delete;
  std::string namespace_;
  std::string id;
  bool force = false;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Namespace", self.namespace_);
    v("ID", self.id);
    v("Force", self.force);
  }
};

struct VolumeClaimDelete {
  static constexpr auto type = MessageType::volume_claim_delete;
  std::string id;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("ID", self.id);
  }
};

// Garbage collection of jobs: always a purge, and only of jobs that are still dead.
struct JobBatchDeregister {
  static constexpr auto type = MessageType::job_batch_deregister;
  List<JobRef> jobs;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Jobs", self.jobs);
  }
};

struct EvalUpdate {
  static constexpr auto type = MessageType::eval_update;
  EvalList evals;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Evals", self.evals);
  }
};

struct EvalDelete {
  static constexpr auto type = MessageType::eval_delete;
  List<std::string> evals;
  List<std::string> allocs;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Evals", self.evals);
    v("Allocs", self.allocs);
  }
};

struct AllocClientUpdate {
  static constexpr auto type = MessageType::alloc_client_update;
  AllocList allocs;
  EvalList evals;
  std::int64_t now = 0;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Allocs", self.allocs);
    v("Evals", self.evals);
    v("Now", self.now);
  }
};

struct ReconcileSummaries {
  static constexpr auto type = MessageType::reconcile_summaries;
  template <class Self, class V>
  static void describe(Self&, V&) {}
};

// The job is left out when the servers have stored the same version: `job_version` then names it.
struct PlanResult {
  static constexpr auto type = MessageType::plan_result;
  std::string eval_id;
  std::string namespace_;
  std::string job_id;
  std::uint64_t job_version = 0;
  std::shared_ptr<const model::Job> job;
  AllocList stopped;
  AllocList placed;
  AllocList preempted;
  EvalList preemption_evals;
  Box<model::Deployment> deployment;
  List<model::DeploymentStatusUpdate> deployment_updates;
  std::int64_t now = 0;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("EvalID", self.eval_id);
    v("Namespace", self.namespace_);
    v("JobID", self.job_id);
    v("JobVersion", self.job_version);
    v("Job", self.job);
    v("Stopped", self.stopped);
    v("Placed", self.placed);
    v("Preempted", self.preempted);
    v("PreemptionEvals", self.preemption_evals);
    v("Deployment", self.deployment);
    v("DeploymentUpdates", self.deployment_updates);
    v("Now", self.now);
  }
};

// A new status of a deployment that has not ended; `job`: the version its job goes back to.
struct DeploymentStatus {
  static constexpr auto type = MessageType::deployment_status;
  model::DeploymentStatusUpdate update;
  std::shared_ptr<const model::Job> job;
  std::int64_t tracked_versions = 0;
  std::shared_ptr<const model::Evaluation> eval;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Update", self.update);
    v("Job", self.job);
    v("TrackedVersions", self.tracked_versions);
    v("Eval", self.eval);
  }
};

// Refused when a group has too few healthy canaries.
struct DeploymentPromote {
  static constexpr auto type = MessageType::deployment_promote;
  std::string deployment_id;
  bool all = false;
  List<std::string> groups;
  std::int64_t now = 0;
  std::shared_ptr<const model::Evaluation> eval;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("DeploymentID", self.deployment_id);
    v("All", self.all);
    v("Groups", self.groups);
    v("Now", self.now);
    v("Eval", self.eval);
  }
};

// The health of allocations as somebody else than their client judges it, and what follows of it.
struct DeploymentHealth {
  static constexpr auto type = MessageType::deployment_health;
  std::string deployment_id;
  List<std::string> healthy;
  List<std::string> unhealthy;
  std::int64_t now = 0;
  Box<model::DeploymentStatusUpdate> update;
  std::shared_ptr<const model::Job> job;
  std::int64_t tracked_versions = 0;
  std::shared_ptr<const model::Evaluation> eval;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("DeploymentID", self.deployment_id);
    v("Healthy", self.healthy);
    v("Unhealthy", self.unhealthy);
    v("Now", self.now);
    v("Update", self.update);
    v("Job", self.job);
    v("TrackedVersions", self.tracked_versions);
    v("Eval", self.eval);
  }
};

struct JobStability {
  static constexpr auto type = MessageType::job_stability;
  std::string namespace_;
  std::string job_id;
  std::uint64_t version = 0;
  bool stable = false;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Namespace", self.namespace_);
    v("JobID", self.job_id);
    v("Version", self.version);
    v("Stable", self.stable);
  }
};

struct DeploymentDelete {
  static constexpr auto type = MessageType::deployment_delete;
  List<std::string> deployments;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Deployments", self.deployments);
  }
};

struct AllocDesiredTransition {
  static constexpr auto type = MessageType::alloc_desired_transition;
  Map<model::DesiredTransition> transitions;
  EvalList evals;
  std::int64_t now = 0;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Transitions", self.transitions);
    v("Evals", self.evals);
    v("Now", self.now);
  }
};

struct SchedulerConfig {
  static constexpr auto type = MessageType::scheduler_config;
  model::SchedulerConfiguration config;
  std::optional<std::uint64_t> check_index;  // the stored one must have been changed last there
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Config", self.config);
    v("CheckIndex", self.check_index);
  }
};

struct AutopilotConfig {
  static constexpr auto type = MessageType::autopilot_config;
  model::AutopilotConfiguration config;
  std::optional<std::uint64_t> check_index;  // the stored one must have been changed last there
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Config", self.config);
    v("CheckIndex", self.check_index);
  }
};

// A saved state that is to take the place of this one, in pieces: records, each with its length in four bytes before it.
struct RestorePiece {
  static constexpr auto type = MessageType::restore_piece;
  std::string id;
  std::uint64_t number = 0;
  model::Bytes data;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("ID", self.id);
    v("Number", self.number);
    v("Data", self.data);
  }
};

// Refused when a piece is missing.
struct RestoreEnd {
  static constexpr auto type = MessageType::restore_end;
  std::string id;
  std::uint64_t pieces = 0;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("ID", self.id);
    v("Pieces", self.pieces);
  }
};

// Instantiated in messages.cc for the types above.
template <class Message>
[[nodiscard]] std::string encode(const Message& message);
template <class Message>
[[nodiscard]] Result<Message> decode(std::string_view entry);

// The name events and metrics derive from, "JobRegistered" and the like; empty when nothing is told about it.
[[nodiscard]] std::string_view event_type(MessageType type);

}  // namespace drover::fsm
