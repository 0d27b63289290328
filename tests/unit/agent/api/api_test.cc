#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>
#include <nlohmann/json.hpp>

#include "agent/api/routes.h"
#include "sdk/async/scope.h"
#include "sdk/base/file.h"

using namespace drover;
using namespace drover::agent;

namespace {

const std::string known = "11111111-2222-3333-4444-555555555555";
const std::string unknown = "00000000-0000-0000-0000-000000000000";

class FakeClient final : public ClientOps {
 public:
  explicit FakeClient(std::string directory) : directory_(std::move(directory)) {}
  std::string signalled;
  [[nodiscard]] std::string node_id() const override { return "n1"; }
  [[nodiscard]] Result<std::string> alloc_directory(std::string_view alloc) const override {
    if (alloc != known) return fail(Code::not_found, "unknown");
    return directory_;
  }
  [[nodiscard]] TaskPresence task_presence(std::string_view, std::string_view task) const override {
    return task == "t" ? TaskPresence::started : task == "slow" ? TaskPresence::not_started : TaskPresence::unknown;
  }
  Async<Result<model::AllocResourceUsage>> alloc_stats(std::string, std::string) override { co_return model::AllocResourceUsage{}; }
  Async<Result<>> restart_alloc(std::string, std::string, bool) override { co_return Result<>{}; }
  Async<Result<>> signal_alloc(std::string, std::string task, std::string signal) override {
    signalled = task + ":" + signal;
    co_return Result<>{};
  }
  [[nodiscard]] Result<std::vector<std::string>> action_command(std::string_view, std::string_view, std::string_view) const override { return std::vector<std::string>{}; }
  Async<Result<>> exec_task(std::string, std::string, driver::ExecOptions, Channel<driver::ExecInput>&, Channel<driver::ExecOutput>&) override { co_return Result<>{}; }
  Async<Result<>> collect_alloc(std::string alloc) override {
    if (alloc != known) co_return fail(Code::not_found, "unknown");
    co_return Result<>{};
  }
  Async<> collect_all() override { co_return; }
  Async<Result<model::HostStats>> host_stats() override { co_return model::HostStats{}; }
  [[nodiscard]] std::vector<model::AgentPlugin> plugins() const override { return {}; }
  [[nodiscard]] pluginhost::PluginLogRing* plugin_log(std::string_view) const override { return nullptr; }
  [[nodiscard]] Result<> reset_plugin(std::string_view) override { return Result<>{}; }
  Result<model::List<model::DriverSchema>> driver_schemas() const override {
    return model::List<model::DriverSchema>{{"raw_exec", "1.0.0", model::Any(model::Json{{"attr", {{"name", "command"}}}})}};
  }

 private:
  std::string directory_;
};

class Body final : public http::ResponseStream {
 public:
  std::string text;
  Async<bool> write(std::string_view bytes) override {
    text += bytes;
    co_return true;
  }
  Async<bool> flush() override { co_return true; }
  [[nodiscard]] bool gone() const override { return false; }
};

Async<> ask(http::Router& router, http::Request request, http::Response& out, std::string& body) {
  out = co_await router.handle(std::move(request));
  body = out.body;
  if (!out.stream) co_return;
  Body stream;
  co_await out.stream(stream);
  body = stream.text;
}

struct Fixture {
  TempDir dir = std::move(*TempDir::make());
  FakeClient client{dir.path()};
  Pool pool{1};
  http::Router router;
  http::Response response;
  Fixture() {
    REQUIRE(make_directories(dir.path() + "/alloc/logs"));
    REQUIRE(write_file(dir.path() + "/alloc/logs/t.stdout.0", "out1\nout2\n"));
    REQUIRE(write_file(dir.path() + "/alloc/page.html", "<html><body>x</body></html>"));
    add_client_routes(router, client, pool, nullptr);
  }
  // "200 body"
  std::string get(const std::string& target, const std::string& method = "GET", const std::string& body = {}) {
    http::Request request;
    request.method = method;
    request.target = target;
    const auto mark = target.find('?');
    request.path = target.substr(0, mark);
    if (mark != std::string::npos) request.query = http::Query::parse(target.substr(mark + 1));
    request.body = body;
    std::string text;
    asio::io_context loop;
    Scope scope(loop.get_executor());
    scope.spawn(ask(router, std::move(request), response, text));
    loop.run();
    return std::to_string(response.status) + " " + text;
  }
};

}  // namespace

