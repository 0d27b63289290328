// The network that a driver tells at the start of a task (plugin protocol 5.3, network_override).
#include <algorithm>

#include "agent/task/task_runner.h"
#include "tests/unit/agent/task/one_runner.h"

using namespace drover;
using namespace drover::agent;
using namespace drover::testing;

namespace {
struct Run : OneRunner {
  Run(RunnerWorld& given, TaskLocal local, bool may_run = false) : OneRunner(given, with_port(given), std::move(local), may_run) {}
  static std::shared_ptr<model::Allocation> with_port(const RunnerWorld& world) {
    auto out = world.allocation({make_task("web", 3)});
    model::NetworkResource network;
    network.ip = "10.1.0.1";
    model::Port port;
    port.label = "http";
    port.value = 20001;
    network.dynamic_ports.push_back(port);
    out->allocated_resources.ensure().tasks["web"].networks.push_back(network);
    return out;
  }
  [[nodiscard]] std::string driver_events() const {
    std::string out;
    for (const auto& event : runner.state().events) {
      if (event.type == "Driver") out += event.display_message + "\n";
    }
    return out;
  }
};

driver::DriverNetwork told() { return {.port_map = {{"http", 8080}}, .ip = "172.17.0.2", .auto_advertise = true}; }
}  // namespace

TEST_CASE("task network: what the driver tells is stored with the handle, and found again by the next agent") {
  RunnerWorld world;
  world.driver.network = told();
  {
    Run run(world, fresh());
    run.until_running();
    REQUIRE(run.runner.network() != nullptr);
  }
  REQUIRE(world.stored["web"].size() == 1);
  REQUIRE(last(world).network);
  // The next agent has only what was stored; RecoverTask tells no network.
  world.driver.network.reset();
  Run next(world, last(world));
  world.run_until([&] { return world.driver.count("recover") == 1; });
  const TaskNetwork* network = next.runner.network();
  REQUIRE(network != nullptr);
  CHECK(network->ip == "172.17.0.2");
  CHECK(network->auto_advertise);
  CHECK(network->port_map == model::Map<std::int64_t>{{"http", 8080}});
  CHECK(next.driver_events().empty());
}

TEST_CASE("task network: the port inside is in the environment from the second start on, as in Nomad") {
  RunnerWorld world;
  world.driver.network = told();
  Run run(world, fresh());
  run.until_running();
  const std::string first = world.driver.only_id();
  CHECK(world.driver.tasks.at(first).env.at("NOMAD_PORT_http") == "20001");
  world.driver.end(first, {.exit_code = 3});
  world.run_until([&] { return world.driver.count("start") == 2 && !world.driver.tasks.empty(); });
  CHECK(world.driver.tasks.at(world.driver.only_id()).env.at("NOMAD_PORT_http") == "8080");
}

TEST_CASE("task network: a start that tells none leaves none of the start before") {
  RunnerWorld world;
  world.driver.network = told();
  Run run(world, fresh());
  run.until_running();
  world.driver.network.reset();
  world.driver.end(world.driver.only_id(), {.exit_code = 3});
  world.run_until([&] { return world.driver.count("start") == 2 && run.runner.state().state == "running"; });
  CHECK(run.runner.network() == nullptr);
  CHECK_FALSE(last(world).network);
}

TEST_CASE("task network: a task that is taken over without a stored handle has the network its driver tells of it") {
  RunnerWorld world;
  world.driver.tasks[fresh().driver_task_id] = {.known = false, .exit = {}, .env = {}};
  world.driver.network = told();
  Run run(world, fresh(), true);
  run.until_running();
  REQUIRE(run.runner.network() != nullptr);
  CHECK(run.runner.network()->ip == "172.17.0.2");
}

TEST_CASE("task network: P-26 what cannot be is left out and said, and the rest is kept") {
  RunnerWorld world;
  world.driver.network = {.port_map = {{"http", 8080}, {"far", 70000}, {"below", -1}}, .ip = "not-an-address", .auto_advertise = true};
  Run run(world, fresh());
  run.until_running();
  REQUIRE(run.runner.network() != nullptr);
  CHECK(run.runner.network()->ip.empty());
  CHECK_FALSE(run.runner.network()->auto_advertise);
  CHECK(run.runner.network()->port_map == model::Map<std::int64_t>{{"http", 8080}});
  const std::string said = run.driver_events();
  for (const char* part : {"not-an-address", "is not an IP address", "70000 for \"far\"", "-1 for \"below\""}) {
    INFO(part << " in " << said);
    CHECK(said.find(part) != std::string::npos);
  }
  CHECK(std::count(said.begin(), said.end(), '\n') == 1);
}

TEST_CASE("task network: P-26 of a thousand refused values one event names a few") {
  RunnerWorld world;
  world.driver.network.emplace();
  for (int i = 0; i < 1000; ++i) world.driver.network->port_map["p" + std::to_string(i)] = 0;
  Run run(world, fresh());
  run.until_running();
  const std::string said = run.driver_events();
  CHECK(said.find("996 more") != std::string::npos);
  CHECK(said.size() < 500);
}
