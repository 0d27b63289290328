#include <doctest/doctest.h>

#include "server/scheduler/fit/allocs_fit.h"
#include "tests/unit/server/scheduler/golden.h"

#include "lib/model/codec.h"

namespace drover::scheduler {
namespace {

NodePtr only_node(const Case& c) { return c.view.nodes.begin()->second; }

std::vector<AllocPtr> allocs_of(const Case& c) {
  std::vector<AllocPtr> out;
  for (const auto& [id, alloc] : c.view.allocs) out.push_back(alloc);
  return out;
}

Answers judge_fit(Case& c) {
  const auto fit = allocs_fit(*only_node(c), allocs_of(c), c.input().value("check_devices", false));
  Answers answers;
  answers.expected = c.output();
  // The sum lists used devices too; what counts is the verdict on them.
  if (answers.expected.at("used").contains("Flattened")) answers.expected["used"]["Flattened"].erase("Devices");
  answers.expected.erase("error");
  Json used = Json::object();
  if (fit.dimension != "max allocation exceeded") {
    used["Flattened"] = {{"Cpu", {{"CpuShares", fit.used.cpu}}}, {"Memory", {{"MemoryMB", fit.used.memory_mb}, {"MemoryMaxMB", fit.used.memory_max_mb}}}};
    if (!fit.used.cores.empty()) used["Flattened"]["Cpu"]["ReservedCores"] = std::vector<int>(fit.used.cores.begin(), fit.used.cores.end());
    used["Shared"] = {{"DiskMB", fit.used.disk_mb}};
  }
  answers.ours = {{"fit", fit.fits}, {"dimension", fit.dimension}, {"used", used}};
  if (!answers.expected.contains("used") || answers.expected.at("used").empty()) answers.ours["used"] = answers.expected.value("used", Json::object());
  return answers;
}

Answers judge_ports(Case& c) {
  Answers answers{Json::object(), c.output()};
  NetworkIndex index;
  if (const auto set = index.set_node(*only_node(c)); !set) {
    answers.ours["set_node_error"] = set.error().message();
    return answers;
  }
  for (const auto& alloc : allocs_of(c)) {
    if (const auto added = index.add_alloc(*alloc); !added && !answers.ours.contains("collision")) {
      answers.ours["collision"] = added.error().message();
    }
  }
  model::TaskGroup group;
  REQUIRE(model::from_json(Json{{"Networks", Json::array({c.input().at("ask")})}}.dump(), group).has_value());
  Rng rng(3);
  const auto ports = index.assign_ports(group.networks.front(), rng);
  if (!ports) {
    answers.ours["error"] = ports.error().message();
    return answers;
  }
  answers.ours["ports"] = Json::array();
  const auto& dynamic = group.networks.front().dynamic_ports;
  for (const auto& port : *ports) {
    Json json = {{"host_ip", port.host_ip}, {"label", port.label}};
    const bool is_dynamic = std::ranges::find(dynamic, port.label, &model::Port::label) != dynamic.end();
    if (is_dynamic) {
      json["dynamic"] = true;
      json["to"] = port.to == port.value ? Json("as value") : Json(port.to);
    } else {
      json["value"] = port.value;
      if (port.ignore_collision) json["ignore_collision"] = true;
      json["to"] = port.to;
    }
    answers.ours["ports"].push_back(std::move(json));
  }
  return answers;
}

}  // namespace

TEST_CASE("golden fit: what fits on a node and which ports are given") {
  replay("fit", {"allocs-fit", "ports"}, [](Case& c) {
    return c.document.at("name").get<std::string>().starts_with("fit") ? judge_fit(c) : judge_ports(c);
  });
}

}  // namespace drover::scheduler
