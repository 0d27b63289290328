// What the live allocations of each node use, kept from plan to plan: whether new ones fit is then a sum over these, not a look at
// everything that runs there. It answers for plain allocations only, of processor, memory and disk; whoever holds ports, devices, cores or
// volumes is looked at in full. Owned by the plan applier; loop only.
#pragma once

#include <list>
#include <memory>

#include "lib/model/plan.h"
#include "server/scheduler/node_table.h"
#include "server/state/snapshot.h"

namespace drover::broker {

class NodeUse {
 public:
  // Costs what has changed since the last one.
  void sync(state::SnapshotPtr snapshot) { table_.sync(std::move(snapshot)); }
  // `job` is of those that name none; `uncommitted` are results that are not in the snapshot yet.
  [[nodiscard]] bool surely_fit(const model::Node& node, const model::List<state::AllocPtr>& placed, const model::Job* job,
                                const std::list<model::PlanResult>& uncommitted);
  void clear() { table_ = {}; }

 private:
  scheduler::NodeTable table_;
};

}  // namespace drover::broker
