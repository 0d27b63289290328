// Deployments of service jobs.
// Field names, types and order are wire facts (HTTP API contract, appendix A); `describe` lists each once.
#pragma once

#include <memory>
#include <string>

#include "lib/model/types.h"

namespace drover::model {

struct DeploymentState {
  bool auto_revert = false;
  bool auto_promote = false;
  Duration progress_deadline{};
  Time require_progress_by;
  bool promoted = false;
  List<std::string> placed_canaries;
  std::int64_t desired_canaries = 0;
  std::int64_t desired_total = 0;
  std::int64_t placed_allocs = 0;
  std::int64_t healthy_allocs = 0;
  std::int64_t unhealthy_allocs = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("AutoRevert", self.auto_revert);
    v("AutoPromote", self.auto_promote);
    v("ProgressDeadline", self.progress_deadline);
    v("RequireProgressBy", self.require_progress_by);
    v("Promoted", self.promoted);
    v("PlacedCanaries", self.placed_canaries);
    v("DesiredCanaries", self.desired_canaries);
    v("DesiredTotal", self.desired_total);
    v("PlacedAllocs", self.placed_allocs);
    v("HealthyAllocs", self.healthy_allocs);
    v("UnhealthyAllocs", self.unhealthy_allocs);
  }
  friend bool operator==(const DeploymentState&, const DeploymentState&) = default;
};

struct Deployment {
  std::string id;
  std::string namespace_;
  std::string job_id;
  std::uint64_t job_version = 0;
  std::uint64_t job_modify_index = 0;
  std::uint64_t job_spec_modify_index = 0;
  std::uint64_t job_create_index = 0;
  bool is_multiregion = false;
  Map<DeploymentState> task_groups;
  std::string status;
  std::string status_description;
  std::int64_t eval_priority = 0;
  std::uint64_t create_index = 0;
  std::uint64_t modify_index = 0;
  std::int64_t create_time = 0;
  std::int64_t modify_time = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("ID", self.id);
    v("Namespace", self.namespace_);
    v("JobID", self.job_id);
    v("JobVersion", self.job_version);
    v("JobModifyIndex", self.job_modify_index);
    v("JobSpecModifyIndex", self.job_spec_modify_index);
    v("JobCreateIndex", self.job_create_index);
    v("IsMultiregion", self.is_multiregion);
    v("TaskGroups", self.task_groups);
    v("Status", self.status);
    v("StatusDescription", self.status_description);
    v("EvalPriority", self.eval_priority);
    v("CreateIndex", self.create_index);
    v("ModifyIndex", self.modify_index);
    v("CreateTime", self.create_time);
    v("ModifyTime", self.modify_time);
  }
  friend bool operator==(const Deployment&, const Deployment&) = default;
};

struct DeploymentStatusUpdate {
  std::string deployment_id;
  std::string status;
  std::string status_description;
  std::int64_t updated_at = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("DeploymentID", self.deployment_id);
    v("Status", self.status);
    v("StatusDescription", self.status_description);
    v("UpdatedAt", self.updated_at);
  }
  friend bool operator==(const DeploymentStatusUpdate&, const DeploymentStatusUpdate&) = default;
};

}  // namespace drover::model
