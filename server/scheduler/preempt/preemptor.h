// Chooses allocations of less urgent jobs that make room on one node (server contract 16). Pure.
//
// Only jobs at least ten points of priority below may be evicted, never the job's own allocations. Lower priorities go first;
// within one priority whatever is closest to what is still missing, with a penalty for groups that lose several in this plan.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "server/scheduler/feasible/devices.h"
#include "server/scheduler/fit/usage.h"
#include "server/scheduler/plan_draft.h"

namespace drover::scheduler {

using Allocs = std::vector<AllocPtr>;

class Preemptor {
 public:
  Preemptor(const model::Job& job, const PlanDraft& draft);

  // So that `ask` fits beside what remains of `on_node`. Empty: not even without all that may go.
  [[nodiscard]] Allocs for_resources(const Usage& ask, const Capacity& capacity, const Allocs& on_node) const;
  // That hold the static ports asked for. Empty: nobody does, or one that may not be evicted.
  [[nodiscard]] Allocs for_ports(const model::NetworkResource& ask, const Allocs& on_node) const;
  [[nodiscard]] Allocs for_device(const model::RequestedDevice& ask, const DeviceUse& devices, const Allocs& on_node) const;

 private:
  using ByPriority = std::map<std::int64_t, Allocs>;
  [[nodiscard]] bool preemptible(const model::Allocation& alloc) const;
  [[nodiscard]] bool own(const model::Allocation& alloc) const;
  [[nodiscard]] ByPriority by_priority(const Allocs& allocs) const;
  [[nodiscard]] double penalty(const model::Allocation& alloc) const;

  const model::Job& job_;
  std::map<std::string, std::int64_t> preempted_;  // in this plan, by job and group
};

// What a placement that evicts these is worth: the less urgent and the fewer, the more.
[[nodiscard]] double preemption_score(const Allocs& evicted);

}  // namespace drover::scheduler
