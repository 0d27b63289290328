// The nodes a job may use, and how many there are to choose from (server contract 13.1).
#pragma once

#include <set>
#include <string>
#include <vector>

#include "server/scheduler/state_view.h"

namespace drover::scheduler {

struct CandidateNodes {
  std::vector<NodePtr> ready;                      // in id order
  std::set<std::string, std::less<>> not_ready;    // in pool and datacenters, but not ready
  model::Map<std::int64_t> available;              // ready ones by datacenter
  std::int64_t in_pool = 0;                        // ready ones in all of these datacenters
};

[[nodiscard]] CandidateNodes candidate_nodes(const StateView& view, const model::Job& job);

}  // namespace drover::scheduler
