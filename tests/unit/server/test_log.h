// A replicated log for tests: applies each entry at once, after one turn of the loop, and remembers them all.
#pragma once

#include <boost/asio/post.hpp>

#include <string>
#include <vector>

#include "server/fsm/writer.h"

namespace drover {

class TestLog final : public fsm::Log {
 public:
  TestLog(fsm::Fsm& fsm, Executor executor, std::uint64_t first = 10) : fsm_(fsm), executor_(std::move(executor)), index_(first) {}
  Async<Result<std::uint64_t>> propose(std::string entry) override {
    co_await asio::post(executor_, asio::use_awaitable);
    const std::uint64_t index = index_++;
    entries.push_back(entry);
    auto applied = fsm_.apply(index, entry);
    if (!applied) co_return fail(applied.error());
    co_return index;
  }
  bool is_leader() const override { return true; }
  void on_leadership(std::function<void(bool)> callback) override { callback(true); }
  Async<> close() override { co_return; }

  std::vector<std::string> entries;

 private:
  fsm::Fsm& fsm_;
  Executor executor_;
  std::uint64_t index_;
};

}  // namespace drover
