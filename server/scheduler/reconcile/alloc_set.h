// Sets of allocations and the ways reconciling sorts them (server contract 11.3, 11.4). Pure values, in id order.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "server/scheduler/state_view.h"
#include "sdk/base/clock.h"

namespace drover::scheduler {

using AllocSet = std::map<std::string, AllocPtr, std::less<>>;

// Nodes of a job's allocations that need attention: down, disconnected, draining. Null: the node is gone.
using TaintedNodes = std::map<std::string, NodePtr, std::less<>>;
[[nodiscard]] TaintedNodes tainted_nodes(const StateView& view, const std::vector<AllocPtr>& allocs);

void add_all(AllocSet& into, const AllocSet& from);
void remove_all(AllocSet& from, const AllocSet& what);
[[nodiscard]] AllocSet pick(const AllocSet& all, const std::vector<std::string>& ids);
// By name index, then id.
[[nodiscard]] std::vector<AllocPtr> name_order(const AllocSet& set);

struct ByNode {
  AllocSet untainted, migrate, lost, disconnecting, reconnecting, ignore, expiring;
};
[[nodiscard]] ByNode classify(const AllocSet& set, const TaintedNodes& tainted, UnixNanos now);

// Something that is to happen to an allocation at a time.
struct Delayed {
  AllocPtr alloc;
  UnixNanos at = 0;
};

struct ByReschedule {
  AllocSet untainted;
  AllocSet now;
  std::vector<Delayed> later;
};
struct RescheduleContext {
  bool batch = false;
  bool disconnecting = false;
  UnixNanos now = 0;
  const std::string* eval_id = nullptr;
  const model::Deployment* deployment = nullptr;
};
[[nodiscard]] ByReschedule classify_reschedule(const AllocSet& set, const RescheduleContext& context);

}  // namespace drover::scheduler
