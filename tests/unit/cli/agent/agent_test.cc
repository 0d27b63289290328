#include <doctest/doctest.h>

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <cstring>
#include <nlohmann/json.hpp>

#include "agent/config/load.h"
#include "cli/agent/agent_facts.h"
#include "cli/agent/hooks.h"
#include "cli/agent/notify.h"
#include "lib/model/codec.h"
#include "sdk/async/scope.h"
#include "sdk/base/file.h"

using namespace drover;
using namespace drover::cli;
using nlohmann::json;

namespace {

Result<model::Job> read_request(std::string_view text) { return request_job_reader()(model::Json::parse(text, nullptr, false)); }

const std::string small_job = R"(
variable "image" { default = "a" }
job "web" {
  group "g" {
    task "t" {
      driver = "raw_exec"
      config { command = var.image }
    }
  }
})";

model::Job job_of(const std::string& text) {
  auto job = read_request(text);
  REQUIRE_MESSAGE(job, (job ? "" : job.error().message()));
  return std::move(*job);
}

const std::string api_job =
    R"({"Job":{"ID":"web","Name":"web","Type":"service","Datacenters":["dc1"],"TaskGroups":[{"Name":"g","Tasks":[{"Name":"t","Driver":"raw_exec",
        "Config":{"command":"/bin/true"},"Vault":{"Policies":["p"]}}]}]}})";

// The service manager's socket; NOTIFY_SOCKET names it while this lives.
struct Manager {
  explicit Manager(const std::string& name) : socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name[0] == '@') address.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0);
    ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
  }
  ~Manager() { ::unsetenv("NOTIFY_SOCKET"); }
  [[nodiscard]] std::string heard() const {
    char text[256];
    const auto size = ::recv(socket.get(), text, sizeof text, 0);
    return size < 0 ? "nothing" : std::string(text, static_cast<std::size_t>(size));
  }
  Fd socket;
};

}  // namespace

TEST_CASE("agent hooks: jobs/parse gives the file's job, with defaults only when asked") {
  model::JobsParseRequest request;
  request.job_hcl = small_job;
  auto plain = parse_job_request(request);
  REQUIRE(plain);
  const auto parsed = json::parse(*plain);
  CHECK(parsed["ID"] == "web");
  CHECK(parsed["TaskGroups"][0]["Tasks"][0]["Config"]["command"] == "a");
  CHECK(parsed["Priority"].is_null());
  request.canonicalize = true;
  request.variables = "image = \"b\"\n";
  auto whole = parse_job_request(request);
  REQUIRE(whole);
  const auto complete = json::parse(*whole);
  CHECK(complete["Priority"] == 50);
  CHECK(complete["TaskGroups"][0]["Count"] == 1);
  CHECK(complete["TaskGroups"][0]["Tasks"][0]["Config"]["command"] == "b");
}

TEST_CASE("agent hooks: jobs/parse names the place of a mistake, and reads no file of the server (A-35)") {
  model::JobsParseRequest request;
  request.job_hcl = "job \"web\" {\n  grup \"g\" {}\n}\n";
  auto refused = parse_job_request(request);
  REQUIRE(!refused);
  CHECK(refused.error().message().find("grup") != std::string::npos);
  CHECK(refused.error().message().find("2") != std::string::npos);
  auto dir = TempDir::make();
  REQUIRE(write_file(dir->path() + "/secret", "hidden-text"));
  for (const char* function : {"file", "filebase64", "templatefile"}) {
    const std::string more = function == std::string_view("templatefile") ? ", {}" : "";
    request.job_hcl = "job \"web\" {\n  meta { x = " + std::string(function) + "(\"" + dir->path() + "/secret\"" + more + ") }\n}\n";
    auto answer = parse_job_request(request);
    CHECK_MESSAGE(!answer, function);
    CHECK((answer ? *answer : answer.error().message()).find("hidden") == std::string::npos);
  }
}

TEST_CASE("agent hooks: a request's job is completed, and one that is no job refused") {
  const model::Job job = job_of(api_job);
  CHECK(job.id == "web");
  CHECK(job.priority == 50);
  CHECK(job.task_groups.at(0).count == 1);
  CHECK(!read_request("{"));
  CHECK(!read_request("[]"));
}

