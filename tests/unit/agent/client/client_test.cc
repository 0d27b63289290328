#include <doctest/doctest.h>

#include <signal.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "agent/client/client.h"
#include "agent/client/ops.h"
#include "agent/config/load.h"
#include "lib/wire/streams.h"
#include "sdk/async/scope.h"
#include "sdk/base/file.h"
#include "sdk/base/uuid.h"

using namespace drover;
using namespace drover::agent;
using namespace std::chrono_literals;
namespace e = drover::wire::endpoints;

namespace {

// The servers as a client sees them: what it is to run, and what it has said.
// No server can be asked back: the node's session keeps trying.
class NoStreams final : public wire::StreamOpener {
 protected:
  Async<Result<std::unique_ptr<NodeStream>>> open_bytes(std::string, std::string) override {
    co_return fail(Code::unavailable, "there are no streams here");
  }
};

struct Servers {
  explicit Servers(const Executor& executor) : heard(executor), assigned(executor) {
    registry.add(e::node_register, std::function([this](model::NodeRegisterRequest r) { return take_node(std::move(r)); }));
    registry.add(e::node_update_status, std::function([this](model::NodeUpdateStatusRequest r) { return take_heartbeat(std::move(r)); }));
    registry.add(e::node_client_allocs, std::function([this](model::NodeClientAllocsRequest r) { return give_allocs(std::move(r)); }));
    registry.add(e::alloc_get_many, std::function([this](model::AllocGetRequest r) { return give_many(std::move(r)); }));
    registry.add(e::node_update_alloc, std::function([this](model::NodeUpdateAllocRequest r) { return take_update(std::move(r)); }));
  }
  Async<Result<model::NodeUpdateResponse>> take_node(model::NodeRegisterRequest request) {
    nodes.push_back(request.node);
    heard.set();
    if (refuse_registrations > 0) {
      --refuse_registrations;
      co_return fail(Code::no_leader, "No cluster leader");
    }
    model::NodeUpdateResponse reply;
    reply.heartbeat_ttl = ttl;
    co_return reply;
  }
  Async<Result<model::NodeUpdateResponse>> take_heartbeat(model::NodeUpdateStatusRequest request) {
    CHECK(request.node_id == nodes.back()->id);
    CHECK(request.secret_id == nodes.back()->secret_id);
    ++heartbeats;
    heard.set();
    if (heartbeats == forget_at) co_return fail(Code::not_found, "node not found");
    model::NodeUpdateResponse reply;
    reply.heartbeat_ttl = 1h;
    co_return reply;
  }
  Async<Result<model::NodeClientAllocsReply>> give_allocs(model::NodeClientAllocsRequest request) {
    while (request.min_query_index == index) co_await assigned.wait();
    model::NodeClientAllocsReply reply;
    reply.index = index;
    reply.alloc_modify_indexes.allocate();
    for (const auto& [id, alloc] : allocs) {
      reply.alloc_modify_indexes[id] = alloc->alloc_modify_index;
      if (bring_along && alloc->alloc_modify_index > request.min_query_index) reply.changed.push_back(alloc);
    }
    co_return reply;
  }
  Async<Result<model::ListReply<std::shared_ptr<const model::Allocation>>>> give_many(model::AllocGetRequest request) {
    model::ListReply<std::shared_ptr<const model::Allocation>> reply;
    for (const auto& id : request.alloc_ids) reply.items.push_back(allocs.at(id));
    fetched += request.alloc_ids.size();
    co_return reply;
  }
  Async<Result<model::WriteMeta>> take_update(model::NodeUpdateAllocRequest request) {
    for (const auto& update : request.allocs) {
      updates[update->id] = update;
      history[update->id].push_back(update->client_status);
    }
    heard.set();
    co_return model::WriteMeta{};
  }
  void assign(model::Allocation alloc) {
    alloc.alloc_modify_index = ++index;
    const std::string id = alloc.id;
    allocs[id] = std::make_shared<const model::Allocation>(std::move(alloc));
    assigned.notify_all();
  }
  void forget(const std::string& id) {
    allocs.erase(id);
    ++index;
    assigned.notify_all();
  }
  [[nodiscard]] std::string status(const std::string& id) const {
    const auto at = updates.find(id);
    return at == updates.end() ? "" : at->second->client_status;
  }

