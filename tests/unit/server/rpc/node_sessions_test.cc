#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>

#include "lib/model/codec.h"
#include "lib/wire/streams.h"
#include "sdk/async/scope.h"
#include "server/rpc/node_sessions.h"

using namespace drover;
using namespace std::chrono_literals;

namespace {

constexpr const char* node_id = "11111111-1111-1111-1111-111111111111";

void add_node(state::Store& store) {
  state::Txn txn = store.begin(1);
  model::Node node;
  node.id = node_id;
  node.secret_id = "secret";
  txn.put_node(std::move(node), nullptr);
  model::Job job;
  job.id = "j";
  job.namespace_ = "default";
  txn.put_job(job, nullptr, 1);
  model::Allocation alloc;
  alloc.namespace_ = "default";
  alloc.id = "22222222-2222-2222-2222-222222222222";
  alloc.node_id = node_id;
  alloc.job_id = "j";
  txn.put_planned_alloc(std::move(alloc), std::make_shared<const model::Job>(job));
  txn.finish();
  store.commit(std::move(txn));
}

struct Cluster {
  explicit Cluster(const Executor& loop) : executor(loop), sessions(loop, store), server(loop) {
    add_node(store);
    rpc::serve_node_streams(sessions, server);
    REQUIRE(server.listen("127.0.0.1:0"));
    client = NodeRpcClient::connect(loop, fmt::format("127.0.0.1:{}", server.port()));
  }
  Async<std::unique_ptr<NodeStream>> connect(std::string id, std::string secret) {
    auto stream = co_await client->open(wire::streams::node_connect.name, model::to_msgpack(model::NodeConnectRequest{std::move(id), std::move(secret)}));
    REQUIRE(stream);
    co_return std::move(*stream);
  }
  Executor executor;
  state::Store store;
  rpc::NodeSessions sessions;
  NodeRpcServer server;
  std::unique_ptr<NodeRpcClient> client;
};

Async<std::string> next_offer(NodeStream& stream) {
  const auto bytes = co_await stream.receive();
  REQUIRE(bytes);
  model::NodeSessionOffer offer;
  CHECK(model::from_msgpack(*bytes, offer));
  co_return offer.session_id;
}

// The node's part: comes for one request, sends it back `times` times, and ends.
Async<> echo_one(Cluster& cluster, NodeStream& offers, int times, std::size_t& sent) {
  std::string id = co_await next_offer(offers);
  auto stream = co_await cluster.client->open(wire::streams::node_session.name, model::to_msgpack(model::NodeSessionRequest{std::move(id)}));
  REQUIRE(stream);
  const auto request = co_await (*stream)->receive();
  REQUIRE(request);
  for (int i = 0; i < times; ++i) {
    const bool open = co_await (*stream)->send(*request);
    if (!open) co_return;
    ++sent;
  }
  (*stream)->close();
  auto rest = co_await (*stream)->receive();
  while (rest) rest = co_await (*stream)->receive();
}

void run(Async<> (*test)(Cluster&)) {
  asio::io_context loop(1);
  bool finished = false;
  {
    Cluster cluster(loop.get_executor());
    Scope scope(loop.get_executor());
    const auto whole = [](Cluster& c, Async<> (*body)(Cluster&), bool& done) -> Async<> {
      co_await body(c);
      co_await c.server.stop();
      done = true;
    };
    scope.spawn(whole(cluster, test, finished));
    loop.run();
  }
  CHECK(finished);
}

}  // namespace

TEST_CASE("node sessions: a request reaches the node on a stream the node opens, and every part of the answer comes back in order") {
  run([](Cluster& cluster) -> Async<> {
    CHECK(cluster.sessions.node_of("22222222-2222-2222-2222-222222222222") == node_id);
    CHECK(cluster.sessions.node_of("33333333-3333-3333-3333-333333333333").empty());
    auto offers = co_await cluster.connect(node_id, "secret");
    const std::string accepted = co_await next_offer(*offers);
    CHECK(accepted.empty());
    CHECK(cluster.sessions.connected(node_id));
    Scope scope(cluster.executor);
    std::size_t sent = 0;
    scope.spawn(echo_one(cluster, *offers, 20, sent));
    auto stream = co_await cluster.sessions.open(node_id, "hello");
    REQUIRE(stream);
    int received = 0;
    auto part = co_await (*stream)->receive();
    while (part) {
      CHECK(*part == "hello");
      ++received;
      part = co_await (*stream)->receive();
    }
    CHECK(received == 20);
    co_await scope.join();
  });
}

