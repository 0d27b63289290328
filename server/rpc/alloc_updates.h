// Gathers the allocation states that clients report into few log entries: the first is written at once, what arrives while it
// is on its way to disk goes together into the next. Loop only.
#pragma once

#include <memory>
#include <vector>

#include "server/rpc/context.h"

namespace drover::rpc {

class AllocUpdates {
 public:
  explicit AllocUpdates(Context& c) : c_(c) {}
  // Resumes when the update is durable and applied, with its index.
  [[nodiscard]] Async<Result<std::uint64_t>> write(fsm::AllocList allocs, fsm::EvalList evals);

 private:
  struct Batch {
    explicit Batch(const Executor& executor) : done(executor) {}
    fsm::AllocClientUpdate message;
    Result<std::uint64_t> index = std::uint64_t{0};
    Event done;
  };
  Async<> run();

  Context& c_;
  std::shared_ptr<Batch> next_;
  bool writing_ = false;
};

// The evaluations that these reports call for.
[[nodiscard]] fsm::EvalList update_evals(Context& c, const state::Snapshot& snapshot, const fsm::AllocList& updates);

}  // namespace drover::rpc
