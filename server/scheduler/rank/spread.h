// The spread score: how much a node helps the wanted distribution over a property (server contract 14).
//
// Nodes are known by the numbers of their values, one per spread block: what a value is worth is worked out once after each
// change of the plan, not once per node.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lib/model/job.h"
#include "server/scheduler/feasible/property_set.h"

namespace drover::scheduler {

class SpreadScorer {
 public:
  using ValueId = PropertySet::ValueId;

  // Spreads of the group first, then those of the job.
  SpreadScorer(const StateView& view, const model::Job& job, const model::TaskGroup& group);
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  // How many values a node is known by.
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  // Appends the node's values.
  void values_of(const model::Node& node, std::vector<ValueId>& out);
  void refresh(const PlanDraft& draft);
  // After refresh(). Not const: a spread target of 0 percent takes the lowest boost seen so far.
  [[nodiscard]] double score(const ValueId* values) {
    if (has_zero_target_) return score_with_zero_target(values);
    double total = 0;
    for (std::size_t i = 0; i < entries_.size(); ++i) total += entries_[i].boosts[values[i]];
    return total;
  }

 private:
  struct Entry {
    PropertySet properties;
    double weight;
    std::vector<std::pair<std::string, double>> targets;  // none: even
    std::optional<double> rest;                           // wanted on all values without a target together
    std::vector<double> boosts;                           // by value
    std::vector<bool> zero;                               // by value: its target is 0
  };
  [[nodiscard]] double score_with_zero_target(const ValueId* values);
  void recompute(Entry& entry) const;
  void recompute_even(Entry& entry) const;

  std::vector<Entry> entries_;
  double weights_ = 0;
  double lowest_ = -1;
  bool has_zero_target_ = false;
};

}  // namespace drover::scheduler
