#include "tests/sim/history.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

namespace drover::sim {
namespace {

// Histories with many operations that got no answer can be too many to try: those are left undecided.
constexpr std::size_t most_tried = 50'000;

// Depth first over the operations that may come next: those asked before every other pending one was answered. What was tried is
// remembered by the set of operations done and the value they left.
class Search {
 public:
  explicit Search(std::vector<const Operation*> operations) : operations_(std::move(operations)), done_(operations_.size(), false) {}

  bool run() {
    const auto left = static_cast<std::size_t>(std::ranges::count_if(operations_, [](const auto* one) { return one->answered != Operation::never; }));
    return go(0, left);
  }

 private:
  static std::optional<std::uint64_t> apply(const Operation& one, std::uint64_t value) {
    switch (one.kind) {
      case Operation::Kind::read: return one.answered == Operation::never || one.value == value ? std::optional(value) : std::nullopt;
      case Operation::Kind::write: return one.value;
      case Operation::Kind::swap: break;
    }
    const bool swaps = value == one.expected;
    // Without an answer, not having happened is the same as never being chosen.
    if (one.answered == Operation::never) return swaps ? std::optional(one.value) : std::nullopt;
    if (swaps != one.swapped) return std::nullopt;
    return swaps ? one.value : value;
  }
  bool go(std::uint64_t value, std::size_t left) {
    if (left == 0 || tried_.size() > most_tried) return true;
    std::string key(done_.begin(), done_.end());
    if (!tried_.emplace(std::move(key), value).second) return false;
    std::uint64_t first_answer = Operation::never;
    for (std::size_t i = 0; i < operations_.size(); ++i) {
      if (!done_[i]) first_answer = std::min(first_answer, operations_[i]->answered);
    }
    for (std::size_t i = 0; i < operations_.size(); ++i) {
      const Operation& one = *operations_[i];
      if (done_[i] || one.asked > first_answer) continue;
      const auto next = apply(one, value);
      if (!next) continue;
      done_[i] = true;
      if (go(*next, left - (one.answered != Operation::never ? 1 : 0))) return true;
      done_[i] = false;
    }
    return false;
  }

  std::vector<const Operation*> operations_;
  std::vector<bool> done_;
  std::set<std::pair<std::string, std::uint64_t>> tried_;
};

}  // namespace

std::string find_anomaly(const std::vector<Operation>& operations) {
  std::map<std::string, std::vector<const Operation*>> by_key;
  for (const auto& one : operations) {
    if (one.kind == Operation::Kind::read && one.answered == Operation::never) continue;
    by_key[one.key].push_back(&one);
  }
  for (auto& [key, list] : by_key) {
    std::ranges::sort(list, {}, &Operation::asked);
    const std::size_t count = list.size();
    if (!Search(std::move(list)).run()) return fmt::format("no order explains the {} operations on register \"{}\"", count, key);
  }
  return {};
}

}  // namespace drover::sim