TEST_CASE("client fs: statuses and texts are the recorded ones") {
  Fixture f;
  const std::string ls = "/v1/client/fs/ls/", logs = "/v1/client/fs/logs/", stream = "/v1/client/fs/stream/", cat = "/v1/client/fs/cat/";
  CHECK(f.get(ls + known + "?path=/../../..") == "500 Path escapes the alloc directory");
  CHECK(f.get(ls + unknown) == "404 Unknown allocation \"" + unknown + "\"");
  CHECK(f.get(ls) == "400 must provide a valid alloc id");
  CHECK(f.get("/v1/client/fs/other/" + known) == "404 Invalid method");
  CHECK(f.get("/v1/client/fs/stat/" + known) == "400 must provide a file name");
  CHECK(f.get(cat + known) == "200 must provide a file name");
  CHECK(f.get(cat + known + "?path=alloc") == "200 file \"alloc\" is a directory");
  CHECK(f.get("/v1/client/fs/readat/" + known + "?path=/alloc/logs/t.stdout.0&offset=2&limit=4") == "200 t1\no");
  CHECK(f.get("/v1/client/fs/readat/" + known + "?path=x") == "200 error parsing offset: strconv.ParseInt: parsing \"\": invalid syntax");
  CHECK(f.get(stream + known + "?path=/alloc/logs/t.stdout.0&follow=false&origin=end&offset=5") ==
        R"(200 {"Data":"b3V0Mgo=","File":"/alloc/logs/t.stdout.0","Offset":10})");
  CHECK(f.get(stream + known + "?path=x&origin=middle") == "400 origin must be start or end");
  CHECK(f.get(stream + known + "?path=x&follow=maybe") ==
        "500 failed to parse follow field to boolean: strconv.ParseBool: parsing \"maybe\": invalid syntax");
  CHECK(f.get(stream + known + "?path=../../etc/passwd&follow=false") == "400 Path escapes the alloc directory");
  CHECK(f.get(logs + known + "?task=t&type=stdout&plain=true&origin=end&offset=5") == "200 out2\n");
  CHECK(f.response.headers.get("Content-Type") == "text/plain");
  CHECK(f.get(logs + known + "?type=stdout") == "400 must provide task name");
  CHECK(f.get(logs + known + "?task=zz&type=stdout") == "400 unknown task name \"zz\"");
  CHECK(f.get(logs + known + "?task=slow&type=stdout") == "404 task \"slow\" not started yet. No logs available");
  CHECK(f.get(logs + known + "?task=t") == "400 must provide log type (stdout/stderr)");
  CHECK(f.get(logs + known.substr(0, 8) + "?task=t&type=stdout") == "500 alloc lookup failed: index error: UUID must be 36 characters");
}

TEST_CASE("client fs: a page that a task wrote is sent as inert text") {
  Fixture f;
  CHECK(f.get("/v1/client/fs/cat/" + known + "?path=alloc/page.html") == "200 <html><body>x</body></html>");
  CHECK(f.response.headers.get("Content-Type") == "text/plain");
  CHECK(f.response.headers.get("X-Content-Type-Options") == "nosniff");
}

TEST_CASE("client allocation: what tasks cannot do is refused after the request has been checked") {
  Fixture f;
  const std::string base = "/v1/client/allocation/" + known;
  CHECK(f.get(base + "/pause?task=t") == "500 Enterprise only");
  CHECK(f.get(base + "/pause", "PUT", R"({"Task":"t","ScheduleState":"pause"})") == "500 Enterprise only");
  CHECK(f.get(base + "/pause", "PUT", R"({"Task":"t","ScheduleState":"odd"})") == "400 Not a valid task schedule state");
  CHECK(f.get(base + "/exec?task=t&command=%5B%22ls%22%5D") == "500 websocket connection not found in context");
  CHECK(f.get(base + "/exec?task=t&command=ls") ==
        "500 failed to marshal command into json: invalid character 'l' looking for beginning of value");
  CHECK(f.get(base + "/checks") == "200 null");
  CHECK(f.get("/v1/allocation/" + unknown + "/checks") == "404 Unknown allocation \"" + unknown + "\"");
}

TEST_CASE("client allocation: restart, signal, stats and gc answer as recorded") {
  Fixture f;
  const std::string base = "/v1/client/allocation/" + known;
  CHECK(f.get(base + "/restart", "PUT") == "500 unexpected EOF");
  CHECK(f.get(base + "/restart", "PUT", "{") == "500 unexpected EOF");
  CHECK(f.get(base + "/restart", "PUT", R"({"TaskName":"zz"})") == "500 Could not find task runner for task: zz");
  CHECK(f.get(base + "/restart", "PUT", R"({"TaskName":"t","AllTasks":true})") == "500 task name cannot be set when restarting all tasks");
  CHECK(f.get(base + "/restart", "PUT", R"({"TaskName":"t"})") == R"(200 {"Index":0})");
  CHECK(f.get(base + "/signal", "PUT", R"({"Task":"zz","Signal":"SIGHUP"})") == "500 Task not found");
  CHECK(f.get(base + "/signal", "PUT", R"({"Task":"t","Signal":"SIGUSR2"})") == R"(200 {"Index":0})");
  CHECK(f.client.signalled == "t:SIGUSR2");
  CHECK(f.get("/v1/client/allocation/" + unknown + "/stats") == "404 Unknown allocation \"" + unknown + "\"");
  CHECK(f.get("/v1/client/allocation/" + unknown + "/gc", "PUT") == "404 Unknown allocation \"" + unknown + "\"");
  CHECK(f.get(base + "/other") == "404 resource not found");
  CHECK(f.get("/v1/client/gc") == "200 ");
  CHECK(f.get("/v1/client/stats?node_id=zz") == "404 Unknown node zz");
  CHECK(f.get("/v1/client/drivers") == R"(200 [{"Name":"raw_exec","Version":"1.0.0","TaskConfig":{"attr":{"name":"command"}}}])");
}