TEST_CASE("node sessions: who is not the node gets no requests of it (N-067)") {
  run([](Cluster& cluster) -> Async<> {
    for (const auto& [id, secret, text] : {std::array{node_id, "wrong", "Permission denied"}, std::array{node_id, "", "Permission denied"},
                                           std::array{"44444444-4444-4444-4444-444444444444", "secret", "node not found"}}) {
      auto stream = co_await cluster.connect(id, secret);
      const auto message = co_await stream->receive();
      CHECK_FALSE(message);
      REQUIRE_FALSE(stream->end());
      CHECK(stream->end().error().message() == text);
    }
    CHECK_FALSE(cluster.sessions.connected(node_id));
    auto guessed = co_await cluster.client->open(wire::streams::node_session.name, model::to_msgpack(model::NodeSessionRequest{"guess"}));
    REQUIRE(guessed);
    const auto message = co_await (*guessed)->receive();
    CHECK_FALSE(message);
    CHECK((*guessed)->end().error().message() == "nobody waits for this session any more");
  });
}

TEST_CASE("node sessions: the texts for a node without a way, and for one nobody knows") {
  run([](Cluster& cluster) -> Async<> {
    const auto missing = co_await cluster.sessions.open("44444444-4444-4444-4444-444444444444", "");
    REQUIRE_FALSE(missing);
    CHECK(missing.error().message() == "Unknown node 44444444-4444-4444-4444-444444444444");
    CHECK(missing.error().http_status() == 404);
    const auto gone = co_await cluster.sessions.open(node_id, "");
    REQUIRE_FALSE(gone);
    CHECK(gone.error().message().starts_with("No path to node"));
    CHECK(gone.error().http_status() == 404);
  });
}

TEST_CASE("node sessions: the newest connection of a node is the one that counts") {
  run([](Cluster& cluster) -> Async<> {
    auto first = co_await cluster.connect(node_id, "secret");
    [[maybe_unused]] const auto a = co_await next_offer(*first);
    auto second = co_await cluster.connect(node_id, "secret");
    [[maybe_unused]] const auto b = co_await next_offer(*second);
    // The older one is ended by the server.
    const auto nothing = co_await first->receive();
    CHECK_FALSE(nothing);
    CHECK(cluster.sessions.connected(node_id));
    Scope scope(cluster.executor);
    std::size_t sent = 0;
    scope.spawn(echo_one(cluster, *second, 1, sent));
    auto stream = co_await cluster.sessions.open(node_id, "x");
    REQUIRE(stream);
    const auto part = co_await (*stream)->receive();
    CHECK(part == "x");
    stream->reset();
    co_await scope.join();
  });
}

TEST_CASE("node sessions: the node stops sending when the asker goes, and waits for a slow one") {
  run([](Cluster& cluster) -> Async<> {
    auto offers = co_await cluster.connect(node_id, "secret");
    [[maybe_unused]] const auto accepted = co_await next_offer(*offers);
    Scope scope(cluster.executor);
    std::size_t sent = 0;
    scope.spawn(echo_one(cluster, *offers, 1 << 20, sent));
    {
      auto stream = co_await cluster.sessions.open(node_id, std::string(64 << 10, 'x'));
      REQUIRE(stream);
      const auto part = co_await (*stream)->receive();
      CHECK(part);
    }
    co_await scope.join();
    CHECK(sent < (1 << 20));
  });
}

TEST_CASE("node sessions: the asker is told when the node's connection breaks") {
  run([](Cluster& cluster) -> Async<> {
    auto offers = co_await cluster.connect(node_id, "secret");
    [[maybe_unused]] const auto accepted = co_await next_offer(*offers);
    Scope scope(cluster.executor);
    std::size_t sent = 0;
    scope.spawn(echo_one(cluster, *offers, 1 << 20, sent));
    auto stream = co_await cluster.sessions.open(node_id, std::string(64 << 10, 'x'));
    REQUIRE(stream);
    const auto part = co_await (*stream)->receive();
    CHECK(part);
    co_await scope.close();
    auto rest = co_await (*stream)->receive();
    while (rest) rest = co_await (*stream)->receive();
    REQUIRE_FALSE((*stream)->end());
    CHECK((*stream)->end().error().message().starts_with("No path to node"));
  });
}
