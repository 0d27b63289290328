#include <doctest/doctest.h>
#include <fmt/format.h>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>

#include "agent/api/exec_session.h"
#include "agent/api/no_client.h"
#include "agent/api/routes.h"
#include "lib/http/client.h"
#include "lib/http/server.h"
#include "sdk/async/scope.h"

using namespace drover;
using namespace drover::agent;

namespace {
const std::string known = "11111111-2222-3333-4444-555555555555";

// Runs `cat` without a cat: what comes in goes out on both streams, and its end is the end, with code 7.
class CatClient final : public ClientOps {
 public:
  explicit CatClient(const Executor& loop) : gone(loop) {}
  std::vector<std::string> commands;
  std::vector<std::pair<int, int>> sizes;
  Event gone;
  NoClient nothing;

  [[nodiscard]] std::string node_id() const override { return "n1"; }
  [[nodiscard]] Result<std::string> alloc_directory(std::string_view alloc) const override {
    if (alloc != known) return fail(Code::not_found, "unknown");
    return std::string("/nonexistent");
  }
  [[nodiscard]] TaskPresence task_presence(std::string_view, std::string_view) const override { return TaskPresence::started; }
  Async<Result<model::AllocResourceUsage>> alloc_stats(std::string alloc, std::string task) override { return nothing.alloc_stats(alloc, task); }
  Async<Result<>> restart_alloc(std::string, std::string, bool) override { co_return Result<>{}; }
  Async<Result<>> signal_alloc(std::string, std::string, std::string) override { co_return Result<>{}; }
  Async<Result<>> collect_alloc(std::string) override { co_return Result<>{}; }
  Async<> collect_all() override { co_return; }
  Async<Result<model::HostStats>> host_stats() override { return nothing.host_stats(); }
  [[nodiscard]] std::vector<model::AgentPlugin> plugins() const override { return {}; }
  [[nodiscard]] Result<model::List<model::DriverSchema>> driver_schemas() const override { return model::List<model::DriverSchema>{}; }
  [[nodiscard]] pluginhost::PluginLogRing* plugin_log(std::string_view) const override { return nullptr; }
  [[nodiscard]] Result<> reset_plugin(std::string_view) override { return Result<>{}; }
  [[nodiscard]] Result<std::vector<std::string>> action_command(std::string_view, std::string_view task, std::string_view action) const override {
    if (action != "hello") return fail(Error(Code::not_found, fmt::format("action {} not found in task {}", action, task)).with_http_status(404));
    return std::vector<std::string>{"from", "action"};
  }
  Async<Result<>> exec_task(std::string, std::string task, driver::ExecOptions options, Channel<driver::ExecInput>& input,
                            Channel<driver::ExecOutput>& output) override {
    commands.push_back(task + ": " + fmt::format("{} {}", fmt::join(options.command, " "), options.tty));
    if (task == "broken") co_return fail(Code::internal, "rpc error: code = Unknown desc = failed to start command: {}", std::string(200, 'x'));
    struct Leaving {
      Event& gone;
      ~Leaving() { gone.set(); }
    } leaving{gone};
    for (bool more = true; more;) {
      auto value = co_await input.receive();
      if (!value) co_return Result<>{};
      more = !value->stdin_eof;
      if (value->resize) sizes.emplace_back(value->resize->height, value->resize->width);
      driver::ExecOutput out{.stdout_data = value->stdin_data, .stderr_data = value->stdin_data, .stdout_eof = !more, .stderr_eof = !more, .exit_code = {}};
      [[maybe_unused]] const bool sent = co_await output.send(std::move(out));
    }
    driver::ExecOutput end;
    end.exit_code = 7;
    [[maybe_unused]] const bool sent = co_await output.send(std::move(end));
    co_return Result<>{};
  }
};

struct World {
  asio::io_context loop{1};
  CatClient ops{loop.get_executor()};
  Pool pool{1};
  http::Router router;
  World() { add_client_routes(router, ops, pool, nullptr); }
};

http::ClientRequest socket_at(const std::string& target) {
  http::ClientRequest out;
  out.target = target;
  return out;
}
std::string exec_of(const std::string& query) { return "/v1/client/allocation/" + known + "/exec?" + query; }

Async<std::string> next(http::WebSocket& socket) {
  const auto message = co_await socket.receive();
  co_return message ? message->data : fmt::format("closed {} {}", socket.close_code(), socket.close_reason());
}

void run(Async<> (*test)(World&, http::Client&)) {
  World world;
  bool finished = false;
  {
    http::Server server(world.loop.get_executor(), world.router);
    const auto id = server.listen_tcp("127.0.0.1", 0);
    REQUIRE(id);
    http::Client client(world.loop.get_executor(), *http::Address::parse(fmt::format("http://127.0.0.1:{}", server.port(*id))));
    Scope scope(world.loop.get_executor());
    const auto whole = [](Async<> (*body)(World&, http::Client&), World& w, http::Client& c, http::Server& s, bool& done) -> Async<> {
      co_await body(w, c);
      co_await s.close();
      done = true;
    };
    scope.spawn(whole(test, world, client, server, finished));
    world.loop.run();
  }
  CHECK(finished);
}
}  // namespace

