// What one allocation of a group would get on one node: ports, devices, cores, shares.
#pragma once

#include <optional>

#include "lib/model/alloc.h"
#include "sdk/base/clock.h"
#include "sdk/base/error.h"
#include "server/scheduler/fit/usage.h"
#include "server/scheduler/preempt/preemptor.h"
#include "server/scheduler/state_view.h"

namespace drover::scheduler {

struct Offer {
  model::AllocatedResources resources;
  Usage used;  // of the node, with this allocation
  Capacity capacity;
  double device_weights = 0;          // sum of the affinities' absolute weights
  double device_matched_weights = 0;  // of those that hold
  Allocs evicted;                     // to make room, with a preemptor
};

// What every allocation of the group gets of shares, memory and disk, whatever else it asks for.
[[nodiscard]] model::AllocatedResources plain_resources(const model::TaskGroup& group, bool memory_oversubscription);
// What every allocation of the group gets wherever it is placed; none when that depends on the node (ports, devices, cores).
[[nodiscard]] std::optional<model::AllocatedResources> fixed_resources(const model::TaskGroup& group, bool memory_oversubscription);

// The error is the dimension shown in metrics. `proposed` is what else would be on the node; `preemptor`, when given, may take
// some of it away.
[[nodiscard]] Result<Offer> offer_resources(const model::TaskGroup& group, const model::Node& node,
                                            const std::vector<AllocPtr>& proposed, bool memory_oversubscription, Rng& rng,
                                            const Preemptor* preemptor = nullptr);

}  // namespace drover::scheduler
