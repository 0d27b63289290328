#include "server/scheduler/rank/metrics.h"

namespace drover::scheduler {

void MetricsBuilder::filtered(std::string_view node_class, std::string_view reason, std::int64_t nodes) {
  metric_.nodes_filtered += nodes;
  if (!node_class.empty()) metric_.class_filtered[std::string(node_class)] += nodes;
  if (!reason.empty()) metric_.constraint_filtered[std::string(reason)] += nodes;
}

void MetricsBuilder::exhausted(std::string_view node_class, std::string_view dimension, std::int64_t nodes) {
  metric_.nodes_exhausted += nodes;
  if (!node_class.empty()) metric_.class_exhausted[std::string(node_class)] += nodes;
  if (!dimension.empty()) metric_.dimension_exhausted[std::string(dimension)] += nodes;
}

void MetricsBuilder::scored(std::string_view node_id, const Scores& scores, double final_score) {
  auto& meta = metric_.score_meta_data.emplace_back();
  meta.node_id = node_id;
  for (const auto& [name, value] : scores) meta.scores.emplace(name, value);
  meta.norm_score = final_score;
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
