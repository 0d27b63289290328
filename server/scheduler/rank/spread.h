// The spread score: how much a node helps the wanted distribution over a property (server contract 14).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "lib/model/job.h"
#include "server/scheduler/feasible/property_set.h"

namespace drover::scheduler {

class SpreadScorer {
 public:
  // Spreads of the group first, then those of the job.
  SpreadScorer(const StateView& view, const model::Job& job, const model::TaskGroup& group);
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  // Not const: a spread target of 0 percent takes the lowest boost seen so far.
  [[nodiscard]] double score(const model::Node& node, const PlanDraft& draft);

 private:
  struct Entry {
    PropertySet properties;
    double weight;
    std::map<std::string, double, std::less<>> desired;  // empty: even
  };
  std::vector<Entry> entries_;
  double weights_ = 0;
  double lowest_ = -1;
};

}  // namespace drover::scheduler
