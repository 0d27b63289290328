#include "server/scheduler/rank/spread.h"

#include <algorithm>

namespace drover::scheduler {
namespace {

constexpr const char* implicit_target = "*";

double even_boost(const PropertySet& properties, const model::Node& node) {
  const auto& counts = properties.counts();
  if (counts.empty()) return 0;
  const auto value = properties.value(node);
  if (!value) return -1;
  const auto current = static_cast<double>(properties.used(*value));
  double min = static_cast<double>(counts.begin()->second);
  double max = min;
  for (const auto& [name, count] : counts) {
    min = std::min(min, static_cast<double>(count));
    max = std::max(max, static_cast<double>(count));
  }
  if (current != min) return min == 0 ? -1 : (min - current) / min;
  if (min == max) return -1;
  return min == 0 ? 1 : (max - min) / min;
}

}  // namespace

SpreadScorer::SpreadScorer(const StateView& view, const model::Job& job, const model::TaskGroup& group) {
  for (const auto* spreads : {&group.spreads, &job.spreads}) {
    for (const auto& spread : *spreads) {
      Entry entry{PropertySet(view, job, group.name, spread.attribute), static_cast<double>(spread.weight), {}};
      const auto count = static_cast<double>(group.count);
      double sum = 0;
      for (const auto& target : spread.spread_target) {
        const double desired = static_cast<double>(target.percent) / 100 * count;
        entry.desired[target.value] = desired;
        sum += desired;
      }
      if (sum > 0 && sum < count) entry.desired[implicit_target] = count - sum;
      weights_ += entry.weight;
      entries_.push_back(std::move(entry));
    }
  }
}

double SpreadScorer::score(const model::Node& node, const PlanDraft& draft) {
  double total = 0;
  for (auto& entry : entries_) {
    entry.properties.refresh(draft);
    const auto value = entry.properties.value(node);
    if (!value) {
      total -= 1;
      continue;
    }
    if (entry.desired.empty()) {
      total += even_boost(entry.properties, node);
      continue;
    }
    auto at = entry.desired.find(*value);
    auto used_now = entry.properties.used(*value);
    if (at == entry.desired.end()) {
      // All values without a target share the rest.
      at = entry.desired.find(implicit_target);
      used_now = 0;
      for (const auto& [name, count] : entry.properties.counts()) {
        if (!entry.desired.contains(name)) used_now += count;
      }
    }
    if (at == entry.desired.end()) {
      total -= 1;
      continue;
    }
    const auto used = static_cast<double>(used_now + 1);
    const double boost = at->second == 0 ? lowest_ : (at->second - used) / at->second * (entry.weight / weights_);
    lowest_ = std::min(lowest_, boost);
    total += boost;
  }
  return total;
}

}  // namespace drover::scheduler
