#include <doctest/doctest.h>
#include <noderpc.pb.h>

#include <boost/asio/io_context.hpp>

#include "sdk/async/event.h"
#include "sdk/async/scope.h"
#include "sdk/rpc/client.h"
#include "sdk/rpc/node_rpc.h"

using namespace drover;
using namespace std::chrono_literals;

namespace {
Async<Result<std::string>> upper(CallInfo info, std::string payload) {
  for (char& c : payload) c = static_cast<char>(std::toupper(c));
  co_return info.method + ":" + payload;
}
Async<Result<std::string>> refuse(CallInfo, std::string payload) {
  co_return fail(Error(Code::no_leader, "No cluster leader " + payload).with_http_status(418).with_errno(7).with_recoverable());
}
struct Hang {
  Event started, cancelled;
  explicit Hang(const Executor& executor) : started(executor), cancelled(executor) {}
};
Async<Result<std::string>> hang(Hang* state, CallInfo, std::string) {
  struct Mark {
    Event& event;
    ~Mark() { event.set(); }
  } mark{state->cancelled};
  state->started.set();
  co_await sleep_for(1h);
  co_return std::string();
}
Async<Result<>> echo(CallInfo, NodeStream& stream) {
  for (;;) {
    auto message = co_await stream.receive();
    if (!message) co_return fail(Error(Code::conflict, "the end").with_http_status(409));
    std::string reply = "<" + *message + ">";
    const bool sent = co_await stream.send(std::move(reply));
    if (!sent) co_return Result<>{};
  }
}

struct Pair {
  explicit Pair(bool local, const Executor& executor) : hang_state(executor), server(executor) {
    server.handle("Upper", upper);
    server.handle("Refuse", refuse);
    server.handle("Hang", [this](CallInfo info, std::string p) { return hang(&hang_state, std::move(info), std::move(p)); });
    server.handle_stream("Echo", echo);
    if (local) {
      client = NodeRpcClient::in_process(executor, server);
    } else {
      REQUIRE(server.listen("127.0.0.1:0"));
      client = NodeRpcClient::connect(executor, fmt::format("127.0.0.1:{}", server.port()));
    }
  }
  Hang hang_state;
  NodeRpcServer server;
  std::unique_ptr<NodeRpcClient> client;
};

Async<> use_all(Pair& pair, bool& finished) {
  auto answer = co_await pair.client->call("Upper", "abc", 10s);
  CHECK(answer == Result<std::string>("Upper:ABC"));
  const std::string big(20 << 20, 'x');
  answer = co_await pair.client->call("Refuse", big, 10s);
  REQUIRE(!answer);
  CHECK(answer.error() == Error(Code::no_leader, "No cluster leader " + big).with_http_status(418).with_errno(7).with_recoverable());
  answer = co_await pair.client->call("Nothing", "", 10s);
  REQUIRE(!answer);
  CHECK(answer.error().code() == Code::unimplemented);
  CHECK(answer.error().message() == "unknown RPC \"Nothing\"");

  auto stream = co_await pair.client->open("Echo", "first");
  REQUIRE(stream);
  auto message = co_await (*stream)->receive();
  CHECK(message == "<first>");
  const bool sent = co_await (*stream)->send("second");
  CHECK(sent);
  message = co_await (*stream)->receive();
  CHECK(message == "<second>");
  (*stream)->close();
  message = co_await (*stream)->receive();
  CHECK(!message);
  REQUIRE(!(*stream)->end());
  CHECK((*stream)->end().error() == Error(Code::conflict, "the end").with_http_status(409));

  answer = co_await pair.client->call("Hang", "", 50ms);
  REQUIRE(!answer);
  CHECK(answer.error().code() == Code::deadline_exceeded);
  co_await pair.hang_state.cancelled.wait();
  finished = true;
  co_await pair.server.stop();
}
Async<> call_hang(Pair& pair) {
  [[maybe_unused]] const auto answer = co_await pair.client->call("Hang", "", 0s);
}
Async<> cancel_inside(Pair& pair, Executor executor, bool& finished) {
  Scope inner(executor);
  inner.spawn(call_hang(pair));
  co_await pair.hang_state.started.wait();
  co_await inner.close();
  co_await pair.hang_state.cancelled.wait();
  finished = true;
  co_await pair.server.stop();
}
Async<> stop_with_calls(Pair& pair, Executor executor, bool& finished) {
  Scope inner(executor);
  auto stream = co_await pair.client->open("Echo", "x");
  REQUIRE(stream);
  inner.spawn(call_hang(pair));
  co_await pair.hang_state.started.wait();
  co_await pair.server.stop();
  CHECK(pair.hang_state.cancelled.is_set());
  co_await inner.join();
  auto message = co_await (*stream)->receive();
  while (message) message = co_await (*stream)->receive();
  CHECK(!(*stream)->end());
  finished = true;
}
Async<> unreachable(Executor executor, bool& finished) {
  auto client = NodeRpcClient::connect(executor, "127.0.0.1:1");
  const auto answer = co_await client->call("Upper", "", 5s);
  REQUIRE(!answer);
  CHECK(answer.error().code() == Code::unavailable);
  auto stream = co_await client->open("Echo", "x");
  if (stream) {
    const auto message = co_await (*stream)->receive();
    CHECK(!message);
    CHECK((*stream)->end().error().code() == Code::unavailable);
  }
  finished = true;
}
Async<> flooded(Pair& pair, bool& finished) {
  const auto client = rpc::Client::connect(co_await asio::this_coro::executor, fmt::format("127.0.0.1:{}", pair.server.port()), false, 1 << 20);
  const auto call = [&](std::size_t size) {
    rpc::proto::CallRequest request;
    request.set_method("Upper");
    request.set_payload(std::string(size, 'x'));
    return client->call("/drover.rpc.Node/Call", request.SerializeAsString(), 10s);
  };
  auto answer = co_await call(1000);
  REQUIRE(answer);
  CHECK(answer->size() > 1000);
  answer = co_await call(2 << 20);
  REQUIRE(!answer);
  CHECK(answer.error().code() == Code::resource_exhausted);
  answer = co_await call(1000);
  CHECK(answer);
  finished = true;
  co_await pair.server.stop();
}
}  // namespace

