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

// A report whose times can be reckoned with here: when a task ended or became healthy is the client's word, and its date may be wrong
// (L-10). An instant that has not come yet, or lies before the allocation was made, becomes now.
[[nodiscard]] std::shared_ptr<const model::Allocation> in_our_time(std::shared_ptr<const model::Allocation> report, std::int64_t created, std::int64_t now);

// The evaluations that these reports call for.
[[nodiscard]] fsm::EvalList update_evals(Context& c, const state::Snapshot& snapshot, const fsm::AllocList& updates);

}  // namespace drover::rpc
