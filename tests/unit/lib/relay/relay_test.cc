#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>

#include "lib/model/codec.h"
#include "lib/http/websocket.h"
#include "lib/relay/relay.h"
#include "lib/wire/streams.h"
#include "sdk/async/event.h"
#include "sdk/async/scope.h"

using namespace drover;
using namespace std::chrono_literals;
using http::Request;
using http::Response;

namespace {

// What the handlers of the answering side saw.
struct Seen {
  explicit Seen(const Executor& executor) : started(executor), ended(executor), go_on(executor) {}
  Event started, ended, go_on;
  bool completed = false;
  std::size_t written = 0;
  Request request;
};
struct MarkEnd {
  Seen& seen;
  ~MarkEnd() { seen.ended.set(); }
};

Async<Response> plain(Seen& seen, Request request) {
  seen.request = std::move(request);
  auto out = Response::json("{\"a\":1}", 201);
  out.headers.add("X-Nomad-Index", "7");
  out.headers.add("Access-Control-Allow-Origin", "*");
  co_return out;
}
Async<Response> wait_there(Seen& seen, Request) {
  const MarkEnd mark{seen};
  seen.started.set();
  co_await seen.go_on.wait();
  seen.completed = true;
  co_return Response::text(200, "late");
}
Async<> write_three(http::ResponseStream& out) {
  for (const char* text : {"one", "two", "three"}) {
    [[maybe_unused]] const bool open = co_await out.write(text);
    const bool flushed = co_await out.flush();
    if (!flushed) co_return;
  }
}
Async<> write_much(Seen& seen, http::ResponseStream& out) {
  const MarkEnd mark{seen};
  const std::string block(64 << 10, 'x');
  for (; seen.written < (std::size_t{1} << 30); seen.written += block.size()) {
    const bool open = co_await out.write(block);
    if (!open) co_return;
  }
  seen.completed = true;
}
Async<> give_up(http::ResponseStream& out) {
  [[maybe_unused]] const bool open = co_await out.write("half");
  throw boost::system::system_error(asio::error::operation_aborted);
}
Async<> sit_silent(Seen& seen, http::ResponseStream& out) {
  const MarkEnd mark{seen};
  seen.started.set();
  [[maybe_unused]] const bool open = co_await out.flush();
  co_await sleep_for(1h);
}
Async<Response> stream_of(Response::Stream stream) {
  Response out;
  out.stream = std::move(stream);
  out.until_close = true;
  out.compress = false;
  co_return out;
}
Async<Response> broken(Request) {
  throw std::runtime_error("a bug");
  co_return Response();
}

// Collects what a relayed body writes.
class Collector final : public http::ResponseStream {
 public:
  explicit Collector(std::string& out) : out_(out) {}
  Async<bool> write(std::string_view text) override { out_ += text; co_return true; }
  Async<bool> flush() override { out_ += '|'; co_return true; }
  [[nodiscard]] bool gone() const override { return false; }

 private:
  std::string& out_;
};

struct Agents {
  explicit Agents(const Executor& loop) : executor(loop), seen(loop), server(loop) {
    router.add("*", "/plain/{id}", [this](Request r) { return plain(seen, std::move(r)); });
    router.add("*", "/wait", [this](Request r) { return wait_there(seen, std::move(r)); });
    router.add("*", "/three", [](const Request&) { return stream_of(write_three); });
    router.add("*", "/much", [this](const Request&) { return stream_of([this](http::ResponseStream& out) { return write_much(seen, out); }); });
    router.add("*", "/half", [](const Request&) { return stream_of(give_up); });
    router.add("*", "/silent", [this](const Request&) { return stream_of([this](http::ResponseStream& out) { return sit_silent(seen, out); }); });
    router.add("*", "/broken", broken);
    wire::serve_stream<model::HttpRelayRequest>(server, wire::streams::http_relay,
                                                [this](model::HttpRelayRequest r, NodeStream& s) { return serve(std::move(r), s); });
    client = NodeRpcClient::in_process(executor, server);
  }
  Async<Result<>> serve(model::HttpRelayRequest request, NodeStream& stream) {
    co_await relay::answer(std::move(request), stream, router);
    co_return Result<>{};
  }
  Async<Response> ask(std::string method, std::string target, bool last = false) {
    Request request;
    request.method = std::move(method);
    request.target = std::move(target);
    request.headers = {{"X-Nomad-Token", "its own"}, {"Host", "a"}, {"Accept-Encoding", "gzip"}, {"Connection", "keep-alive"}};
    request.body = "body";
    model::HttpRelayRequest message = relay::to_message(request);
    if (last) message.node = "n";
    auto stream = co_await client->open(wire::streams::http_relay.name, model::to_msgpack(message));
    REQUIRE(stream);
    auto out = co_await relay::receive_answer(std::move(*stream), 30s, "asking there");
    co_return out;
  }
  Executor executor;
  Seen seen;
  http::Router router;
  NodeRpcServer server;
  std::unique_ptr<NodeRpcClient> client;
};

// Runs `test` with two agents, and says when it came to its end.
void run(Async<> (*test)(Agents&)) {
  asio::io_context loop(1);
  bool finished = false;
  {
    Agents agents(loop.get_executor());
    Scope scope(loop.get_executor());
    const auto whole = [](Agents& a, Async<> (*body)(Agents&), bool& done) -> Async<> {
      co_await body(a);
      co_await a.server.stop();
      done = true;
    };
    scope.spawn(whole(agents, test, finished));
    loop.run();
  }
  CHECK(finished);
}

}  // namespace

