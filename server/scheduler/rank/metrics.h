// Collects why nodes were refused and how the others scored, during one selection.
#pragma once

#include <array>
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
  void evaluated(std::size_t nodes) { metric_.nodes_evaluated += static_cast<std::int64_t>(nodes); }
  void filtered(std::string_view node_class, std::string_view reason, std::int64_t nodes = 1);
  void exhausted(std::string_view node_class, std::string_view dimension, std::int64_t nodes = 1);
  void scored(std::string_view node_id, const Scores& scores, double final_score);
  [[nodiscard]] model::AllocMetric take() { return std::exchange(metric_, {}); }

 private:
  model::AllocMetric metric_;
};

// The best scores of a selection, best first; of equal ones the first that was found.
template <class T>
class Best {
 public:
  struct Entry {
    double score = 0;
    T what = {};
  };
  static constexpr std::size_t shown = 5;

  void offer(double score, const T& what) {
    if (size_ == shown && !(score > entries_[shown - 1].score)) return;
    std::size_t at = size_ < shown ? size_++ : shown - 1;
    for (; at > 0 && score > entries_[at - 1].score; --at) entries_[at] = entries_[at - 1];
    entries_[at] = {score, what};
  }
  [[nodiscard]] const Entry* begin() const { return entries_.data(); }
  [[nodiscard]] const Entry* end() const { return entries_.data() + size_; }

 private:
  std::array<Entry, shown> entries_ = {};
  std::size_t size_ = 0;
};

// Adds what the group asks for to the dimensions that were exhausted: once for each allocation that could not be placed.
void add_exhausted_resources(model::AllocMetric& metric, const model::TaskGroup& group);

}  // namespace drover::scheduler
