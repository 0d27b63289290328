// Does a set of allocations fit on a node? Asked by ranking and, as the last word, by the plan applier (server contract 15).
#pragma once

#include <span>
#include <string>

#include "server/scheduler/fit/network_index.h"
#include "server/scheduler/fit/usage.h"
#include "server/scheduler/state_view.h"

namespace drover::scheduler {

struct Fit {
  bool fits = false;
  std::string dimension;  // what is exceeded, as metrics show it; empty when it fits
  Usage used;
};

// `check_ports`: false when the caller has built a NetworkIndex from the same allocations without a collision.
[[nodiscard]] Fit allocs_fit(const model::Node& node, std::span<const AllocPtr> allocs, bool check_devices, bool check_ports = true);

}  // namespace drover::scheduler
