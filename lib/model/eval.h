// Evaluations: requests to the scheduler.
// Field names, types and order are wire facts (HTTP API contract, appendix A); `describe` lists each once.
#pragma once

#include <memory>
#include <string>

#include "lib/model/types.h"
#include "lib/model/alloc.h"

namespace drover::model {

struct EvaluationStub {
  std::string id;
  std::string namespace_;
  std::int64_t priority = 0;
  std::string type;
  std::string triggered_by;
  std::string job_id;
  std::string node_id;
  std::string deployment_id;
  std::string status;
  std::string status_description;
  Time wait_until;
  std::string next_eval;
  std::string previous_eval;
  std::string blocked_eval;
  std::uint64_t create_index = 0;
  std::uint64_t modify_index = 0;
  std::int64_t create_time = 0;
  std::int64_t modify_time = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("ID", self.id);
    v("Namespace", self.namespace_);
    v("Priority", self.priority);
    v("Type", self.type);
    v("TriggeredBy", self.triggered_by);
    v("JobID", self.job_id);
    v("NodeID", self.node_id);
    v("DeploymentID", self.deployment_id);
    v("Status", self.status);
    v("StatusDescription", self.status_description);
    v("WaitUntil", self.wait_until);
    v("NextEval", self.next_eval);
    v("PreviousEval", self.previous_eval);
    v("BlockedEval", self.blocked_eval);
    v("CreateIndex", self.create_index);
    v("ModifyIndex", self.modify_index);
    v("CreateTime", self.create_time);
    v("ModifyTime", self.modify_time);
  }
  friend bool operator==(const EvaluationStub&, const EvaluationStub&) = default;
};

struct DesiredUpdates {
  std::uint64_t ignore = 0;
  std::uint64_t place = 0;
  std::uint64_t migrate = 0;
  std::uint64_t stop = 0;
  std::uint64_t in_place_update = 0;
  std::uint64_t destructive_update = 0;
  std::uint64_t canary = 0;
  std::uint64_t preemptions = 0;
  std::uint64_t disconnect = 0;
  std::uint64_t reconnect = 0;
  std::uint64_t reschedule_now = 0;
  std::uint64_t reschedule_later = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Ignore", self.ignore);
    v("Place", self.place);
    v("Migrate", self.migrate);
    v("Stop", self.stop);
    v("InPlaceUpdate", self.in_place_update);
    v("DestructiveUpdate", self.destructive_update);
    v("Canary", self.canary);
    v("Preemptions", self.preemptions);
    v("Disconnect", self.disconnect);
    v("Reconnect", self.reconnect);
    v("RescheduleNow", self.reschedule_now);
    v("RescheduleLater", self.reschedule_later);
  }
  friend bool operator==(const DesiredUpdates&, const DesiredUpdates&) = default;
};

struct PlanAnnotations {
  Map<DesiredUpdates> desired_tg_updates;
  List<AllocListStub> preempted_allocs;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("DesiredTGUpdates", self.desired_tg_updates);
    v("PreemptedAllocs", self.preempted_allocs);
  }
  friend bool operator==(const PlanAnnotations&, const PlanAnnotations&) = default;
};

struct Evaluation {
  static constexpr bool omit_zero = true;  // every zero field is left out
  std::string id;
  std::string namespace_;
  std::int64_t priority = 0;
  std::string type;
  std::string triggered_by;
  std::string job_id;
  std::uint64_t job_modify_index = 0;
  std::string node_id;
  std::uint64_t node_modify_index = 0;
  std::string deployment_id;
  std::string status;
  std::string status_description;
  Duration wait{};
  Time wait_until;
  std::string next_eval;
  std::string previous_eval;
  std::string blocked_eval;
  List<EvaluationStub> related_evals;
  Map<AllocMetric> failed_tg_allocs;
  Box<PlanAnnotations> plan_annotations;
  Map<bool> class_eligibility;
  std::string quota_limit_reached;
  List<std::string> missing_non_node_resources;
  bool escaped_computed_class = false;
  bool annotate_plan = false;
  Map<std::int64_t> queued_allocations;
  std::string leader_acl;
  std::uint64_t snapshot_index = 0;
  std::uint64_t create_index = 0;
  std::uint64_t modify_index = 0;
  std::int64_t create_time = 0;
  std::int64_t modify_time = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("ID", self.id);
    v("Namespace", self.namespace_);
    v("Priority", self.priority);
    v("Type", self.type);
    v("TriggeredBy", self.triggered_by);
    v("JobID", self.job_id);
    v("JobModifyIndex", self.job_modify_index);
    v("NodeID", self.node_id);
    v("NodeModifyIndex", self.node_modify_index);
    v("DeploymentID", self.deployment_id);
    v("Status", self.status);
    v("StatusDescription", self.status_description);
    v("Wait", self.wait);
    v("WaitUntil", self.wait_until);
    v("NextEval", self.next_eval);
    v("PreviousEval", self.previous_eval);
    v("BlockedEval", self.blocked_eval);
    v("RelatedEvals", self.related_evals);
    v("FailedTGAllocs", self.failed_tg_allocs);
    v("PlanAnnotations", self.plan_annotations);
    v("ClassEligibility", self.class_eligibility);
    v("QuotaLimitReached", self.quota_limit_reached);
    v("MissingNonNodeResources", self.missing_non_node_resources);
    v("EscapedComputedClass", self.escaped_computed_class);
    v("AnnotatePlan", self.annotate_plan);
    v("QueuedAllocations", self.queued_allocations);
    v("LeaderACL", self.leader_acl);
    v("SnapshotIndex", self.snapshot_index);
    v("CreateIndex", self.create_index);
    v("ModifyIndex", self.modify_index);
    v("CreateTime", self.create_time);
    v("ModifyTime", self.modify_time);
  }
  friend bool operator==(const Evaluation&, const Evaluation&) = default;
};

}  // namespace drover::model
