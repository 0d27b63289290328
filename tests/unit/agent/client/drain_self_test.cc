#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>

#include "agent/client/drain_self.h"
#include "sdk/async/scope.h"

using namespace drover;
using namespace drover::agent;
namespace e = drover::wire::endpoints;

namespace {

// Servers that refuse to begin, answer a number of questions, and then say that the drain is over, or nothing any more.
struct Drainers {
  Drainers() {
    registry.add(e::node_update_drain, std::function([this](model::NodeUpdateDrainRequest r) { return take(std::move(r)); }));
    registry.add(e::node_get, std::function([this](model::ObjectRequest r) { return tell(std::move(r)); }));
  }
  Async<Result<model::NodeDrainUpdateResponse>> take(model::NodeUpdateDrainRequest request) {
    asked.push_back(std::move(request));
    if (refusals > 0) {
      --refusals;
      if (refusals == 0) runs = runs_after_refusals;
      co_return fail(Code::no_leader, "No cluster leader");
    }
    co_return model::NodeDrainUpdateResponse{};
  }
  Async<Result<model::ObjectReply<model::Node>>> tell(model::ObjectRequest request) {
    CHECK(request.id == "n1");
    CHECK(request.min_query_index == index);
    if (answers == 0 && lost) {
      runs = false;
      co_return fail(Code::unavailable, "the servers are gone");
    }
    auto node = std::make_shared<model::Node>();
    if (answers > 0) node->drain_strategy.ensure();
    else node->last_drain.ensure().status = end;
    answers -= answers > 0 ? 1 : 0;
    model::ObjectReply<model::Node> reply;
    reply.item = std::move(node);
    reply.index = ++index;
    if (answers == 0) runs = false;
    co_return reply;
  }

  Result<> drain(DrainOnShutdownConfig settings = {}) {
    asio::io_context io;
    Scope scope(io.get_executor());
    Condition changed(io.get_executor());
    std::optional<Result<>> out;
    scope.spawn(run({.caller = caller, .log = Logger(), .node_id = "n1", .settings = settings, .empty = [this] { return !runs; }, .changed = changed}, out));
    io.run();
    REQUIRE(out.has_value());
    return *out;
  }
  static Async<> run(DrainSelf options, std::optional<Result<>>& out) {
    auto drained = co_await drain_self(std::move(options));
    out = std::move(drained);
  }

  wire::Registry registry;
  wire::LocalCaller caller{registry};
  std::vector<model::NodeUpdateDrainRequest> asked;
  std::uint64_t index = 0;
  int refusals = 0, answers = 3;
  bool runs = true, runs_after_refusals = true, lost = false;
  std::string end = "complete";
};

TEST_CASE("drain_self: asks once, as the configuration says, and follows until the servers say that it is over") {
  Drainers servers;
  DrainOnShutdownConfig settings;
  settings.deadline = std::chrono::minutes(7);
  settings.ignore_system_jobs = true;
  CHECK(servers.drain(settings));
  REQUIRE(servers.asked.size() == 1);
  const auto& request = servers.asked[0];
  CHECK(request.node_id == "n1");
  CHECK(request.drain_spec->deadline == std::chrono::minutes(7));
  CHECK(request.drain_spec->ignore_system_jobs);
  CHECK_FALSE(request.mark_eligible);
  CHECK(request.meta.at("message") == "shutting down");
  CHECK(servers.index == 4);
}

TEST_CASE("drain_self: by force is at once, whatever the deadline") {
  Drainers servers;
  DrainOnShutdownConfig settings;
  settings.deadline = std::chrono::hours(1);
  settings.force = true;
  CHECK(servers.drain(settings));
  CHECK(servers.asked.at(0).drain_spec->deadline.count() < 0);
}

TEST_CASE("drain_self: servers that refuse are asked again while something runs here, and not when nothing does") {
  Drainers servers;
  servers.refusals = 1;
  CHECK(servers.drain());
  CHECK(servers.asked.size() == 2);

  Drainers others;
  others.refusals = 1;
  others.runs_after_refusals = false;
  CHECK(others.drain());
  CHECK(others.asked.size() == 1);
  CHECK(others.index == 0);
}

TEST_CASE("drain_self: what runs here decides when the servers are gone") {
  Drainers servers;
  servers.lost = true;
  CHECK(servers.drain());
}

TEST_CASE("drain_self: one that somebody cancels has not succeeded") {
  Drainers servers;
  servers.end = "canceled";
  const auto drained = servers.drain();
  REQUIRE_FALSE(drained);
  CHECK(drained.error().message() == "the drain of this node was canceled; what ran here still runs");
}

}  // namespace