TEST_CASE("agent hooks: registration adds implied constraints, and limits come from the configuration") {
  agent::Config config = agent::default_config();
  rpc::Hooks hooks = server_hooks(config);
  model::Job job = job_of(api_job);
  hooks.canonicalize(job);
  const auto& constraints = job.task_groups.at(0).constraints;
  CHECK(std::any_of(constraints.begin(), constraints.end(), [](const model::Constraint& each) { return each.ltarget == "${attr.vault.version}"; }));
  const std::size_t count = constraints.size();
  hooks.canonicalize(job);
  CHECK(job.task_groups.at(0).constraints.size() == count);
  CHECK(hooks.validate(job, false).errors.empty());

  job.priority = 90;
  CHECK(hooks.validate(job, false).errors.empty());
  config.server.job_max_priority = 80;
  CHECK(!server_hooks(config).validate(job, false).errors.empty());
  job.priority = 50;
  job.task_groups[0].count = 6;
  CHECK(server_hooks(config).validate(job, false).errors.empty());
  config.server.job_max_count = 5;
  CHECK(!server_hooks(config).validate(job, false).errors.empty());
  job.task_groups[0].tasks[0].name = "alloc";  // N-004, at the API
  job.task_groups[0].count = 1;
  const auto verdict = server_hooks(config).validate(job, false);
  REQUIRE(!verdict.errors.empty());
  CHECK(verdict.errors[0].find("Task cannot be named \"alloc\"") != std::string::npos);
}

TEST_CASE("agent hooks: filters come from the API's own parser") {
  const rpc::Hooks hooks = server_hooks(agent::default_config());
  REQUIRE(hooks.parse_filter);
  CHECK(hooks.parse_filter("ID == \"x\""));
  CHECK(!hooks.parse_filter("ID == "));
}

TEST_CASE("N_077 agent self: roles, addresses and version, and no secret of the configuration") {
  agent::Config config = agent::default_config();
  config.name = "m1";
  config.region = "global";
  config.acl.replication_token = "marker-replication";
  config.telemetry.circonus_api_token = "marker-circonus";
  config.client_intro_token = "marker-intro";
  config.server.enabled = true;
  config.http_api_response_headers["X-Secret"] = "marker-header";
  const model::AgentSelf self = agent_self(config, "2.0.6+drover", nullptr, nullptr);
  const std::string text = model::to_json(self);
  CHECK(text.find("m1") != std::string::npos);
  CHECK(text.find("marker-") == std::string::npos);
}

TEST_CASE("agent health: a server without a leader is not well, and who has no role is not asked") {
  const auto neither = agent_health(false, false, nullptr);
  CHECK(!neither.client);
  CHECK(!neither.server);
  const auto both = agent_health(true, true, nullptr);
  REQUIRE(both.client);
  CHECK(both.client->ok);
  REQUIRE(both.server);
  CHECK(!both.server->ok);
  CHECK(both.server->message == "No cluster leader");
}

TEST_CASE("notify: one datagram to a path or to an abstract name, and nothing without a manager") {
  ::unsetenv("NOTIFY_SOCKET");
  notify_service_manager("READY=1");
  auto dir = TempDir::make();
  for (const std::string& name : {dir->path() + "/notify", "@drover-notify-" + std::to_string(::getpid())}) {
    const Manager manager(name);
    CHECK(manager.heard() == "nothing");
    notify_service_manager("READY=1");
    notify_service_manager("STOPPING=1");
    CHECK(manager.heard() == "READY=1");
    CHECK(manager.heard() == "STOPPING=1");
    ::setenv("NOTIFY_SOCKET", ("relative" + name).c_str(), 1);
    notify_service_manager("READY=1");
    ::setenv("NOTIFY_SOCKET", ("/" + std::string(200, 'x')).c_str(), 1);
    notify_service_manager("READY=1");
    CHECK(manager.heard() == "nothing");
  }
}

TEST_CASE("notify: the watchdog's limit is that of this process, or there is none") {
  using std::chrono::microseconds;
  CHECK(watchdog_limit({}, 7) == std::nullopt);
  CHECK(watchdog_limit({{"WATCHDOG_USEC", "60000000"}}, 7) == microseconds(60000000));
  CHECK(watchdog_limit({{"WATCHDOG_USEC", "60000000"}, {"WATCHDOG_PID", "7"}}, 7) == microseconds(60000000));
  CHECK(watchdog_limit({{"WATCHDOG_USEC", "60000000"}, {"WATCHDOG_PID", "8"}}, 7) == std::nullopt);
  for (const char* bad : {"", "0", "-5", "1s", "99999999999999999999"}) CHECK(watchdog_limit({{"WATCHDOG_USEC", bad}}, 7) == std::nullopt);
}

namespace {
Async<> feed_until(Manager& manager, int wanted, int& seen) {
  Scope scope(co_await asio::this_coro::executor);
  scope.spawn(feed_watchdog(std::chrono::microseconds(200)));
  while (seen < wanted) {
    co_await sleep_for(std::chrono::microseconds(50));
    while (manager.heard() == "WATCHDOG=1") ++seen;
  }
  co_await scope.close();
}
}  // namespace

TEST_CASE("notify: signs of life come again and again until they are cancelled") {
  auto dir = TempDir::make();
  Manager manager(dir->path() + "/notify");
  asio::io_context loop;
  Scope scope(loop.get_executor());
  int seen = 0;
  scope.spawn(feed_until(manager, 3, seen));
  loop.run();
  CHECK(seen >= 3);
}
