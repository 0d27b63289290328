#include "server/scheduler/rank/metrics.h"

#include <algorithm>

namespace drover::scheduler {

void MetricsBuilder::filtered(const model::Node& node, std::string_view reason) {
  ++metric_.nodes_filtered;
  if (!node.node_class.empty()) ++metric_.class_filtered[node.node_class];
  if (!reason.empty()) ++metric_.constraint_filtered[std::string(reason)];
}

void MetricsBuilder::exhausted(const model::Node& node, std::string_view dimension) {
  ++metric_.nodes_exhausted;
  if (!node.node_class.empty()) ++metric_.class_exhausted[node.node_class];
  if (!dimension.empty()) ++metric_.dimension_exhausted[std::string(dimension)];
}

void MetricsBuilder::scored(std::string_view node_id, const Scores& scores, double final_score) {
  scored_.push_back({node_id, scores, final_score});
}

model::AllocMetric MetricsBuilder::take() {
  constexpr std::size_t shown = 5;
  const auto keep = std::min(shown, scored_.size());
  // Equal scores stay in the order in which they were found.
  for (std::size_t i = 0; i < scored_.size(); ++i) scored_[i].order = i;
  std::ranges::sort(scored_, [](const Scored& a, const Scored& b) {
    return a.final_score != b.final_score ? a.final_score > b.final_score : a.order < b.order;
  });
  for (std::size_t i = 0; i < keep; ++i) {
    model::NodeScoreMeta meta;
    meta.node_id = scored_[i].node_id;
    for (const auto& [name, value] : scored_[i].scores) meta.scores.emplace(name, value);
    meta.norm_score = scored_[i].final_score;
    metric_.score_meta_data.push_back(std::move(meta));
  }
  scored_.clear();
  return std::exchange(metric_, {});
}

void add_exhausted_resources(model::AllocMetric& metric, const model::TaskGroup& group) {
  const auto* cpu = metric.dimension_exhausted.get("cpu");
  const auto* memory = metric.dimension_exhausted.get("memory");
  if (metric.dimension_exhausted.empty()) return;
  for (const auto& task : group.tasks) {
    if (!task.resources) continue;
    auto& sum = metric.resources_exhausted[task.name];
    if (cpu != nullptr) sum.cpu += task.resources->cpu;
    if (memory != nullptr) sum.memory_mb += task.resources->memory_mb;
  }
}

}  // namespace drover::scheduler
