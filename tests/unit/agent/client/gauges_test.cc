#include "agent/client/gauges.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace drover;
using namespace drover::agent;
using Json = nlohmann::json;

TEST_CASE("client gauges: what is not allocated is what the node has without what it keeps back") {
  model::Node node;
  node.id = "n1";
  node.node_resources.ensure().cpu.cpu_shares = 4000;
  node.node_resources->memory.memory_mb = 8192;
  node.node_resources->disk.disk_mb = 10000;
  node.reserved_resources.ensure().cpu.cpu_shares = 500;
  node.reserved_resources->memory.memory_mb = 192;
  metrics::Registry registry(system_clock());
  set_allocation_gauges(metrics::Meter(&registry), node, {});
  const Json summary = Json::parse(registry.summary_json());
  Json values;
  for (const auto& gauge : summary["Gauges"]) {
    values[gauge["Name"].get<std::string>()] = gauge["Value"];
    CHECK(gauge["Labels"]["node_class"] == "none");
  }
  CHECK(values["nomad.client.unallocated.cpu"] == 3500);
  CHECK(values["nomad.client.unallocated.memory"] == 8000);
  CHECK(values["nomad.client.unallocated.disk"] == 10000);
  CHECK(values["nomad.client.allocated.cpu"] == 0);
  CHECK(values["nomad.client.tasks.running"] == 0);
}

TEST_CASE("P_27 client gauges: what a plugin may leak can be watched, plugin by plugin") {
  model::Node node;
  node.id = "n1";
  model::AgentPlugin plugin;
  plugin.name = "hello";
  plugin.phase = "running";
  plugin.restarts = 2;
  plugin.tasks = 3;
  plugin.memory_bytes = 4096;
  plugin.threads = 5;
  plugin.open_files = 6;
  model::AgentPlugin skipped;
  skipped.name = "other";
  skipped.phase = "skipped";
  metrics::Registry registry(system_clock());
  set_plugin_gauges(metrics::Meter(&registry), node, {plugin, skipped});
  const Json summary = Json::parse(registry.summary_json());
  Json values;
  for (const auto& gauge : summary["Gauges"]) {
    CHECK(gauge["Labels"]["plugin"] == "hello");
    values[gauge["Name"].get<std::string>()] = gauge["Value"];
  }
  CHECK(values == Json{{"nomad.client.plugin.up", 1}, {"nomad.client.plugin.restarts", 2}, {"nomad.client.plugin.tasks", 3},
                       {"nomad.client.plugin.memory_bytes", 4096}, {"nomad.client.plugin.threads", 5}, {"nomad.client.plugin.open_files", 6}});
}