  wire::Registry registry;
  NoStreams streams;
  wire::LocalCaller caller{registry};
  Event heard;
  Condition assigned;
  std::vector<std::shared_ptr<const model::Node>> nodes;
  std::map<std::string, std::shared_ptr<const model::Allocation>> allocs, updates;
  std::map<std::string, std::vector<std::string>> history;
  std::uint64_t index = 1;
  nanoseconds ttl = 1h;
  int refuse_registrations = 0, heartbeats = 0, forget_at = -1;
  bool bring_along = true;
  std::size_t fetched = 0;
};

// One machine: directories that outlive its agents, and the plugin that comes as an example.
struct Machine {
  Machine() {
    ::signal(SIGPIPE, SIG_IGN);  // as every agent does
    REQUIRE(make_directories(dir.path() + "/plugins"));
    REQUIRE(make_directories(dir.path() + "/libexec"));
    REQUIRE(::symlink(DROVER_HELLO_DRIVER, (dir.path() + "/plugins/hello").c_str()) == 0);
  }
  std::unique_ptr<Client> start(const std::function<void(Config&)>& change = {}) {
    Config config = default_config();
    config.name = "m1";
    config.datacenter = "dc7";
    config.client.enabled = true;
    config.client.state_dir = dir.path() + "/client";
    config.client.alloc_dir = dir.path() + "/alloc";
    config.client.meta["rack"] = "r4";
    config.plugins["hello"] = {};
    if (change) change(config);
    auto started = Client::start({.executor = io.get_executor(), .log = Logger(), .clock = system_clock(), .caller = servers.caller, .streams = servers.streams,
                                  .config = config, .version = "2.0.6+drover", .http_address = "127.0.0.1:4646",
                                  .plugin_directories = {dir.path() + "/plugins", dir.path() + "/libexec"},
                                  .environment = {{"PATH", "/usr/bin:/bin"}}});
    REQUIRE_MESSAGE(started, (started ? "" : started.error().message()));
    return std::move(*started);
  }
  // Until the servers have heard what makes `check` true.
  Async<> until(std::string what, std::function<bool()> check) {
    while (!check()) {
      servers.heard.reset();
      const bool heard = co_await servers.heard.wait_for(30s);
      REQUIRE_MESSAGE(heard, "waiting for: ", what);
    }
  }
  void run(Async<> test) {
    scope.spawn(drive(std::move(test)));
    io.run();
    CHECK(ended);
  }
  Async<> drive(Async<> test) {
    co_await std::move(test);
    ended = true;
  }
  [[nodiscard]] std::string alloc_path(const std::string& id) const { return dir.path() + "/alloc/" + id; }

