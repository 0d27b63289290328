// Countable resources: what an allocation takes, what a node offers, and whether it fits (server contract 15).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "lib/model/alloc.h"
#include "lib/model/node.h"

namespace drover::scheduler {

// A sorted set of core ids.
using Cores = std::vector<std::uint16_t>;

struct Usage {
  std::int64_t cpu = 0;
  std::int64_t memory_mb = 0;
  std::int64_t memory_max_mb = 0;  // never limits placement
  std::int64_t disk_mb = 0;
  Cores cores;
  bool core_overlap = false;  // two allocations were given the same core

  void add(const Usage& other);
};

// Lifecycle phases do not overlap, so an allocation counts the largest of its phases in each dimension.
[[nodiscard]] Usage alloc_usage(const model::AllocatedResources& resources);
// Also for allocations stored without allocated_resources.
[[nodiscard]] Usage alloc_usage(const model::Allocation& alloc);

struct CoreSpeed {
  std::uint16_t id = 0;
  std::uint64_t mhz = 0;
};

struct Capacity {
  std::int64_t cpu = 0;
  std::int64_t memory_mb = 0;
  std::int64_t disk_mb = 0;
  std::vector<CoreSpeed> cores;  // those tasks may reserve, by id

  [[nodiscard]] bool has_core(std::uint16_t id) const;
};

// What the node has less what its agent keeps for itself.
[[nodiscard]] Capacity node_capacity(const model::Node& node);

// The first dimension that is exceeded ("cpu", "cores", "memory", "disk"); empty when it fits.
[[nodiscard]] std::string_view exceeded(const Capacity& capacity, const Usage& used);

}  // namespace drover::scheduler
