// Garbage collection of what is over (server contract 22): which objects may go is decided by pure functions over a snapshot,
// deletion is proposed in entries of bounded size. Leader's loop.
#pragma once

#include <chrono>

#include "sdk/async/asio.h"
#include "sdk/base/clock.h"
#include "server/fsm/writer.h"

namespace drover::gc {

struct GcOptions {
  std::chrono::nanoseconds interval = std::chrono::minutes(5);
  std::chrono::nanoseconds eval_threshold = std::chrono::hours(1);
  std::chrono::nanoseconds batch_eval_threshold = std::chrono::hours(24);
  std::chrono::nanoseconds job_threshold = std::chrono::hours(4);
  std::chrono::nanoseconds node_threshold = std::chrono::hours(24);
  std::chrono::nanoseconds deployment_threshold = std::chrono::hours(1);
};

struct Garbage {
  std::vector<std::string> evals;
  std::vector<std::string> allocs;
  std::vector<std::pair<std::string, std::string>> jobs;  // namespace, id
  std::vector<std::string> nodes;
  std::vector<std::string> deployments;
};

// `force` ignores ages.
[[nodiscard]] Garbage find_garbage(const state::Snapshot& snapshot, const GcOptions& options, std::int64_t now, bool force);

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
[[nodiscard]] Async<Result<std::uint64_t>> collect(fsm::Writer& writer, fsm::Fsm& fsm, GcOptions options, std::int64_t now, bool force);

}  // namespace drover::gc