  TempDir dir = std::move(*TempDir::make());
  asio::io_context io;
  Servers servers{io.get_executor()};
  Scope scope{io.get_executor()};
  bool ended = false;
};

void last_of_all(Config& config) { config.dev_mode = true; }  // such a client takes its plugins and tasks with it

model::Allocation hello(const std::string& id, const std::string& options) {
  auto job = std::make_shared<model::Job>();
  job->id = job->name = "greets";
  job->type = "batch";
  model::TaskGroup group;
  group.name = "g";
  group.restart_policy.ensure().attempts = 0;
  group.restart_policy->mode = "fail";
  model::Task task;
  task.name = "t";
  task.driver = "hello";
  task.config = model::Any(model::Json::parse(options));
  group.tasks.push_back(std::move(task));
  job->task_groups.push_back(std::move(group));
  model::Allocation out;
  out.id = id;
  out.namespace_ = "default";
  out.job_id = job->id;
  out.task_group = "g";
  out.job = std::move(job);
  out.desired_status = "run";
  return out;
}
// The example writes to a file that is there, as the FIFO of a log collector would be.
void lay_out_output(const Machine& m, const std::string& id) {
  REQUIRE(make_directories(m.alloc_path(id) + "/alloc/logs"));
  REQUIRE(write_file(m.alloc_path(id) + "/alloc/logs/t.stdout.0", ""));
}

const std::string first_id = "aaaaaaaa-0000-4000-8000-000000000001";
const std::string second_id = "aaaaaaaa-0000-4000-8000-000000000002";

Async<> identity(Machine& m) {
  std::string id, secret;
  for (int round = 0; round < 2; ++round) {
    m.servers.nodes.clear();
    auto client = m.start(last_of_all);
    // The first may come before the driver has said how it is.
    co_await m.until("the registration with a driver", [&m] {
      if (m.servers.nodes.empty()) return false;
      const auto* driver = m.servers.nodes.back()->drivers.get("hello");
      return driver != nullptr && driver->healthy;
    });
    const model::Node& node = *m.servers.nodes.back();
    CHECK(is_uuid(node.id));
    CHECK(is_uuid(node.secret_id));
    CHECK(node.id != node.secret_id);
    CHECK((round == 0 || (node.id == id && node.secret_id == secret)));
    id = node.id;
    secret = node.secret_id;
    CHECK(node.status == "ready");
    CHECK(node.name == "m1");
    CHECK(node.datacenter == "dc7");
    CHECK(node.meta.at("rack") == "r4");
    CHECK(node.http_addr == "127.0.0.1:4646");
    CHECK(node.attributes.get("cpu.arch") != nullptr);
    CHECK(node.attributes.at("driver.hello") == "1");
    CHECK(node.attributes.at("driver.hello.version") == "0.1.0");
    CHECK(client->node()->id == id);
    co_await client->shutdown();
  }
}

Async<> registration_is_tried_again(Machine& m) {
  m.servers.refuse_registrations = 2;
  auto client = m.start(last_of_all);
  co_await m.until("the third registration", [&m] { return m.servers.nodes.size() == 3; });
  CHECK(m.servers.nodes[0]->id == m.servers.nodes[2]->id);
  co_await client->shutdown();
}

Async<> forgotten_node(Machine& m) {
  m.servers.ttl = 1ms;
  m.servers.forget_at = 1;
  auto client = m.start(last_of_all);
  co_await m.until("the registration after a refused heartbeat", [&m] { return m.servers.nodes.size() == 2 && m.servers.heartbeats >= 2; });
  co_await client->shutdown();
}

Async<> runs_and_reports(Machine& m) {
  lay_out_output(m, first_id);
  m.servers.assign(hello(first_id, R"({"greeting":"good morning","seconds":0})"));
  auto client = m.start(last_of_all);
  co_await m.until("the end of the task", [&m] { return m.servers.status(first_id) == "complete"; });
  CHECK(*read_file(m.alloc_path(first_id) + "/alloc/logs/t.stdout.0") == "good morning\n");
  const model::TaskState& state = m.servers.updates.at(first_id)->task_states.at("t");
  CHECK(state.state == "dead");
  CHECK(!state.failed);
  std::vector<std::string> types;
  for (const auto& event : state.events) types.push_back(event.type);
  CHECK(types == std::vector<std::string>{"Received", "Task Setup", "Started", "Terminated"});

  LocalClientOps ops(*client);
  CHECK(ops.task_presence(first_id, "t") == TaskPresence::started);
  CHECK(ops.task_presence(first_id, "other") == TaskPresence::unknown);
  CHECK(*ops.alloc_directory(first_id) == m.alloc_path(first_id));
  CHECK(ops.alloc_directory(second_id).error().message() == "Unknown allocation \"" + second_id + "\"");
  auto restarted = co_await ops.restart_alloc(first_id, "t", false);
  REQUIRE(!restarted);
  CHECK(restarted.error().message() == "Task not running");
  restarted = co_await ops.restart_alloc(first_id, "x", false);
  CHECK(restarted.error().message() == "could not find task runner for task: x");

  // Given up here while the servers still list it: it goes and is not taken again.
  // The end is told before the driver has forgotten the task; only then the allocation may go.
  auto collected = co_await ops.collect_alloc(first_id);
  while (!collected) {
    co_await asio::post(m.io, asio::use_awaitable);
    collected = co_await ops.collect_alloc(first_id);
  }
  CHECK(client->alloc(first_id) == nullptr);
  while (std::filesystem::exists(m.alloc_path(first_id))) co_await asio::post(m.io, asio::use_awaitable);
  m.servers.assign(hello(first_id, R"({"greeting":"again","seconds":0})"));
  lay_out_output(m, second_id);
  m.servers.assign(hello(second_id, R"({"greeting":"second","seconds":0})"));
  co_await m.until("the end of the other task", [&m] { return m.servers.status(second_id) == "complete"; });
  CHECK(client->alloc(first_id) == nullptr);
  co_await m.until("the directory of the first to go", [&m] { return !std::filesystem::exists(m.alloc_path(first_id)); });
  co_await client->shutdown();
  CHECK(!std::filesystem::exists(m.alloc_path(second_id)));
}

Async<> fails_with_the_reason(Machine& m) {
  m.servers.bring_along = false;  // so that it has to be fetched
  m.servers.assign(hello(first_id, R"({"greeting":"","seconds":0})"));
  m.servers.assign(hello(second_id, R"({"greetin":"x"})"));
  auto client = m.start(last_of_all);
  co_await m.until("both to fail", [&m] { return m.servers.status(first_id) == "failed" && m.servers.status(second_id) == "failed"; });
  CHECK(m.servers.fetched >= 2);
  const auto event = [&m](const std::string& id, const std::string& type) {
    for (const auto& each : m.servers.updates.at(id)->task_states.at("t").events) {
      if (each.type == type) return each.display_message;
    }
    return std::string("none");
  };
  CHECK(event(first_id, "Driver Failure").find("an empty greeting greets nobody") != std::string::npos);
  CHECK(event(second_id, "Failed Validation").find("greetin") != std::string::npos);
  m.servers.forget(first_id);
  m.servers.forget(second_id);
  co_await client->shutdown();
}

Async<> next_agent_takes_over(Machine& m) {
  lay_out_output(m, first_id);
  m.servers.assign(hello(first_id, R"({"greeting":"long","seconds":3600})"));
  auto client = m.start();
  co_await m.until("the task to run", [&m] { return m.servers.status(first_id) == "running"; });
  const auto started_at = m.servers.updates.at(first_id)->task_states.at("t").started_at;
  const auto plugin = static_cast<int>(client->plugins().at(0).pid);
  co_await client->shutdown();
  client.reset();
  CHECK(::kill(plugin, 0) == 0);  // plugins and tasks live on

  m.servers.updates.clear();
  client = m.start(last_of_all);
  co_await m.until("the next agent to report the task", [&m] { return m.servers.status(first_id) == "running"; });
  CHECK(m.servers.updates.at(first_id)->task_states.at("t").started_at == started_at);
  CHECK(m.servers.updates.at(first_id)->task_states.at("t").restarts == 0);
  CHECK(client->plugins().at(0).pid == plugin);
  CHECK(*read_file(m.alloc_path(first_id) + "/alloc/logs/t.stdout.0") == "long\n");  // it was not started again

  model::Allocation stop = *m.servers.allocs.at(first_id);
  stop.desired_status = "stop";
  m.servers.assign(std::move(stop));
  co_await m.until("the task to be stopped", [&m] { return m.servers.status(first_id) == "complete" || m.servers.status(first_id) == "failed"; });
  CHECK(m.servers.updates.at(first_id)->task_states.at("t").state == "dead");
  co_await client->shutdown();
}

}  // namespace

TEST_CASE("client: it registers what the machine and its drivers are, under an identity that outlives the agent") {
  Machine m;
  m.run(identity(m));
}

TEST_CASE("client: a refused registration is tried again") {
  Machine m;
  m.run(registration_is_tried_again(m));
}

TEST_CASE("client: servers that do not know the node any more hear of it anew") {
  Machine m;
  m.run(forgotten_node(m));
}

TEST_CASE("client: an allocation is run and reported; what was given up is not taken again") {
  Machine m;
  m.run(runs_and_reports(m));
}

TEST_CASE("client: what cannot run is reported failed, with the reason") {
  Machine m;
  m.run(fails_with_the_reason(m));
}

TEST_CASE("L-02 client: the next agent takes over plugin and task, and starts nothing twice") {
  Machine m;
  m.run(next_agent_takes_over(m));
}