TEST_CASE("relay: a request keeps its token and gets none of ours, an answer its status, headers and body (N-067)") {
  run([](Agents& agents) -> Async<> {
    const auto answer = co_await agents.ask("PUT", "/plain/a%2Fb?x=1&y=%20z");
    CHECK(answer.status == 404);  // decoded, the id has a slash, and the pattern one word for it
    const auto other = co_await agents.ask("PUT", "/plain/ab?x=1&y=%20z");
    CHECK(other.status == 201);
    CHECK(other.body == "{\"a\":1}");
    CHECK(other.headers.get("Content-Type") == "application/json");
    CHECK(other.headers.get("X-Nomad-Index") == "7");
    CHECK_FALSE(other.headers.has("Access-Control-Allow-Origin"));
    CHECK_FALSE(other.stream);
    const Request& request = agents.seen.request;
    CHECK(request.method == "PUT");
    CHECK(request.query.get("y") == " z");
    CHECK(request.body == "body");
    CHECK(request.headers.size() == 1);
    CHECK(request.headers.get("X-Nomad-Token") == "its own");
    CHECK(request.remote.empty());
  });
}

TEST_CASE("relay: only the message says that a request goes no further, and it is not handed on") {
  run([](Agents& agents) -> Async<> {
    co_await agents.ask("PUT", "/plain/ab", true);
    CHECK(relay::goes_no_further(agents.seen.request));
    CHECK(relay::to_message(agents.seen.request).node.empty());
    co_await agents.ask("PUT", "/plain/ab");
    CHECK_FALSE(relay::goes_no_further(agents.seen.request));
  });
}

TEST_CASE("relay: a streamed body comes part by part, with its flushes and the manner of its end") {
  run([](Agents& agents) -> Async<> {
    const auto answer = co_await agents.ask("GET", "/three");
    CHECK(answer.until_close);
    CHECK_FALSE(answer.compress);
    REQUIRE(answer.stream);
    std::string body;
    Collector collector(body);
    co_await answer.stream(collector);
    CHECK(body == "one|two|three|");
  });
}

TEST_CASE("relay: a writer waits for its reader, and ends when the reader goes") {
  run([](Agents& agents) -> Async<> {
    {
      const auto answer = co_await agents.ask("GET", "/much");
      REQUIRE(answer.stream);
    }
    co_await agents.seen.ended.wait();
    CHECK_FALSE(agents.seen.completed);
    CHECK(agents.seen.written < (std::size_t{1} << 30));
  });
}

TEST_CASE("relay: a body that its writer gave up does not look complete") {
  run([](Agents& agents) -> Async<> {
    const auto answer = co_await agents.ask("GET", "/half");
    REQUIRE(answer.stream);
    std::string body;
    Collector collector(body);
    bool cut = false;
    try {
      co_await answer.stream(collector);
    } catch (const boost::system::system_error& error) {
      cut = error.code() == asio::error::operation_aborted;
    }
    CHECK(cut);
  });
}

TEST_CASE("relay: a stream without data ends when its reader goes") {
  run([](Agents& agents) -> Async<> {
    {
      const auto answer = co_await agents.ask("GET", "/silent");
      REQUIRE(answer.stream);
      co_await agents.seen.started.wait();
    }
    co_await agents.seen.ended.wait();
  });
}

namespace {
Async<> ask_and_forget(Agents& agents, std::string method) {
  [[maybe_unused]] const auto answer = co_await agents.ask(std::move(method), "/wait");
}
}  // namespace

TEST_CASE("relay: when the asker goes, a read is cancelled and a write goes on") {
  run([](Agents& agents) -> Async<> {
    Scope scope(agents.executor);
    scope.spawn(ask_and_forget(agents, "GET"));
    co_await agents.seen.started.wait();
    co_await scope.close();
    co_await agents.seen.ended.wait();
    CHECK_FALSE(agents.seen.completed);
  });
}

