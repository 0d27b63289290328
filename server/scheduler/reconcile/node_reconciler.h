// Compares what each node should run of a system job with what it runs (server contract 12). Pure.
#pragma once

#include <set>

#include "server/scheduler/nodes.h"
#include "server/scheduler/reconcile/alloc_set.h"
#include "server/scheduler/reconcile/changes.h"

namespace drover::scheduler {

struct NodePlacement {
  std::string name;
  const model::TaskGroup* group = nullptr;
  std::string node_id;
  AllocPtr previous = {};
  bool canary = false;
};

// An allocation of an older version; it is changed in place or stopped and placed again on its node.
struct NodeUpdate {
  std::string name;
  const model::TaskGroup* group = nullptr;
  AllocPtr alloc;
  bool canary = false;
};

struct NodeChanges {
  std::vector<NodePlacement> place;
  std::vector<NodeUpdate> update;
  std::vector<AllocPtr> stop, migrate, lost, ignore, disconnecting, reconnecting;
};

struct NodeInput {
  JobPtr job;  // null when purged
  std::vector<AllocPtr> allocs;
  TaintedNodes tainted;
  const CandidateNodes* nodes = nullptr;
  UnixNanos now = 0;
};

[[nodiscard]] NodeChanges reconcile_nodes(const NodeInput& input);

}  // namespace drover::scheduler
