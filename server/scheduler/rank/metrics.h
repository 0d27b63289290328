// Collects why nodes were refused and how the others scored, during one selection.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/model/alloc.h"
#include "lib/model/job.h"
#include "lib/model/node.h"

namespace drover::scheduler {

using Scores = std::vector<std::pair<std::string_view, double>>;

class MetricsBuilder {
 public:
  void evaluated() { ++metric_.nodes_evaluated; }
  void filtered(const model::Node& node, std::string_view reason);
  void exhausted(const model::Node& node, std::string_view dimension);
  void scored(std::string_view node_id, const Scores& scores, double final_score);
  // With the five best scores, best first.
  [[nodiscard]] model::AllocMetric take();

 private:
  struct Scored {
    std::string_view node_id;
    Scores scores;
    double final_score;
    std::size_t order = 0;
  };
  model::AllocMetric metric_;
  std::vector<Scored> scored_;
};

// Adds what the group asks for to the dimensions that were exhausted: once for each allocation that could not be placed.
void add_exhausted_resources(model::AllocMetric& metric, const model::TaskGroup& group);

}  // namespace drover::scheduler
