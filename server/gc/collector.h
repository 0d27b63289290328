// Garbage collection of what is over (server contract 22): which objects may go is decided by pure functions over a snapshot,
// deletion is proposed in entries of bounded size. Leader's loop; looking for what may go walks all tables, and does so on a pool.
#pragma once

#include <chrono>

#include "sdk/async/pool.h"
#include "sdk/base/clock.h"
#include "server/fsm/writer.h"
#include "server/gc/past.h"

namespace drover::gc {

struct GcOptions {
  std::chrono::nanoseconds eval_interval = std::chrono::minutes(5);
  std::chrono::nanoseconds job_interval = std::chrono::minutes(5);
  std::chrono::nanoseconds node_interval = std::chrono::minutes(5);
  std::chrono::nanoseconds deployment_interval = std::chrono::minutes(5);
  std::chrono::nanoseconds eval_threshold = std::chrono::hours(1);
  std::chrono::nanoseconds batch_eval_threshold = std::chrono::hours(24);
  std::chrono::nanoseconds job_threshold = std::chrono::hours(4);
  std::chrono::nanoseconds node_threshold = std::chrono::hours(24);
  std::chrono::nanoseconds deployment_threshold = std::chrono::hours(1);
};

// What one round looks at. `force` ignores ages.
struct Round {
  bool jobs = false;
  bool evals = false;
  bool deployments = false;
  bool nodes = false;
  bool force = false;
  [[nodiscard]] bool empty() const { return !jobs && !evals && !deployments && !nodes; }
};
inline constexpr Round everything_at_once{.jobs = true, .evals = true, .deployments = true, .nodes = true, .force = true};

struct Garbage {
  std::vector<std::string> evals;
  std::vector<std::string> allocs;
  std::vector<std::pair<std::string, std::string>> jobs;  // namespace, id
  std::vector<std::string> nodes;
  std::vector<std::string> deployments;
};

[[nodiscard]] Garbage find_garbage(const state::Snapshot& snapshot, const GcOptions& options, const Past& past, Round round);

// Whether nothing needs this allocation any more.
[[nodiscard]] bool collectable(const state::Snapshot& snapshot, const model::Allocation& alloc, std::int64_t cutoff, std::int64_t now);

// Whether an evaluation may go, and which of its allocations. Those of a batch job that is not over are its results: without
// `allow_batch` they go only with a stopped job or when they belong to an earlier form of it.
struct EvalVerdict {
  bool eval = false;
  std::vector<std::string> allocs;
};
[[nodiscard]] EvalVerdict judge_eval(const state::Snapshot& snapshot, const model::Evaluation& eval, std::int64_t cutoff, std::int64_t now,
                                     bool allow_batch);

// Finds and deletes. Answers the index of the last deletion, 0 when there was none.
[[nodiscard]] Async<Result<std::uint64_t>> collect(fsm::Writer& writer, fsm::Fsm& fsm, Pool& pool, GcOptions options, Past past, Round round);

}  // namespace drover::gc
