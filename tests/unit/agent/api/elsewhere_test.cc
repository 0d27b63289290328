#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "agent/api/monitor.h"
#include "agent/api/no_client.h"
#include "agent/api/routes.h"
#include "sdk/async/scope.h"

using namespace drover;
using namespace drover::agent;
using http::Request;
using http::Response;

namespace {

constexpr const char* here = "11111111-1111-1111-1111-111111111111";
constexpr const char* there = "22222222-2222-2222-2222-222222222222";
constexpr const char* nowhere = "33333333-3333-3333-3333-333333333333";

// A node that has the allocation `here`.
class OneAlloc final : public ClientOps {
 public:
  [[nodiscard]] std::string node_id() const override { return here; }
  [[nodiscard]] Result<std::string> alloc_directory(std::string_view alloc) const override {
    if (alloc == here) return std::string("/nonexistent");
    return fail(Code::not_found, "not here");
  }
  [[nodiscard]] TaskPresence task_presence(std::string_view, std::string_view) const override { return TaskPresence::started; }
  [[nodiscard]] Async<Result<model::AllocResourceUsage>> alloc_stats(std::string, std::string) override { co_return model::AllocResourceUsage{}; }
  [[nodiscard]] Async<Result<>> restart_alloc(std::string, std::string, bool) override { co_return Result<>{}; }
  [[nodiscard]] Async<Result<>> signal_alloc(std::string, std::string, std::string) override { co_return Result<>{}; }
  [[nodiscard]] Result<std::vector<std::string>> action_command(std::string_view, std::string_view, std::string_view) const override { return std::vector<std::string>{}; }
  [[nodiscard]] Async<Result<>> exec_task(std::string, std::string, driver::ExecOptions, Channel<driver::ExecInput>&, Channel<driver::ExecOutput>&) override { co_return Result<>{}; }
  [[nodiscard]] Async<Result<>> collect_alloc(std::string) override { co_return Result<>{}; }
  [[nodiscard]] Async<> collect_all() override { co_return; }
  [[nodiscard]] Async<Result<model::HostStats>> host_stats() override { co_return model::HostStats{}; }
  [[nodiscard]] std::vector<model::AgentPlugin> plugins() const override { return {}; }
  [[nodiscard]] pluginhost::PluginLogRing* plugin_log(std::string_view) const override { return nullptr; }
  [[nodiscard]] Result<> reset_plugin(std::string_view) override { return Result<>{}; }
  [[nodiscard]] Result<model::List<model::DriverSchema>> driver_schemas() const override { return model::List<model::DriverSchema>{}; }
};

// Knows where `there` is.
class Cluster final : public Elsewhere {
 public:
  std::string asked;
  Async<std::optional<Response>> ask_alloc(std::string alloc_id, const Request& request) override {
    asked = request.method + " " + request.path;
    if (alloc_id != there) co_return std::nullopt;
    co_return Response::text(200, "from there");
  }
  Async<Response> ask_node(std::string node_id, const Request& request) override {
    asked = request.method + " " + request.path;
    co_return node_id == there ? Response::text(200, "from there") : Response::text(404, "Unknown node " + node_id);
  }
};

Async<> ask(const http::Router& router, Request request, Response& out) { out = co_await router.handle(std::move(request)); }

std::string get(const http::Router& router, const std::string& target, const std::string& method = "GET") {
  Request request;
  request.method = method;
  request.target = target;
  request.path = target.substr(0, target.find('?'));
  request.query = http::Query::parse(request.raw_query());
  asio::io_context loop;
  Scope scope(loop.get_executor());
  Response out;
  scope.spawn(ask(router, std::move(request), out));
  loop.run();
  return std::to_string(out.status) + " " + (out.stream ? "stream" : out.body);
}

}  // namespace

TEST_CASE("client routes: what concerns another node is asked there, what nobody has is refused here in the order of the checks") {
  OneAlloc ops;
  Cluster cluster;
  Pool pool{1};
  http::Router router;
  add_client_routes(router, ops, pool, &cluster);
  const std::string allocation = "/v1/client/allocation/";
  CHECK(get(router, allocation + there + "/stats") == "200 from there");
  CHECK(get(router, allocation + there + "/restart", "PUT") == "200 from there");
  CHECK(cluster.asked == "PUT " + allocation + there + "/restart");
  CHECK(get(router, std::string("/v1/client/fs/logs/") + there + "?task=t") == "200 from there");
  cluster.asked.clear();
  CHECK(get(router, allocation + here + "/stats").starts_with("200 {"));
  CHECK(cluster.asked.empty());
  CHECK(get(router, allocation + nowhere + "/stats") == fmt::format("404 Unknown allocation \"{}\"", nowhere));
  CHECK(get(router, std::string("/v1/client/fs/logs/") + nowhere) == "400 must provide task name");
  CHECK(get(router, "/v1/client/fs/ls/short") == "500 alloc lookup failed: index error: UUID must be 36 characters");

  CHECK(get(router, std::string("/v1/client/stats?node_id=") + there) == "200 from there");
  CHECK(get(router, std::string("/v1/client/gc?node_id=") + nowhere) == fmt::format("404 Unknown node {}", nowhere));
  cluster.asked.clear();
  CHECK(get(router, std::string("/v1/client/stats?node_id=") + here).starts_with("200 {"));
  CHECK(get(router, "/v1/client/stats").starts_with("200 {"));
  CHECK(cluster.asked.empty());
}

