// Requests and answers of the RPCs between agents, where the HTTP API has no type of its own for them.
// Internal: fields may be added in any release, since unknown ones are skipped. The endpoints are in lib/wire/endpoints.h.
#pragma once

#include <memory>
#include <string>

#include "lib/model/alloc.h"
#include "lib/model/api_deployment.h"
#include "lib/model/api_job.h"
#include "lib/model/api_node.h"
#include "lib/model/config.h"
#include "lib/model/deployment.h"
#include "lib/model/eval.h"
#include "lib/model/job_summary.h"
#include "lib/model/node.h"
#include "lib/model/query.h"

namespace drover::model {

// A read of one object or of what hangs off it.
struct ObjectRequest : QueryOptions {
  std::string id;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    QueryOptions::describe(self, v);
    v("ID", self.id);
  }
};

// A list. Members beyond QueryOptions are used by the lists that have them.
struct ListRequest : QueryOptions {
  bool all_namespaces = false;      // namespace=*
  bool include_resources = false;   // nodes, allocations: resources=true
  bool include_os = false;          // nodes: os=true
  bool include_meta = false;        // jobs: meta=true
  bool no_task_states = false;      // allocations: task_states=false
  std::string job_id;               // evaluations, scaling policies: job=
  std::string status;               // evaluations: status=
  std::string node_pool;            // nodes, jobs: only those of this pool
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    QueryOptions::describe(self, v);
    v("AllNamespaces", self.all_namespaces);
    v("IncludeResources", self.include_resources);
    v("IncludeOS", self.include_os);
    v("IncludeMeta", self.include_meta);
    v("NoTaskStates", self.no_task_states);
    v("JobID", self.job_id);
    v("Status", self.status);
    v("NodePool", self.node_pool);
  }
};

// `item` is null when there is no such object; the index then is the table's.
template <class T>
struct ObjectReply : QueryMeta {
  std::shared_ptr<const T> item;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    QueryMeta::describe(self, v);
    v("Item", self.item);
  }
};

template <class T>
struct ListReply : QueryMeta {
  List<T> items;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    QueryMeta::describe(self, v);
    v("Items", self.items);
  }
};

struct JobDeregisterRequest : WriteRequest {
  std::string job_id;
  bool purge = false;
  bool global = false;
  std::int64_t eval_priority = 0;
  bool no_shutdown_delay = false;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    WriteRequest::describe(self, v);
    v("JobID", self.job_id);
    v("Purge", self.purge);
    v("Global", self.global);
    v("EvalPriority", self.eval_priority);
    v("NoShutdownDelay", self.no_shutdown_delay);
  }
};

struct JobAllocationsRequest : ObjectRequest {
  bool all = false;  // also those of purged jobs of the same name
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    ObjectRequest::describe(self, v);
    v("All", self.all);
  }
};

struct JobSubmissionRequest : ObjectRequest {
  std::uint64_t version = 0;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    ObjectRequest::describe(self, v);
    v("Version", self.version);
  }
};

struct JobVersionsRequest : ObjectRequest {
  bool diffs = false;
  std::string diff_tag;
  std::optional<std::uint64_t> diff_version;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    ObjectRequest::describe(self, v);
    v("Diffs", self.diffs);
    v("DiffTag", self.diff_tag);
    v("DiffVersion", self.diff_version);
  }
};

struct AllocStopRequest : WriteRequest {
  std::string alloc_id;
  bool no_shutdown_delay = false;
  bool reschedule = false;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    WriteRequest::describe(self, v);
    v("AllocID", self.alloc_id);
    v("NoShutdownDelay", self.no_shutdown_delay);
    v("Reschedule", self.reschedule);
  }
};

struct NodeRegisterRequest : WriteRequest {
  std::shared_ptr<const Node> node;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    WriteRequest::describe(self, v);
    v("Node", self.node);
  }
};

// A heartbeat, or a change of status.
struct NodeUpdateStatusRequest : WriteRequest {
  std::string node_id;
  std::string secret_id;
  std::string status;
  Box<NodeEvent> node_event;
  std::int64_t updated_at = 0;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    WriteRequest::describe(self, v);
    v("NodeID", self.node_id);
    v("SecretID", self.secret_id);
    v("Status", self.status);
    v("NodeEvent", self.node_event);
    v("UpdatedAt", self.updated_at);
  }
};

