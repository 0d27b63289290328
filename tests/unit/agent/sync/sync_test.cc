#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "agent/sync/desired.h"
#include "agent/sync/status_sender.h"
#include "sdk/async/scope.h"

using namespace drover;
using namespace drover::agent;
namespace e = drover::wire::endpoints;

namespace {

using Indexes = std::map<std::string, std::uint64_t, std::less<>>;
using Ids = std::vector<std::string>;

// The servers' end of Node.UpdateAlloc, and a sender that speaks to it.
struct Servers {
  Servers() {
    registry.add(e::node_update_alloc, std::function([this](model::NodeUpdateAllocRequest request) { return take(std::move(request)); }));
  }
  Async<Result<model::WriteMeta>> take(model::NodeUpdateAllocRequest request) {
    CHECK(request.node_id == "the-node");
    CHECK(request.secret_id == "the-secret");
    Ids ids;
    for (const auto& alloc : request.allocs) ids.push_back(alloc->id);
    batches.push_back(ids);
    arrived.set();
    if (on_batch) on_batch();
    co_await answer.wait();
    if (failures > 0) {
      --failures;
      co_return fail(Code::unavailable, "no leader");
    }
    co_return model::WriteMeta{};
  }
  void give(const std::string& id, const std::string& status) {
    auto update = std::make_shared<model::Allocation>();
    update->id = id;
    update->client_status = status;
    updates[id] = std::move(update);
    sender.changed(id);
  }
  Async<> wait_batches(std::size_t count) {
    while (batches.size() < count) {
      arrived.reset();
      co_await arrived.wait();
    }
  }
  // Lets everything that can go on without an answer do so.
  Async<> settle() {
    for (int turn = 0; turn < 20; ++turn) co_await asio::post(io, asio::use_awaitable);
  }
  void run(Async<> test) {
    scope.spawn(sender.run());
    scope.spawn(drive(std::move(test)));
    io.run();
    CHECK(ended);
  }
  Async<> drive(Async<> test) {
    co_await std::move(test);
    ended = true;
    scope.cancel();
  }

  asio::io_context io;
  Scope scope{io.get_executor()};
  wire::Registry registry;
  wire::LocalCaller caller{registry};
  Event arrived{io.get_executor()}, answer{io.get_executor()};
  std::vector<Ids> batches;
  std::map<std::string, std::shared_ptr<const model::Allocation>> updates;
  std::function<void()> on_batch;
  int failures = 0;
  bool ended = false;
  StatusSender sender{io.get_executor(), caller, "the-node", "the-secret",
                      [this](const std::string& id) {
                        const auto at = updates.find(id);
                        return at == updates.end() ? nullptr : at->second;
                      },
                      Logger()};
};

Async<> closed_then_open(Servers& s) {
  s.answer.set();
  s.give("a", "running");
  s.give("b", "running");
  co_await s.settle();
  CHECK(s.batches.empty());
  CHECK(!s.sender.idle());
  s.sender.open();
  co_await s.settle();
  CHECK(s.batches == std::vector<Ids>{{"a", "b"}});
  CHECK(s.sender.idle());
}

Async<> at_once_then_together(Servers& s) {
  s.sender.open();
  s.give("a", "pending");
  co_await s.wait_batches(1);
  CHECK(!s.sender.idle());  // the answer is outstanding
  s.give("b", "running");
  s.give("c", "running");
  s.give("a", "running");
  s.give("b", "complete");
  co_await s.settle();
  CHECK(s.batches.size() == 1);
  s.answer.set();
  co_await s.wait_batches(2);
  CHECK(s.batches[0] == Ids{"a"});
  CHECK(s.batches[1] == Ids{"a", "b", "c"});
  co_await s.settle();
  CHECK(s.batches.size() == 2);
  CHECK(s.sender.idle());
}

Async<> failed_then_again(Servers& s) {
  s.answer.set();
  s.failures = 1;
  s.on_batch = [&s] { if (s.batches.size() == 1) s.give("b", "running"); };  // comes while the failing call is under way
  s.sender.open();
  s.give("a", "running");
  co_await s.wait_batches(2);
  CHECK(s.batches[0] == Ids{"a"});
  CHECK(s.batches[1] == Ids{"a", "b"});
  co_await s.settle();
  CHECK(s.sender.idle());
}

Async<> gone_meanwhile(Servers& s) {
  s.answer.set();
  s.give("a", "running");
  s.updates.clear();
  s.sender.open();
  co_await s.settle();
  CHECK(s.batches.empty());
  CHECK(s.sender.idle());
}

Async<> many(Servers& s) {
  s.answer.set();
  for (int i = 0; i < 2'500; ++i) s.give(fmt::format("{:04}", i), "running");
  s.sender.open();
  co_await s.wait_batches(2);
  co_await s.settle();
  REQUIRE(s.batches.size() == 2);
  CHECK(s.batches[0].size() == 2'000);
  CHECK(s.batches[1].size() == 500);
  CHECK(s.batches[1].back() == "2499");
}

}  // namespace

TEST_CASE("desired: new and changed allocations are fetched, unchanged ones left alone, forgotten ones removed") {
  const Indexes wanted{{"changed", 9}, {"new", 3}, {"same", 5}};
  const Indexes known{{"changed", 8}, {"forgotten", 4}, {"same", 5}};
  const DesiredChanges changes = compare_desired(wanted, known, {});
  CHECK(changes.fetch == Ids{"changed", "new"});
  CHECK(changes.remove == Ids{"forgotten"});
}

TEST_CASE("desired: what was given up here is not taken again, however it changes") {
  const DesiredChanges changes = compare_desired({{"collected", 9}, {"new", 1}}, {}, {{"collected", 3}});
  CHECK(changes.fetch == Ids{"new"});
  CHECK(changes.remove.empty());
}

TEST_CASE("desired: an index that went back is no change, and an empty answer removes everything") {
  CHECK(compare_desired({{"a", 4}}, {{"a", 5}}, {}).fetch.empty());
  CHECK(compare_desired({}, {{"a", 5}, {"b", 1}}, {}).remove == Ids{"a", "b"});
  // A restored allocation counts as unseen.
  CHECK(compare_desired({{"a", 1}}, {{"a", 0}}, {}).fetch == Ids{"a"});
}

TEST_CASE("status: nothing is sent before the servers have answered once, then all of it") {
  Servers s;
  s.run(closed_then_open(s));
}

TEST_CASE("status: the first change goes at once, what comes meanwhile in one batch with its newest state") {
  Servers s;
  s.run(at_once_then_together(s));
}

TEST_CASE("status: a batch that failed is sent again, with what has come since") {
  Servers s;
  s.run(failed_then_again(s));
}

TEST_CASE("status: an allocation that is gone is left out") {
  Servers s;
  s.run(gone_meanwhile(s));
}

TEST_CASE("status: a batch has a limit, and the rest follows") {
  Servers s;
  s.run(many(s));
}
