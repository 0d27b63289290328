// Requests and answers of the deployment and evaluation endpoints.
// Field names, types and order are wire facts (HTTP API contract, appendix A); `describe` lists each once.
#pragma once

#include <memory>
#include <string>

#include "lib/model/types.h"
#include "lib/model/query.h"

namespace drover::model {

struct DeploymentAllocHealthRequest : WriteRequest {
  std::string deployment_id;
  List<std::string> healthy_allocation_ids;
  List<std::string> unhealthy_allocation_ids;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    WriteRequest::describe(self, v);
    v("DeploymentID", self.deployment_id);
    v("HealthyAllocationIDs", self.healthy_allocation_ids);
    v("UnhealthyAllocationIDs", self.unhealthy_allocation_ids);
  }
  friend bool operator==(const DeploymentAllocHealthRequest&, const DeploymentAllocHealthRequest&) = default;
};

struct DeploymentPauseRequest : WriteRequest {
  std::string deployment_id;
  bool pause = false;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    WriteRequest::describe(self, v);
    v("DeploymentID", self.deployment_id);
    v("Pause", self.pause);
  }
  friend bool operator==(const DeploymentPauseRequest&, const DeploymentPauseRequest&) = default;
};

struct DeploymentPromoteRequest : WriteRequest {
  std::string deployment_id;
  bool all = false;
  List<std::string> groups;
  std::int64_t promoted_at = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    WriteRequest::describe(self, v);
    v("DeploymentID", self.deployment_id);
    v("All", self.all);
    v("Groups", self.groups);
    v("PromotedAt", self.promoted_at);
  }
  friend bool operator==(const DeploymentPromoteRequest&, const DeploymentPromoteRequest&) = default;
};

struct DeploymentUnblockRequest : WriteRequest {
  std::string deployment_id;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    WriteRequest::describe(self, v);
    v("DeploymentID", self.deployment_id);
  }
  friend bool operator==(const DeploymentUnblockRequest&, const DeploymentUnblockRequest&) = default;
};

struct DeploymentUpdateResponse : WriteMeta {
  std::string eval_id;
  std::uint64_t eval_create_index = 0;
  std::uint64_t deployment_modify_index = 0;
  std::optional<std::uint64_t> reverted_job_version;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    WriteMeta::describe(self, v);
    v("EvalID", self.eval_id);
    v("EvalCreateIndex", self.eval_create_index);
    v("DeploymentModifyIndex", self.deployment_modify_index);
    v("RevertedJobVersion", self.reverted_job_version);
  }
  friend bool operator==(const DeploymentUpdateResponse&, const DeploymentUpdateResponse&) = default;
};

struct EvalCountResponse : QueryMeta {
  std::int64_t count = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    QueryMeta::describe(self, v);
    v("Count", self.count);
  }
  friend bool operator==(const EvalCountResponse&, const EvalCountResponse&) = default;
};

struct EvalDeleteRequest : WriteRequest {
  List<std::string> eval_ids;
  std::string filter;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    WriteRequest::describe(self, v);
    v("EvalIDs", self.eval_ids);
    v("Filter", self.filter);
  }
  friend bool operator==(const EvalDeleteRequest&, const EvalDeleteRequest&) = default;
};

struct EvalDeleteResponse : WriteMeta {
  std::int64_t count = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    WriteMeta::describe(self, v);
    v("Count", self.count);
  }
  friend bool operator==(const EvalDeleteResponse&, const EvalDeleteResponse&) = default;
};

struct EvalOptions {
  bool force_reschedule = false;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("ForceReschedule", self.force_reschedule);
  }
  friend bool operator==(const EvalOptions&, const EvalOptions&) = default;
};

}  // namespace drover::model
