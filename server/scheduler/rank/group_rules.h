// What one task group asks of a node, made ready once per attempt: checks, spreads, affinities, distinct properties.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "server/scheduler/feasible/group_checks.h"
#include "server/scheduler/feasible/volumes.h"
#include "server/scheduler/fit/usage.h"
#include "server/scheduler/node_table.h"
#include "server/scheduler/rank/spread.h"

namespace drover::scheduler {

// Of a computed class: not asked yet, or the answer for all its nodes.
enum class Verdict : std::uint8_t { unknown, ineligible, eligible };

struct DistinctProperty {
  PropertySet properties;
  std::uint64_t allowed;
};

[[nodiscard]] bool has_distinct_hosts(const model::List<model::Constraint>& constraints);

struct GroupRules {
  GroupRules(const StateView& view, const NodeTable& table, const model::Job& job, const model::TaskGroup& task_group, bool oversubscribe);
  // Allocations of the group on a node that the plan leaves alone.
  [[nodiscard]] std::uint32_t stored_on(std::uint32_t row) const {
    if (stored.empty()) return 0;
    const auto at = stored.find(row);
    return at == stored.end() ? 0 : at->second;
  }

  const model::TaskGroup* group;
  GroupChecks checks;
  VolumeCheck volumes;
  SpreadScorer spreads;
  bool distinct_hosts = false;
  std::vector<DistinctProperty> distinct;
  std::vector<std::pair<ConstraintCheck, double>> affinities;
  double affinity_weights = 0;
  std::optional<model::AllocatedResources> fixed;  // what an allocation gets anywhere
  Usage ask;                                       // of `fixed`
  std::unordered_map<std::uint32_t, std::uint32_t> stored;
  std::vector<Verdict> by_class;
  bool escaped = false;
};

}  // namespace drover::scheduler