TEST_CASE("node rpc: calls, errors and streams survive the trip exactly, over TCP and in process") {
  for (const bool local : {false, true}) {
    asio::io_context loop;
    Scope scope(loop.get_executor());
    Pair pair(local, loop.get_executor());
    bool finished = false;
    scope.spawn(use_all(pair, finished));
    loop.run();
    CHECK(finished);
  }
}

TEST_CASE("node rpc: cancelling the caller cancels the handler") {
  asio::io_context loop;
  Scope scope(loop.get_executor());
  Pair pair(false, loop.get_executor());
  bool finished = false;
  scope.spawn(cancel_inside(pair, loop.get_executor(), finished));
  loop.run();
  CHECK(finished);
}

TEST_CASE("node rpc: stopping the server ends calls and streams") {
  asio::io_context loop;
  Scope scope(loop.get_executor());
  Pair pair(false, loop.get_executor());
  bool finished = false;
  scope.spawn(stop_with_calls(pair, loop.get_executor(), finished));
  loop.run();
  CHECK(finished);
}

TEST_CASE("node rpc: an unreachable server is unavailable, a port in use is refused") {
  asio::io_context loop;
  Scope scope(loop.get_executor());
  bool finished = false;
  scope.spawn(unreachable(loop.get_executor(), finished));
  loop.run();
  CHECK(finished);
  NodeRpcServer first(loop.get_executor());
  REQUIRE(first.listen("127.0.0.1:0"));
  NodeRpcServer second(loop.get_executor());
  const auto taken = second.listen(fmt::format("127.0.0.1:{}", first.port()));
  CHECK(!taken);
}

TEST_CASE("node rpc: a client and a server may die with calls under way") {
  asio::io_context loop;
  Scope scope(loop.get_executor());
  {
    Pair pair(false, loop.get_executor());
    scope.spawn(call_hang(pair));
    while (!pair.hang_state.started.is_set()) loop.run_one();
    scope.cancel();
    loop.run_for(1ms);
  }
  loop.run();
  CHECK(scope.size() == 0);
}

TEST_CASE("P_21 client: an answer over the limit fails its call, and no other") {
  asio::io_context loop;
  Scope scope(loop.get_executor());
  Pair pair(false, loop.get_executor());
  bool finished = false;
  scope.spawn(flooded(pair, finished));
  loop.run();
  CHECK(finished);
}
