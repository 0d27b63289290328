#include "server/scheduler/rank/spread.h"

#include <algorithm>

namespace drover::scheduler {

SpreadScorer::SpreadScorer(const StateView& view, const model::Job& job, const model::TaskGroup& group) {
  for (const auto* spreads : {&group.spreads, &job.spreads}) {
    for (const auto& spread : *spreads) {
      Entry entry{PropertySet(view, job, group.name, spread.attribute), static_cast<double>(spread.weight), {}, {}, {}, {}};
      const auto count = static_cast<double>(group.count);
      double sum = 0;
      for (const auto& target : spread.spread_target) {
        const double desired = static_cast<double>(target.percent) / 100 * count;
        const auto at = std::ranges::find(entry.targets, target.value, &std::pair<std::string, double>::first);
        if (at != entry.targets.end()) at->second = desired;
        else entry.targets.emplace_back(target.value, desired);
        has_zero_target_ |= desired == 0;
        sum += desired;
      }
      if (sum > 0 && sum < count) {
        entry.rest = count - sum;
      } else if (const auto any = std::ranges::find(entry.targets, "*", &std::pair<std::string, double>::first); any != entry.targets.end()) {
        entry.rest = any->second;
      }
      weights_ += entry.weight;
      entries_.push_back(std::move(entry));
    }
  }
}

void SpreadScorer::values_of(const model::Node& node, std::vector<ValueId>& out) {
  for (auto& entry : entries_) {
    out.push_back(entry.properties.value_id(node));
    // A value met for the first time is worked out at once.
    if (!entry.boosts.empty() && entry.properties.values().size() != entry.boosts.size()) recompute(entry);
  }
}

void SpreadScorer::refresh(const PlanDraft& draft) {
  for (auto& entry : entries_) {
    if (entry.properties.refresh(draft) || entry.boosts.size() != entry.properties.values().size()) recompute(entry);
  }
}

void SpreadScorer::recompute_even(Entry& entry) const {
  const auto& values = entry.properties.values();
  bool any = false;
  double min = 0;
  double max = 0;
  for (const auto& value : values) {
    if (!value.seen()) continue;
    const auto used = static_cast<double>(value.used);
    min = any ? std::min(min, used) : used;
    max = any ? std::max(max, used) : used;
    any = true;
  }
  for (std::size_t id = 1; id < values.size(); ++id) {
    const auto current = static_cast<double>(values[id].used);
    if (!any) entry.boosts[id] = 0;
    else if (current != min) entry.boosts[id] = min == 0 ? -1 : (min - current) / min;
    else if (min == max) entry.boosts[id] = -1;
    else entry.boosts[id] = min == 0 ? 1 : (max - min) / min;
  }
}

void SpreadScorer::recompute(Entry& entry) const {
  const auto& values = entry.properties.values();
  entry.boosts.assign(values.size(), -1);  // also for nodes without the property and values that are not wanted
  if (entry.targets.empty()) return recompute_even(entry);
  entry.zero.assign(values.size(), false);
  const auto target_of = [&](const std::string& value) {
    return std::ranges::find(entry.targets, value, &std::pair<std::string, double>::first);
  };
  std::uint64_t rest_used = 0;
  for (const auto& value : values) {
    if (value.seen() && target_of(value.text) == entry.targets.end()) rest_used += value.used;
  }
  for (std::size_t id = 1; id < values.size(); ++id) {
    const auto at = target_of(values[id].text);
    double desired = 0;
    std::uint64_t used = 0;
    if (at != entry.targets.end()) {
      desired = at->second;
      used = values[id].used + 1;
    } else if (entry.rest) {
      // All values without a target share the rest.
      desired = *entry.rest;
      used = rest_used + 1;
    } else {
      continue;
    }
    if (desired == 0) entry.zero[id] = true;
    else entry.boosts[id] = (desired - static_cast<double>(used)) / desired * (entry.weight / weights_);
  }
}

double SpreadScorer::score_with_zero_target(const ValueId* values) {
  double total = 0;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const auto& entry = entries_[i];
    const auto id = values[i];
    const bool zero = !entry.targets.empty() && entry.zero[id];
    const double boost = zero ? lowest_ : entry.boosts[id];
    if (!entry.targets.empty() && id != 0) lowest_ = std::min(lowest_, boost);
    total += boost;
  }
  return total;
}

}  // namespace drover::scheduler