TEST_CASE("exec: messages of a client become input, a heartbeat and nonsense do not") {
  const auto data = parse_exec_message(R"({"stdin":{"data":"aGk=","close":true}})");
  REQUIRE(data);
  CHECK(data->stdin_data == "hi");
  CHECK(data->stdin_eof);
  const auto size = parse_exec_message(R"({"tty_size":{"height":24,"width":80}})");
  REQUIRE(size);
  REQUIRE(size->resize);
  CHECK(size->resize->height == 24);
  CHECK(size->resize->width == 80);
  for (const char* nothing : {"{}", "", "x", "[]", "null", R"({"stdin":5})", R"({"stdin":{"data":7}})", R"({"stdin":{"data":"not base64!"}})"}) {
    CHECK_FALSE(parse_exec_message(nothing));
  }
}

TEST_CASE("exec: output is told in messages of at most 4096 bytes, then the ends, then the exit code") {
  const auto long_output = exec_messages({.stdout_data = std::string(5000, 'a'), .stderr_data = {}, .stdout_eof = true, .stderr_eof = false, .exit_code = {}});
  REQUIRE(long_output.size() == 3);
  CHECK(long_output[0].size() > long_output[1].size());
  CHECK(long_output[2] == R"({"stdout":{"close":true}})");
  CHECK(exec_messages({.stdout_data = {}, .stderr_data = "x", .stdout_eof = false, .stderr_eof = true, .exit_code = 0}) ==
        std::vector<std::string>{R"({"stderr":{"data":"eA=="}})", R"({"stderr":{"close":true}})", R"({"exited":true,"result":{}})"});
  CHECK(exec_messages({.stdout_data = {}, .stderr_data = {}, .stdout_eof = false, .stderr_eof = false, .exit_code = 7}) ==
        std::vector<std::string>{R"({"exited":true,"result":{"exit_code":7}})"});
}

TEST_CASE("exec: both streams and the exit code come, then the connection ends without a close frame") {
  run([](World& world, http::Client& client) -> Async<> {
    auto socket = co_await client.websocket(socket_at(exec_of("task=t&command=%5B%22cat%22%2C%22-%22%5D&tty=true")));
    REQUIRE(socket);
    for (const char* message : {R"({"tty_size":{"height":24,"width":80}})", "{}", R"({"stdin":{"data":"aGk="}})", R"({"stdin":{"close":true}})"}) {
      REQUIRE(co_await (*socket)->send_text(message));
    }
    CHECK(co_await next(**socket) == R"({"stdout":{"data":"aGk="}})");
    CHECK(co_await next(**socket) == R"({"stderr":{"data":"aGk="}})");
    CHECK(co_await next(**socket) == R"({"stdout":{"close":true}})");
    CHECK(co_await next(**socket) == R"({"stderr":{"close":true}})");
    CHECK(co_await next(**socket) == R"({"exited":true,"result":{"exit_code":7}})");
    CHECK(co_await next(**socket) == "closed 1006 ");
    CHECK(world.ops.commands == std::vector<std::string>{"t: cat - true"});
    CHECK(world.ops.sizes == std::vector<std::pair<int, int>>{{24, 80}});
  });
}

TEST_CASE("exec: a command whose user has gone is given up") {
  run([](World& world, http::Client& client) -> Async<> {
    auto socket = co_await client.websocket(socket_at(exec_of("task=t&command=%5B%22cat%22%5D")));
    REQUIRE(socket);
    REQUIRE(co_await (*socket)->send_text(R"({"stdin":{"data":"aGk="}})"));
    CHECK(co_await next(**socket) == R"({"stdout":{"data":"aGk="}})");
    socket->reset();
    co_await world.ops.gone.wait();
  });
}