TEST_CASE("relay: no answer in time, a bug in a handler, and a malformed path are answers of their own") {
  run([](Agents& agents) -> Async<> {
    const auto bug = co_await agents.ask("GET", "/broken");
    CHECK(bug.status == 500);
    CHECK(bug.body == "internal error: a bug");
    const auto path = co_await agents.ask("GET", "/%zz");
    CHECK(path.status == 400);
    CHECK(path.body == "the relayed request's path is malformed");

    const model::HttpRelayRequest request{.method = "GET", .target = "/wait"};
    auto stream = co_await agents.client->open(wire::streams::http_relay.name, model::to_msgpack(request));
    REQUIRE(stream);
    const auto late = co_await relay::receive_answer(std::move(*stream), 1ns, "asking there");
    CHECK(late.status == 504);
    CHECK(late.body == "asking there: no answer in time");
    auto unknown = co_await agents.client->open("Agent.Nothing", "");
    REQUIRE(unknown);
    const auto refused = co_await relay::receive_answer(std::move(*unknown), 30s, "asking there");
    CHECK(refused.status == 500);
    CHECK(refused.body == "asking there: unknown RPC stream \"Agent.Nothing\"");
  });
}

namespace {
// The user's end of a socket, in memory: what was sent to the user is kept, what the user sends is there already.
class UserSocket final : public http::WebSocket {
 public:
  UserSocket(const Executor& loop, std::vector<std::string> messages) : changed_(loop), messages_(std::move(messages)) {}
  std::vector<std::string> got;
  bool leaves = false;

  Async<std::optional<http::WebSocketMessage>> receive() override {
    if (next_ < messages_.size()) co_return http::WebSocketMessage{messages_[next_++], next_ % 2 == 0};
    while (!leaves) co_await changed_.wait();
    co_return std::nullopt;
  }
  Async<bool> send_text(std::string_view data) override {
    got.push_back("text " + std::string(data));
    co_return true;
  }
  Async<bool> send_binary(std::string_view data) override {
    got.push_back("binary " + std::string(data));
    co_return true;
  }
  Async<bool> ping() override { co_return true; }
  Async<> close(std::uint16_t code, std::string reason) override {
    got.push_back(fmt::format("close {} {}", code, reason));
    leaves = true;
    changed_.notify_all();
    co_return;
  }
  Async<> drop() override { return close(http::vanished, "dropped"); }
  [[nodiscard]] std::uint16_t close_code() const override { return 1001; }
  [[nodiscard]] std::string close_reason() const override { return "gone away"; }

 private:
  Condition changed_;
  std::vector<std::string> messages_;
  std::size_t next_ = 0;
};

// Sends each of two messages back in its own kind, and ends as the second says.
Async<> echo_two(http::WebSocket& socket) {
  const auto first = co_await socket.receive();
  REQUIRE(first);
  CHECK_FALSE(first->binary);
  [[maybe_unused]] const bool text = co_await socket.send_text(first->data);
  const auto second = co_await socket.receive();
  REQUIRE(second);
  CHECK(second->binary);
  [[maybe_unused]] const bool binary = co_await socket.send_binary(second->data);
  if (second->data == "drop") co_await socket.drop();
  else co_await socket.close(1011, "why");
}

Async<> echo_over_relay(Agents& agents, std::string last, std::string end) {
  Request request;
  request.method = "GET";
  request.target = "/socket";
  request.headers = {{"Connection", "Upgrade"}, {"Upgrade", "websocket"}, {"Sec-WebSocket-Version", "13"}};
  auto stream = co_await agents.client->open(wire::streams::http_relay.name, model::to_msgpack(relay::to_message(request)));
  REQUIRE(stream);
  auto answer = co_await relay::receive_answer(std::move(*stream), 30s, "asking there");
  REQUIRE(answer.upgrade);
  UserSocket user(agents.executor, {"one", last});
  co_await answer.upgrade(user);
  CHECK(user.got == std::vector<std::string>{"text one", "binary " + last, end});
}

Response socket_of(const Request& request) {
  if (!request.is_websocket()) return Response::text(400, "no socket");
  Response out;
  out.upgrade = [](http::WebSocket& socket) { return echo_two(socket); };
  return out;
}
Async<Response> socket_route(Request request) { co_return socket_of(request); }
}  // namespace

TEST_CASE("relay: a websocket's messages go both ways, and its end arrives as it was") {
  run([](Agents& agents) -> Async<> {
    agents.router.add("GET", "/socket", socket_route);
    co_await echo_over_relay(agents, "two", "close 1011 why");
    co_await echo_over_relay(agents, "drop", "close 1006 dropped");
    const auto plain = co_await agents.ask("GET", "/socket");
    CHECK(plain.status == 400);
  });
}
