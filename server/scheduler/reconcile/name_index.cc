#include "server/scheduler/reconcile/name_index.h"

#include <algorithm>

#include "server/scheduler/alloc_state.h"

namespace drover::scheduler {

NameIndex::NameIndex(std::string job_id, std::string group, std::int64_t count, const AllocSet& in_use)
    : job_id_(std::move(job_id)), group_(std::move(group)), count_(count) {
  for (const auto& [id, alloc] : in_use) {
    const auto index = name_index(alloc->name);
    if (index < 0) continue;
    if (taken(index)) ++duplicates_[index];
    take(index);
  }
}

std::string NameIndex::name(std::int64_t index) const { return alloc_name(job_id_, group_, index); }

bool NameIndex::taken(std::int64_t index) const {
  return index < static_cast<std::int64_t>(uses_.size()) && uses_[static_cast<std::size_t>(index)] > 0;
}

void NameIndex::take(std::int64_t index) {
  if (index >= static_cast<std::int64_t>(uses_.size())) uses_.resize(static_cast<std::size_t>(index) + 1, 0);
  ++uses_[static_cast<std::size_t>(index)];
}

void NameIndex::release(std::int64_t index) {
  if (taken(index)) uses_[static_cast<std::size_t>(index)] = 0;
}

std::string NameIndex::unique(const std::string& name) {
  const auto index = name_index(name);
  const auto at = duplicates_.find(index);
  if (at == duplicates_.end() || at->second == 0) return name;
  --at->second;
  return next(1).front();
}

std::set<std::string, std::less<>> NameIndex::highest(std::size_t n) {
  std::set<std::string, std::less<>> out;
  for (auto i = static_cast<std::int64_t>(uses_.size()); i > 0 && out.size() < n; --i) {
    if (!taken(i - 1)) continue;
    uses_[static_cast<std::size_t>(i - 1)] = 0;
    out.insert(name(i - 1));
  }
  return out;
}

std::vector<std::string> NameIndex::next(std::size_t n) {
  std::vector<std::string> out;
  for (std::int64_t i = 0; i < count_ && out.size() < n; ++i) {
    if (taken(i)) continue;
    take(i);
    out.push_back(name(i));
  }
  for (std::int64_t i = 0; out.size() < n; ++i) {
    take(i);
    out.push_back(name(i));
  }
  return out;
}

std::vector<std::string> NameIndex::next_canaries(std::size_t n, const AllocSet& existing, const AllocSet& destructive) {
  std::set<std::string, std::less<>> used;
  for (const auto& [id, alloc] : existing) used.insert(alloc->name);
  std::vector<std::string> out;
  const auto offer = [&](std::int64_t index) {
    if (out.size() >= n || !used.insert(name(index)).second) return;
    take(index);
    out.push_back(name(index));
  };
  for (const auto& alloc : name_order(destructive)) {
    if (const auto index = name_index(alloc->name); index >= 0 && index < count_) offer(index);
  }
  for (std::int64_t i = 0; i < count_ && out.size() < n; ++i) {
    if (!taken(i)) offer(i);
  }
  for (std::int64_t i = count_; out.size() < n; ++i) offer(i);
  return out;
}

}  // namespace drover::scheduler