TEST_CASE("client routes: a request that a server passed on goes no further") {
  OneAlloc ops;
  Pool pool{1};
  http::Router router;
  add_client_routes(router, ops, pool, nullptr);
  CHECK(get(router, std::string("/v1/client/allocation/") + there + "/stats") == fmt::format("404 Unknown allocation \"{}\"", there));
  CHECK(get(router, std::string("/v1/client/stats?node_id=") + there) == fmt::format("404 Unknown node {}", there));
}

TEST_CASE("client routes: an agent that is no client says so when no node is named") {
  NoClient ops;
  Cluster cluster;
  Pool pool{1};
  http::Router router;
  add_client_routes(router, ops, pool, &cluster);
  CHECK(get(router, "/v1/client/stats") == "400 No local Node and node_id not provided");
  CHECK(get(router, std::string("/v1/client/stats?node_id=") + there) == "200 from there");
  CHECK(get(router, std::string("/v1/client/allocation/") + there + "/stats") == "200 from there");
}

namespace {

class NoSink final : public LogSink {
 public:
  void write(const LogRecord&) override {}
};

// Ends the stream when it has seen enough.
class Reader final : public http::ResponseStream {
 public:
  explicit Reader(std::string wanted) : wanted_(std::move(wanted)) {}
  std::string text;
  Async<bool> write(std::string_view bytes) override {
    text += bytes;
    co_return text.find(wanted_) == std::string::npos;
  }
  Async<bool> flush() override { co_return text.find(wanted_) == std::string::npos; }
  [[nodiscard]] bool gone() const override { return false; }

 private:
  std::string wanted_;
};

Async<> log_lines(const Logger& log, const std::shared_ptr<LogTap>& tap) {
  // The reader listens by now: its coroutine was started first.
  const Executor loop = co_await asio::this_coro::executor;
  while (tap->level()->load() != LogLevel::debug) co_await asio::post(loop, asio::use_awaitable);
  log.trace("not this");
  log.debug("this", "key", 1);
}
Async<> read_stream(Response::Stream stream, Reader& reader) { co_await stream(reader); }

std::string monitor(const http::Router& router, const Logger& log, const std::shared_ptr<LogTap>& tap, const std::string& query, const std::string& until) {
  asio::io_context loop;
  Scope scope(loop.get_executor());
  Response out;
  Request request;
  request.method = "GET";
  request.target = "/v1/agent/monitor?" + query;
  request.path = "/v1/agent/monitor";
  request.query = http::Query::parse(query);
  scope.spawn(ask(router, std::move(request), out));
  loop.run();
  REQUIRE(out.stream);
  Reader reader(until);
  loop.restart();
  scope.spawn(read_stream(out.stream, reader));
  scope.spawn(log_lines(log, tap));
  loop.run();
  return reader.text;
}

}  // namespace

TEST_CASE("monitor: frames and plain lines at the level asked for, and nobody listens afterwards") {
  OneAlloc ops;
  const auto tap = std::make_shared<LogTap>(std::make_shared<NoSink>(), LogLevel::warn);
  const Logger log("part", tap, tap->level());
  http::Router router;
  add_monitor_route(router, {.log = tap, .ops = ops});
  const std::string plain = monitor(router, log, tap, "log_level=debug&plain=true", "this");
  CHECK(plain.ends_with(" [DEBUG] part: this: key=1\n"));
  CHECK(tap->level()->load() == LogLevel::warn);
  const std::string json = monitor(router, log, tap, "log_level=DEBUG&plain=true&log_json=1", "this");
  CHECK(json.starts_with("{\"@level\":\"debug\",\"@message\":\"this\",\"@module\":\"part\""));
  const std::string framed = monitor(router, log, tap, "log_level=debug", "Offset");
  CHECK(framed.starts_with("{\"Data\":\""));
  CHECK(framed.find("\"FileEvent\":\"log\"") != std::string::npos);
  CHECK(framed.find("\"File\"") == std::string::npos);
}

TEST_CASE("monitor: parameters and other agents, with the recorded texts") {
  OneAlloc ops;
  Cluster cluster;
  http::Router router;
  add_monitor_route(router, {.log = std::make_shared<LogTap>(std::make_shared<NoSink>(), LogLevel::info),
                             .ops = ops,
                             .elsewhere = &cluster,
                             .is_this_server = [](std::string_view id) { return id == "leader"; }});
  const std::string path = "/v1/agent/monitor?";
  CHECK(get(router, path + "log_level=loud") == "400 Unknown log level: loud");
  CHECK(get(router, path + "log_json=x") == "400 Unknown option for log json: strconv.ParseBool: parsing \"x\": invalid syntax");
  CHECK(get(router, path + "plain=x") == "400 Unknown option for plain: strconv.ParseBool: parsing \"x\": invalid syntax");
  CHECK(get(router, path + "node_id=a&server_id=b") == "400 Cannot target node and server simultaneously");
  CHECK(get(router, path + "node_id=" + nowhere) == fmt::format("500 RPC Error:: 404,Unknown node \"{}\"", nowhere));
  CHECK(get(router, path + "node_id=short") == "500 RPC Error:: 500,node lookup failed: index error: UUID must be 36 characters");
  CHECK(get(router, path + "node_id=" + there) == "200 from there");
  CHECK(get(router, path + "node_id=" + here) == "200 stream");
  CHECK(get(router, path + "server_id=leader") == "200 stream");
  CHECK(get(router, path + "server_id=nosuch") == "400 unknown Nomad server nosuch");
  CHECK(get(router, "/v1/agent/monitor", "DELETE") == "200 stream");
}
