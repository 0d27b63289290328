#include "server/scheduler/rank/field.h"

#include <algorithm>

namespace drover::scheduler {

Field::Field(Ring& of, std::size_t rows) : ring(&of), base(of.size() == 0 ? 0 : of.begin % of.size()), rows_(rows) {}

std::uint32_t Field::kind(std::string_view node_class, std::string_view reason) {
  const auto is = [&](const Kind& known) { return known.reason == reason && known.node_class == node_class; };
  if (last_kind_ < kinds.size() && is(kinds[last_kind_])) return last_kind_;
  std::string key(node_class);
  key.append(1, '\0').append(reason);
  const auto [at, fresh] = kind_ids_.try_emplace(std::move(key), static_cast<std::uint32_t>(kinds.size()));
  if (fresh) kinds.push_back({std::string(node_class), std::string(reason)});
  return last_kind_ = at->second;
}

void Field::filter(std::size_t position, std::string_view node_class, std::string_view reason) {
  filtered.push_back({static_cast<std::uint32_t>(position), kind(node_class, reason)});
}

std::size_t Field::candidate_from(std::size_t position) const {
  return static_cast<std::size_t>(std::ranges::lower_bound(candidates, position, {}, &Candidate::position) - candidates.begin());
}

void Field::count_range(std::size_t from, std::size_t to, std::vector<std::int64_t>& by_kind) const {
  const auto first = std::ranges::lower_bound(filtered, from, {}, &Filtered::position);
  for (auto at = first; at != filtered.end() && at->position < to; ++at) ++by_kind[at->kind];
}

void Field::count_filtered(std::size_t from, std::size_t count, MetricsBuilder& metrics) {
  if (filtered.empty()) return;
  std::vector<std::int64_t> by_kind(kinds.size());
  const auto to = from + count;
  count_range(from, std::min(to, ring->size()), by_kind);
  if (to > ring->size()) count_range(0, to - ring->size(), by_kind);
  for (std::size_t i = 0; i < by_kind.size(); ++i) {
    if (by_kind[i] > 0) metrics.filtered(kinds[i].node_class, kinds[i].reason, by_kind[i]);
  }
  for (const auto& [entry, later] : first_of_class) filtered[entry].kind = later;
  first_of_class.clear();
}

void Field::count_exhausted(const std::vector<std::uint32_t>& by_kind, MetricsBuilder& metrics) const {
  for (std::size_t i = 0; i < by_kind.size(); ++i) {
    if (by_kind[i] > 0) metrics.exhausted(kinds[i].node_class, kinds[i].reason, by_kind[i]);
  }
}

Candidate* Field::find(std::uint32_t row) {
  if (candidates.size() == 1) return candidates.front().row == row ? &candidates.front() : nullptr;
  if (candidates.empty() || by_row_[row] == 0) return nullptr;
  return &candidates[by_row_[row] - 1];
}

void Field::add(const Candidate& candidate) {
  candidates.push_back(candidate);
  if (candidates.size() < 2) return;
  if (by_row_.empty()) {
    by_row_.resize(rows_);
    by_row_[candidates.front().row] = 1;
  }
  by_row_[candidate.row] = static_cast<std::uint32_t>(candidates.size());
}

}  // namespace drover::scheduler
