// The nodes of a stack in random order, and what one group has learned about them.
//
// A ring of rows is shuffled as far as it is walked. A field walks it for its group: nodes that can never take the group are noted
// with the reason, the others become candidates. Going round again passes the candidates only, side by side in memory.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sdk/base/clock.h"
#include "server/scheduler/rank/metrics.h"
#include "server/scheduler/rank/place.h"

namespace drover::scheduler {

class Ring {
 public:
  Ring() = default;
  // `shuffle`: in random order.
  Ring(std::vector<std::uint32_t> rows, bool shuffle) : rows_(std::move(rows)), shuffled_(shuffle ? 0 : rows_.size()) {}
  [[nodiscard]] std::size_t size() const { return rows_.size(); }
  // Places are taken in turn: `at` is at most one past those taken before.
  [[nodiscard]] std::uint32_t row(std::size_t at, Rng& rng) {
    if (at == shuffled_) std::swap(rows_[at], rows_[at + rng.below(rows_.size() - shuffled_++)]);
    return rows_[at];
  }
  // Where a new field begins: behind what others have walked.
  std::size_t begin = 0;

 private:
  std::vector<std::uint32_t> rows_;
  std::size_t shuffled_ = 0;
};

struct Candidate {
  enum class State : std::uint8_t { unknown, fits, exhausted };
  double base = 0;        // sum of what scores without regard to the rest of the cluster
  double binpack = 0;
  double devices = 0;
  double affinity = 0;
  double preemption = 0;
  std::uint32_t row = 0;
  std::uint32_t position = 0;
  std::uint32_t same = 0;       // allocations of the group that are there
  std::uint32_t dimension = 0;  // kind of exhaustion
  State state = State::unknown;
  std::uint8_t terms = 0;  // in base
  bool scores_devices = false;
  bool evicts = false;
};

struct Field {
  // `rows`: rows are below this.
  Field(Ring& of, std::size_t rows);
  // The kind of a refusal, by class of node and reason.
  [[nodiscard]] std::uint32_t kind(std::string_view node_class, std::string_view reason);
  void filter(std::size_t position, std::string_view node_class, std::string_view reason);
  // The first candidate at or after a position.
  [[nodiscard]] std::size_t candidate_from(std::size_t position) const;
  // What was refused in `count` positions from `from` on, round the ring.
  void count_filtered(std::size_t from, std::size_t count, MetricsBuilder& metrics);
  void count_exhausted(const std::vector<std::uint32_t>& by_kind, MetricsBuilder& metrics) const;
  // The candidate of a row; null when it is none (so far).
  [[nodiscard]] Candidate* find(std::uint32_t row);
  void add(const Candidate& candidate);

  struct Kind {
    std::string node_class;
    std::string reason;
  };
  struct Filtered {
    std::uint32_t position;
    std::uint32_t kind;
  };
  Ring* ring;
  std::size_t base;          // place in the ring of position 0
  std::size_t offset = 0;    // position where the next selection begins
  std::size_t explored = 0;  // positions that were looked at
  std::vector<Candidate> candidates;      // by position
  std::vector<std::shared_ptr<const Offer>> offers;  // by candidate, of a group whose share depends on the node
  std::vector<std::uint32_t> values;      // of spreads: as many per candidate as the group has blocks
  std::vector<Filtered> filtered;         // by position
  std::vector<Kind> kinds;
  // Entries that gave the reason of their whole class; seen again they are refused for the class.
  std::vector<std::pair<std::size_t, std::uint32_t>> first_of_class;

 private:
  void count_range(std::size_t from, std::size_t to, std::vector<std::int64_t>& by_kind) const;

  std::unordered_map<std::string, std::uint32_t> kind_ids_;
  std::uint32_t last_kind_ = 0;
  std::size_t rows_;
  std::vector<std::uint32_t> by_row_;  // index + 1 of a row's candidate; only where there are several
};

}  // namespace drover::scheduler
