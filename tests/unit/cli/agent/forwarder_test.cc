#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>

#include "cli/agent/forwarder.h"
#include "sdk/async/scope.h"

using namespace drover;

namespace {
constexpr const char* alloc_id = "22222222-2222-2222-2222-222222222222";

// A server that has not applied the allocation yet, beside one that leads and has.
struct Behind {
  Behind() {
    registry.add(wire::endpoints::alloc_get, std::function([this](model::ObjectRequest request) { return tell(std::move(request)); }));
  }
  Async<Result<model::ObjectReply<model::Allocation>>> tell(model::ObjectRequest request) {
    ++asked;
    model::ObjectReply<model::Allocation> reply;
    if (request.id == alloc_id) {
      auto alloc = std::make_shared<model::Allocation>();
      alloc->id = alloc_id;
      alloc->node_id = "n-far";
      reply.item = std::move(alloc);
    }
    co_return reply;
  }
  std::optional<http::Response> ask(const std::string& id, const std::vector<std::string>& others) {
    asio::io_context io;
    state::Store store;
    rpc::NodeSessions sessions(io.get_executor(), store);
    wire::RemoteCaller servers(io.get_executor(), std::vector<std::string>{});
    cli::Forwarder forwarder(io.get_executor(), servers, caller, &sessions, "", [&] { return others; });
    std::optional<http::Response> out;
    Scope scope(io.get_executor());
    scope.spawn(run(forwarder, id, out));
    io.run();
    return out;
  }
  static Async<> run(cli::Forwarder& forwarder, std::string id, std::optional<http::Response>& out) {
    auto answer = co_await forwarder.ask_alloc(std::move(id), http::Request{});
    out = std::move(answer);
  }

  wire::Registry registry;
  wire::LocalCaller caller{registry};
  int asked = 0;
};
}  // namespace

TEST_CASE("forwarder: where an allocation runs that this server has not heard of is asked of the one that leads") {
  Behind server;
  const std::vector<std::string> others{"127.0.0.1:1"};
  const auto answer = server.ask(alloc_id, others);
  REQUIRE(answer);
  CHECK(answer->status == 404);
  CHECK(answer->body.find("Unknown node n-far") != std::string::npos);
  CHECK(server.asked == 1);
  CHECK_FALSE(server.ask("33333333-3333-3333-3333-333333333333", others));
  CHECK(server.asked == 2);
}

TEST_CASE("forwarder: a server that is alone knows all allocations") {
  Behind server;
  CHECK_FALSE(server.ask(alloc_id, {}));
  CHECK(server.asked == 0);
}
