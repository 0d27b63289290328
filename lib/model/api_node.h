// Requests and answers of the node endpoints.
// Field names, types and order are wire facts (HTTP API contract, appendix A); `describe` lists each once.
#pragma once

#include <memory>
#include <string>

#include "lib/model/types.h"
#include "lib/model/node.h"
#include "lib/model/query.h"

namespace drover::model {

struct NodeDrainUpdateResponse : WriteMeta {
  std::uint64_t node_modify_index = 0;
  List<std::string> eval_ids;
  std::uint64_t eval_create_index = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    WriteMeta::describe(self, v);
    v("NodeModifyIndex", self.node_modify_index);
    v("EvalIDs", self.eval_ids);
    v("EvalCreateIndex", self.eval_create_index);
  }
  friend bool operator==(const NodeDrainUpdateResponse&, const NodeDrainUpdateResponse&) = default;
};

struct NodeEligibilityUpdateResponse : WriteMeta {
  std::uint64_t node_modify_index = 0;
  List<std::string> eval_ids;
  std::uint64_t eval_create_index = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    WriteMeta::describe(self, v);
    v("NodeModifyIndex", self.node_modify_index);
    v("EvalIDs", self.eval_ids);
    v("EvalCreateIndex", self.eval_create_index);
  }
  friend bool operator==(const NodeEligibilityUpdateResponse&, const NodeEligibilityUpdateResponse&) = default;
};

struct NodeMetaApplyRequest : QueryOptions {
  std::string node_id;
  Map<std::optional<std::string>> meta;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    QueryOptions::describe(self, v);
    v("NodeID", self.node_id);
    v("Meta", self.meta);
  }
  friend bool operator==(const NodeMetaApplyRequest&, const NodeMetaApplyRequest&) = default;
};

struct NodeMetaResponse {
  Map<std::string> meta;
  Map<std::optional<std::string>> dynamic;
  Map<std::string> static_;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Meta", self.meta);
    v("Dynamic", self.dynamic);
    v("Static", self.static_);
  }
  friend bool operator==(const NodeMetaResponse&, const NodeMetaResponse&) = default;
};

struct NodeServerInfo {
  std::string rpc_advertise_addr;
  std::int32_t rpc_major_version = 0;
  std::int32_t rpc_minor_version = 0;
  std::string datacenter;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("RPCAdvertiseAddr", self.rpc_advertise_addr);
    v("RPCMajorVersion", self.rpc_major_version);
    v("RPCMinorVersion", self.rpc_minor_version);
    v("Datacenter", self.datacenter);
  }
  friend bool operator==(const NodeServerInfo&, const NodeServerInfo&) = default;
};

struct NodeUpdateEligibilityRequest : WriteRequest {
  std::string node_id;
  std::string eligibility;
  Box<NodeEvent> node_event;
  std::int64_t updated_at = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    WriteRequest::describe(self, v);
    v("NodeID", self.node_id);
    v("Eligibility", self.eligibility);
    v("NodeEvent", self.node_event);
    v("UpdatedAt", self.updated_at);
  }
  friend bool operator==(const NodeUpdateEligibilityRequest&, const NodeUpdateEligibilityRequest&) = default;
};

struct NodeUpdateResponse : QueryMeta {
  Duration heartbeat_ttl{};
  List<std::string> eval_ids;
  std::uint64_t eval_create_index = 0;
  std::uint64_t node_modify_index = 0;
  std::uint64_t features = 0;
  std::string leader_rpc_addr;
  std::int32_t num_nodes = 0;
  List<NodeServerInfo> servers;
  std::string scheduling_eligibility;
  std::optional<std::string> signed_identity;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    QueryMeta::describe(self, v);
    v("HeartbeatTTL", self.heartbeat_ttl);
    v("EvalIDs", self.eval_ids);
    v("EvalCreateIndex", self.eval_create_index);
    v("NodeModifyIndex", self.node_modify_index);
    v("Features", self.features);
    v("LeaderRPCAddr", self.leader_rpc_addr);
    v("NumNodes", self.num_nodes);
    v("Servers", self.servers);
    v("SchedulingEligibility", self.scheduling_eligibility);
    v("SignedIdentity", self.signed_identity);
  }
  friend bool operator==(const NodeUpdateResponse&, const NodeUpdateResponse&) = default;
};

struct NodeUpdateDrainRequest {
  std::string node_id;
  Box<DrainSpec> drain_spec;
  bool mark_eligible = false;
  Map<std::string> meta;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("NodeID", self.node_id);
    v("DrainSpec", self.drain_spec);
    v("MarkEligible", self.mark_eligible);
    v("Meta", self.meta);
  }
  friend bool operator==(const NodeUpdateDrainRequest&, const NodeUpdateDrainRequest&) = default;
};

}  // namespace drover::model
