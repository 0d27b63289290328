// Evaluations that could not place everything, kept until something changes that may help (server contract 7).
//
// In memory, on the leader's loop. Released evaluations go to the function given at construction. No timers of its own.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "sdk/base/clock.h"
#include "server/state/tables.h"

namespace drover::broker {

using state::EvalPtr;

class BlockedEvals {
 public:
  BlockedEvals(const Clock& clock, std::function<void(EvalPtr)> release) : clock_(clock), release_(std::move(release)) {}

  // Disabling forgets everything.
  void set_enabled(bool enabled);
  // Keeps the evaluation, or releases it at once when what it waits for happened after its snapshot.
  void block(const EvalPtr& eval);
  // Capacity of a class of nodes came up at `index`.
  void unblock(const std::string& computed_class, std::uint64_t index);
  // System evaluations that wait for this node.
  void unblock_node(const std::string& node_id);
  // Evaluations that ran out of plan attempts; called once a minute.
  void unblock_failed();
  // The job placed everything, was stopped or is gone.
  void untrack(const std::string& namespace_, const std::string& job_id);
  // Of two of one job only the newer is kept: the others are to be canceled.
  [[nodiscard]] std::vector<EvalPtr> take_duplicates() { return std::exchange(duplicates_, {}); }
  [[nodiscard]] bool has_duplicates() const { return !duplicates_.empty(); }
  // Forgets unblocks that are too old to matter.
  void prune();

  struct Stats {
    std::size_t blocked = 0, escaped = 0, quota_limited = 0;
  };
  [[nodiscard]] Stats stats() const;
  [[nodiscard]] std::vector<EvalPtr> all() const;

 private:
  using JobKey = std::pair<std::string, std::string>;
  struct Unblock {
    std::uint64_t index;
    std::chrono::steady_clock::time_point at;
  };
  [[nodiscard]] bool missed(const model::Evaluation& eval) const;
  void remove(const model::Evaluation& eval);
  void release(const std::vector<EvalPtr>& evals);

  const Clock& clock_;
  std::function<void(EvalPtr)> release_;
  bool enabled_ = false;
  std::map<std::string, EvalPtr> evals_;       // all, by id
  std::map<JobKey, std::string> by_job_;       // except system ones
  std::map<std::string, Unblock> unblocks_;    // by class
  std::vector<EvalPtr> duplicates_;
};

}  // namespace drover::broker