TEST_CASE("exec: refusals are close frames, 1008 for a mistake of the client's and 1011 for a fault here") {
  run([](World&, http::Client& client) -> Async<> {
    const std::string alloc = "/v1/client/allocation/", other = "00000000-0000-0000-0000-000000000000";
    const std::pair<std::string, std::string> all[] = {
        {exec_of("command=%5B%22x%22%5D"), "closed 1008 must provide task name"},
        {exec_of("task=t"), "closed 1011 failed to marshal command into json: unexpected end of JSON input"},
        {exec_of("task=t&command=%5B%5D"), "closed 1008 command is not present"},
        {exec_of("task=t&command=null"), "closed 1008 command is not present"},
        {exec_of("task=t&command=%22ls%22"), "closed 1011 failed to marshal command into json: json: cannot unmarshal string into Go value of type []string"},
        {exec_of("task=t&command=%5B1%5D"), "closed 1011 failed to marshal command into json: json: cannot unmarshal number into Go value of type string"},
        {exec_of("task=t&command=%5B%22x%22%5D&tty=maybe"), "closed 1011 tty value is not a boolean: strconv.ParseBool: parsing \"maybe\": invalid syntax"},
        {exec_of("task=t&command=%5B%22x%22%5D&ws_handshake=maybe"), "closed 1008 ws_handshake value is not a boolean: strconv.ParseBool: parsing \"maybe\": invalid syntax"},
        {alloc + other + "/exec?task=t&command=%5B%22x%22%5D", "closed 1008 Unknown allocation \"" + other + "\""},
        {alloc + "0000/exec?task=t&command=%5B%22x%22%5D", "closed 1011 alloc lookup failed: index error: UUID must be 36 characters"},
        {exec_of("task=broken&command=%5B%22x%22%5D"), "closed 1011 " + ("rpc error: code = Unknown desc = failed to start command: " + std::string(200, 'x')).substr(0, 123)},
        {"/v1/job/j/action?task=t&action=hello", "closed 1008 missing AllocID"},
        {"/v1/job/j/action?allocID=" + known + "&task=t&action=none", "closed 1008 action none not found in task t"},
    };
    for (const auto& [target, expected] : all) {
      auto socket = co_await client.websocket(socket_at(target));
      REQUIRE(socket);
      CHECK(co_await next(**socket) == expected);
    }
  });
}

TEST_CASE("exec: an action of a job is its command") {
  run([](World& world, http::Client& client) -> Async<> {
    auto socket = co_await client.websocket(socket_at("/v1/job/a/b/action?allocID=" + known + "&task=t&action=hello"));
    REQUIRE(socket);
    REQUIRE(co_await (*socket)->send_text(R"({"stdin":{"close":true}})"));
    CHECK(co_await next(**socket) == R"({"stdout":{"close":true}})");
    CHECK(world.ops.commands == std::vector<std::string>{"t: from action false"});
  });
}

TEST_CASE("exec: a handshake message carries version and token") {
  run([](World&, http::Client& client) -> Async<> {
    const std::pair<const char*, const char*> all[] = {
        {R"({"version":1,"auth_token":"secret"})", R"({"stdout":{"close":true}})"},
        {R"({"version":1,"auth_token":"other"})", "closed 1008 handshake auth token mismatched auth header token"},
        {R"({"version":2})", "closed 1008 unexpected handshake value: 2"},
        {R"({"stdin":{"close":true}})", "closed 1008 unexpected handshake value: 0"},
        {"nonsense", "closed 1008 invalid character 'o' in literal null (expecting 'u')"},
    };
    for (const auto& [first, expected] : all) {
      auto request = socket_at(exec_of("task=t&command=%5B%22x%22%5D&ws_handshake=true"));
      request.headers.set("X-Nomad-Token", "secret");
      auto socket = co_await client.websocket(std::move(request));
      REQUIRE(socket);
      REQUIRE(co_await (*socket)->send_text(first));
      [[maybe_unused]] const bool sent = co_await (*socket)->send_text(R"({"stdin":{"close":true}})");
      CHECK(co_await next(**socket) == expected);
    }
  });
}

TEST_CASE("exec: what cannot become a socket is refused in words of HTTP, a page of another origin too") {
  run([](World&, http::Client& client) -> Async<> {
    const auto plain = co_await client.send(socket_at(exec_of("task=t&command=%5B%22x%22%5D")));
    REQUIRE(plain);
    CHECK(plain->status == 500);
    CHECK(plain->body == "websocket connection not found in context");
    auto request = socket_at(exec_of("task=t&command=%5B%22x%22%5D"));
    request.headers.set("Origin", "http://evil.example");
    const auto foreign = co_await client.websocket(std::move(request));
    REQUIRE_FALSE(foreign);
    CHECK(foreign.error().http_status() == 403);
    CHECK(foreign.error().message().starts_with("Forbidden\nfailed to upgrade connection: "));
  });
}