struct NodeDeregisterRequest : WriteRequest {
  std::string node_id;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    WriteRequest::describe(self, v);
    v("NodeID", self.node_id);
  }
};

// A client's parked query for what it should run. The answer names all its allocations with their AllocModifyIndex and brings
// along, up to a limit, those changed after `min_query_index`, so that one answer usually suffices.
struct NodeClientAllocsRequest : QueryOptions {
  std::string node_id;
  std::string secret_id;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    QueryOptions::describe(self, v);
    v("NodeID", self.node_id);
    v("SecretID", self.secret_id);
  }
};
struct NodeClientAllocsReply : QueryMeta {
  Map<std::uint64_t> alloc_modify_indexes;
  List<std::shared_ptr<const Allocation>> changed;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    QueryMeta::describe(self, v);
    v("Allocs", self.alloc_modify_indexes);
    v("Changed", self.changed);
  }
};

struct AllocGetRequest : QueryOptions {
  List<std::string> alloc_ids;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    QueryOptions::describe(self, v);
    v("AllocIDs", self.alloc_ids);
  }
};

// States of allocations as the client sees them. Only the fields a client owns count.
struct NodeUpdateAllocRequest : WriteRequest {
  std::string node_id;
  std::string secret_id;
  List<std::shared_ptr<const Allocation>> allocs;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    WriteRequest::describe(self, v);
    v("NodeID", self.node_id);
    v("SecretID", self.secret_id);
    v("Alloc", self.allocs);
  }
};

struct NamespaceUpsertRequest : WriteRequest {
  std::shared_ptr<const Namespace> item;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    WriteRequest::describe(self, v);
    v("Item", self.item);
  }
};

struct NodePoolUpsertRequest : WriteRequest {
  std::shared_ptr<const NodePool> item;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    WriteRequest::describe(self, v);
    v("Item", self.item);
  }
};

// A write that names one object, by its name or id.
struct NameRequest : WriteRequest {
  std::string name;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    WriteRequest::describe(self, v);
    v("Name", self.name);
  }
};

struct SchedulerSetConfigurationRequest : WriteRequest {
  SchedulerConfiguration config;
  std::optional<std::uint64_t> check_index;  // only when the stored one was last changed there
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    WriteRequest::describe(self, v);
    v("Config", self.config);
    v("CheckIndex", self.check_index);
  }
};

struct JobScaleRequest : ScalingRequest {
  std::string job_id;
  std::string group;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    ScalingRequest::describe(self, v);
    v("JobID", self.job_id);
    v("Group", self.group);
  }
};

// `idempotency_token`: a live child with the same token is answered instead of starting another.
struct JobDispatchCall : JobDispatchRequest {
  std::string idempotency_token;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    JobDispatchRequest::describe(self, v);
    v("IdempotencyToken", self.idempotency_token);
  }
};

// Puts a name on a version of a job; without `tagged` it takes the name away.
struct JobTagRequest : WriteRequest {
  std::string job_id;
  std::string name;
  std::string description;
  bool tagged = false;
  std::optional<std::uint64_t> version;  // none: the newest
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    WriteRequest::describe(self, v);
    v("JobID", self.job_id);
    v("Name", self.name);
    v("Description", self.description);
    v("Tagged", self.tagged);
    v("Version", self.version);
  }
};

// `jobs` empty: every job.
struct JobStatusesCall : ListRequest {
  List<NamespacedID> jobs;
  bool include_children = false;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    ListRequest::describe(self, v);
    v("Jobs", self.jobs);
    v("IncludeChildren", self.include_children);
  }
};

struct ScalingPoliciesRequest : ListRequest {
  std::string type;  // a prefix of the policy's
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    ListRequest::describe(self, v);
    v("Type", self.type);
  }
};

struct EmptyRequest : QueryOptions {
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    QueryOptions::describe(self, v);
  }
};

struct StatusReply : QueryMeta {
  std::string leader;          // host:port of the RPC listener, empty without a leader
  List<std::string> peers;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    QueryMeta::describe(self, v);
    v("Leader", self.leader);
    v("Peers", self.peers);
  }
};

}  // namespace drover::model
