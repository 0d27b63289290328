#include <doctest/doctest.h>

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>

#include "lib/http/client.h"
#include "lib/http/client_connection.h"
#include "lib/http/server.h"
#include "tests/unit/source_dir.h"

using namespace drover;
using namespace drover::http;
using namespace std::chrono_literals;

namespace {
struct World {
  asio::io_context loop;
  Router router;
  Scope scope{loop.get_executor()};
  Event parked{loop.get_executor()};
  Event never{loop.get_executor()};
  bool unwound = false;
};

Async<Response> echo(Request request) {
  auto out = Response::text(200, request.method + " " + request.path + " " + request.body);
  out.headers.add("X-Listener", request.listener);
  co_return out;
}

Async<> count_to(int last, ResponseStream& out) {
  for (int i = 1; i <= last; ++i) {
    const bool written = co_await out.write(std::to_string(i) + "\n");
    if (!written) co_return;
    const bool flushed = co_await out.flush();
    if (!flushed) co_return;
  }
}

Async<Response> stream_numbers(Request request) {
  Response out;
  const int last = std::stoi(std::string(request.param("last")));
  out.compress = request.query.has("zip");
  out.stream = [last](ResponseStream& stream) { return count_to(last, stream); };
  co_return out;
}

Async<> echo_messages(WebSocket& socket) {
  for (;;) {
    const auto message = co_await socket.receive();
    if (!message) co_return;
    if (message->data == "bye") {
      co_await socket.close(1000, "done");
      co_return;
    }
    const bool sent = message->binary ? co_await socket.send_binary(message->data) : co_await socket.send_text(message->data);
    if (!sent) co_return;
  }
}

Async<Response> websocket(Request request) {
  if (request.query.has("refuse")) co_return Response::text(403, "Permission denied");
  Response out;
  out.upgrade = [](WebSocket& socket) { return echo_messages(socket); };
  co_return out;
}

Async<Response> park(World& world, Request) {
  struct Mark {
    World& world;
    ~Mark() { world.unwound = true; }
  } mark{world};
  world.parked.set();
  co_await world.never.wait();
  co_return Response();
}

Async<Response> throws(Request request) {
  if (!request.path.empty()) throw std::runtime_error("broken");
  co_return Response();
}

void fill(World& world) {
  world.router.add("*", "/v1/echo/{path...}", echo);
  world.router.add("*", "/v1/limited", echo, {.max_body_bytes = 10});
  world.router.add("GET", "/v1/numbers/{last}", stream_numbers);
  world.router.add("GET", "/v1/socket", websocket);
  world.router.add("GET", "/v1/park", [&world](Request request) { return park(world, std::move(request)); });
  world.router.add("GET", "/v1/throws", throws);
}

using Steps = Async<> (*)(World&, Server&, Address);

Async<> run_steps(World& world, Server& server, Address address, Steps steps) {
  co_await steps(world, server, address);
  co_await server.close();
}

const std::string certificate = source_dir() + "/tests/data/http/server.pem";
const std::string key = source_dir() + "/tests/data/http/server-key.pem";

void with_server(Steps steps, ServerOptions options = {}, bool over_unix = false, bool over_tls = false) {
  World world;
  fill(world);
  Server server(world.loop.get_executor(), world.router, options);
  Address address;
  if (over_unix) {
    address.kind = Address::Kind::unix_socket;
    address.path = fmt::format("/tmp/drover-http-test-{}.sock", ::getpid());
    REQUIRE(server.listen_unix(address.path, {.tag = "task"}));
  } else {
    ListenOptions listen{.tag = "main"};
    if (over_tls) listen.tls = TlsServerOptions{.certificate_file = certificate, .key_file = key};
    const auto id = server.listen_tcp("127.0.0.1", 0, listen);
    REQUIRE(id);
    if (over_tls) address.kind = Address::Kind::https;
    address.host = "127.0.0.1";
    address.port = server.port(*id);
  }
  world.scope.spawn(run_steps(world, server, address, steps));
  world.loop.run();
  CHECK(world.scope.size() == 0);
}

// Sends raw bytes, reads until the server closes or `expected` comes.
Async<std::string> raw(World& world, Address address, std::string bytes, std::string expected = {}) {
  auto stream = co_await dial(world.loop.get_executor(), address, {});
  REQUIRE(stream);
  std::string out;
  const bool sent = co_await write_all(**stream, bytes, {});
  CHECK(sent);
  for (;;) {
    if (!expected.empty() && out.find(expected) != std::string::npos) co_return out;
    const bool more = co_await read_more(**stream, out, 65536);
    if (!more) co_return out;
  }
}

Async<ClientResponse> get(Client& client, std::string method, std::string target, std::string body = {}) {
  ClientRequest request;
  request.method = method;
  request.target = target;
  request.body = body;
  auto answer = co_await client.send(request);
  if (!answer) FAIL_CHECK(answer.error().message());
  co_return answer ? *answer : ClientResponse();
}

Async<> simple_steps(World& world, Server& server, Address address) {
  Client client(world.loop.get_executor(), address);
  for (int i = 0; i < 3; ++i) {
    const auto answer = co_await get(client, "PUT", "/v1/echo/a%2Fb?x=1", "body");
    CHECK(answer.status == 200);
    CHECK(answer.body == "PUT /v1/echo/a/b body");
    CHECK(answer.headers.get("Vary") == "Accept-Encoding");
    CHECK(answer.headers.get("Content-Encoding") == "gzip");
  }
  CHECK(server.stats().accepted == 1);
  const auto head = co_await get(client, "HEAD", "/v1/echo/x");
  CHECK(head.body.empty());
  const auto missing = co_await get(client, "GET", "/v1/nothing");
  CHECK(missing.status == 404);
  const std::string large(300'000, 'x');
  const auto big = co_await get(client, "PUT", "/v1/echo/x", large);
  CHECK(big.body.size() == large.size() + 15);
  const auto broken = co_await get(client, "GET", "/v1/throws");
  CHECK(broken.status == 500);
}

Async<> unix_steps(World& world, Server&, Address address) {
  Client client(world.loop.get_executor(), address);
  const auto answer = co_await get(client, "GET", "/v1/echo/x");
  CHECK(answer.headers.get("X-Listener") == "task");
}

Async<> stream_steps(World& world, Server& server, Address address) {
  Client client(world.loop.get_executor(), address);
  for (const std::string target : {"/v1/numbers/3", "/v1/numbers/3?zip"}) {
    ClientRequest request;
    request.target = target;
    auto answer = co_await client.stream(request);
    REQUIRE(answer);
    std::string lines;
    for (;;) {
      const auto line = co_await (*answer)->read_line();
      REQUIRE(line);
      if (!*line) break;
      lines += **line + ";";
    }
    CHECK(lines == "1;2;3;");
  }
  CHECK(server.stats().streams == 0);
}

Async<> websocket_steps(World& world, Server&, Address address) {
  Client client(world.loop.get_executor(), address);
  ClientRequest request;
  request.target = "/v1/socket";
  auto socket = co_await client.websocket(request);
  REQUIRE(socket);
  const bool sent = co_await (*socket)->send_text("hello");
  CHECK(sent);
  const auto first = co_await (*socket)->receive();
  REQUIRE(first);
  CHECK(first->data == "hello");
  CHECK_FALSE(first->binary);
  const std::string large(200'000, 'y');
  const bool sent_large = co_await (*socket)->send_binary(large);
  CHECK(sent_large);
  const auto second = co_await (*socket)->receive();
  REQUIRE(second);
  CHECK(second->data == large);
  const bool sent_bye = co_await (*socket)->send_text("bye");
  CHECK(sent_bye);
  const auto last = co_await (*socket)->receive();
  CHECK_FALSE(last);
  CHECK((*socket)->close_code() == 1000);
  CHECK((*socket)->close_reason() == "done");
  ClientRequest refused;
  refused.target = "/v1/socket?refuse";
  const auto no = co_await client.websocket(refused);
  REQUIRE_FALSE(no);
  CHECK(no.error().http_status() == 403);
  CHECK(no.error().message() == "Permission denied");
}

ClientOptions trusting() { return {.tls = {.ca_file = certificate, .server_name = "localhost"}}; }

Async<> tls_steps(World& world, Server& server, Address address) {
  Client client(world.loop.get_executor(), address, trusting());
  const std::string large(300'000, 'x');
  const auto answer = co_await get(client, "PUT", "/v1/echo/x", large);
  CHECK(answer.body.size() == large.size() + 15);
  ClientRequest request;
  request.target = "/v1/socket";
  auto socket = co_await client.websocket(request);
  REQUIRE(socket);
  const bool sent = co_await (*socket)->send_text("hello");
  CHECK(sent);
  const auto message = co_await (*socket)->receive();
  REQUIRE(message);
  CHECK(message->data == "hello");
  co_await (*socket)->close();
  Client stranger(world.loop.get_executor(), address, {.tls = {.server_name = "localhost"}});
  const auto refused = co_await stranger.send({});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message().find("TLS handshake") != std::string::npos);
  const auto renamed = trusting();
  Client wrong(world.loop.get_executor(), address, {.tls = {.ca_file = renamed.tls.ca_file, .server_name = "other"}});
  const auto misnamed = co_await wrong.send({});
  CHECK_FALSE(misnamed);
  CHECK(server.reload_tls());
}

Async<> framing_steps(World& world, Server&, Address address) {
  const std::string one = "GET /v1/echo/1 HTTP/1.1\r\nHost: x\r\n\r\n";
  const std::string last = "GET /v1/echo/2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  const auto pipelined = co_await raw(world, address, one + one + last);
  const auto second = pipelined.find("GET /v1/echo/1", pipelined.find("GET /v1/echo/1") + 1);
  CHECK(second != std::string::npos);
  CHECK(pipelined.find("GET /v1/echo/2") > second);
  CHECK(pipelined.find("Connection: close") != std::string::npos);

  const auto old = co_await raw(world, address, "GET /v1/echo/x HTTP/1.0\r\n\r\n");
  CHECK(old.starts_with("HTTP/1.0 200 OK\r\n"));
  const auto hostless = co_await raw(world, address, "GET /v1/echo/x HTTP/1.1\r\n\r\n");
  CHECK(hostless.starts_with("HTTP/1.1 400 Bad Request: missing required Host header\r\n"));
  CHECK(hostless.ends_with("\r\n\r\n400 Bad Request: missing required Host header"));
  const auto chunked = co_await raw(world, address,
                                    "PUT /v1/echo/c HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
  CHECK(chunked.ends_with("PUT /v1/echo/c abc"));
  const auto expecting = co_await raw(world, address, "PUT /v1/echo/c HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n",
                                      "\r\n\r\n");
  CHECK(expecting == "HTTP/1.1 100 Continue\r\n\r\n");
  const auto header = "GET /v1/echo/x HTTP/1.1\r\nHost: x\r\nX-A: " + std::string(1'200'000, 'a') + "\r\n\r\n";
  const auto too_large = co_await raw(world, address, header, "431 Request Header Fields Too Large\r\n");
  CHECK(too_large.starts_with("HTTP/1.1 431 "));
  const auto body = co_await raw(world, address, "PUT /v1/limited HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n", "too large");
  CHECK(body.starts_with("HTTP/1.1 413 "));
}

Async<> limit_steps(World& world, Server& server, Address address) {
  auto first = co_await dial(world.loop.get_executor(), address, {});
  auto second = co_await dial(world.loop.get_executor(), address, {});
  const auto third = co_await raw(world, address, "GET /v1/echo/x HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK((third.empty() || third.starts_with("HTTP/1.1 429 Too Many Requests\r\n")));
  CHECK(server.stats().refused == 1);
  first->reset();
  while (server.stats().connections > 1) co_await sleep_for(1ms);
  const auto fourth = co_await raw(world, address, "GET /v1/echo/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  CHECK(fourth.starts_with("HTTP/1.1 200 OK\r\n"));
}

Async<> vanish_steps(World& world, Server& server, Address address) {
  auto stream = co_await dial(world.loop.get_executor(), address, {});
  REQUIRE(stream);
  const bool sent = co_await write_all(**stream, "GET /v1/park HTTP/1.1\r\nHost: x\r\n\r\n", {});
  CHECK(sent);
  co_await world.parked.wait();
  stream->reset();
  while (server.stats().connections > 0) co_await sleep_for(5ms);
  CHECK(world.unwound);
}

Async<> close_steps(World& world, Server&, Address address) {
  auto stream = co_await dial(world.loop.get_executor(), address, {});
  REQUIRE(stream);
  const bool sent = co_await write_all(**stream, "GET /v1/park HTTP/1.1\r\nHost: x\r\n\r\n", {});
  CHECK(sent);
  co_await world.parked.wait();
}
}  // namespace

TEST_CASE("server: requests, answers and kept connections") { with_server(simple_steps); }
TEST_CASE("server: a unix socket carries the same and its tag") { with_server(unix_steps, {}, true); }
TEST_CASE("server: a streamed body comes line by line, packed or not") { with_server(stream_steps); }
TEST_CASE("server: websocket messages go both ways and a refusal is readable") { with_server(websocket_steps); }
TEST_CASE("server: framing, pipelining and limits are as recorded") { with_server(framing_steps); }
TEST_CASE("server: N-conns per client are limited") { with_server(limit_steps, {.max_connections_per_client = 2}); }
TEST_CASE("server: a parked read is cut when its client vanishes") { with_server(vanish_steps); }
TEST_CASE("server: closing cancels handlers and waits for them") { with_server(close_steps); }
TEST_CASE("server: TLS carries requests and websockets, and clients verify it") { with_server(tls_steps, {}, false, true); }
