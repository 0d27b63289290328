// `job why`: every node with every reason, the nearest miss and what would help.
#include <doctest/doctest.h>

#include <algorithm>

#include "server/scheduler/why.h"
#include "tests/unit/server/scheduler/world.h"

namespace drover::scheduler {
namespace {

model::WhyGroup ask(const World& world) {
  Rng rng(1);
  const auto why = explain(*world.view, *world.view->jobs.at("j"), rng);
  REQUIRE(why.groups.size() == 1);
  return why.groups.front();
}

template <class F>
void change_node(World& world, int number, const F& change) {
  auto node = *world.view->nodes.at(node_id(number));
  change(node);
  world.view->add_node(std::move(node));
}
template <class F>
void change_job(World& world, const F& change) {
  auto job = *world.view->jobs.at("j");
  change(job);
  world.view->versions.clear();
  world.view->add_job(std::move(job));
}

const model::WhyNode& row(const model::WhyGroup& group, int number) {
  const auto at = std::ranges::find(group.nodes, node_id(number), &model::WhyNode::id);
  REQUIRE(at != group.nodes.end());
  return *at;
}

std::vector<std::string> texts(const model::WhyNode& node) {
  std::vector<std::string> out;
  for (const auto& reason : node.reasons) out.push_back(reason.text);
  return out;
}

}  // namespace

TEST_CASE("why: a node is shown with all that is against it, not only the first") {
  World world("service", 2, 1);
  change_job(world, [](model::Job& job) {
    job.constraints.push_back({.ltarget = "${attr.kernel.name}", .rtarget = "linux", .operand = "="});
    job.task_groups.front().constraints.push_back({.ltarget = "${meta.rack}", .rtarget = "r1", .operand = "="});
  });
  change_node(world, 0, [](model::Node& node) {
    node.datacenter = "dc9";
    node.scheduling_eligibility = "ineligible";
    node.attributes["kernel.name"] = "windows";
    node.attributes.erase("driver.raw_exec");
    node.node_resources->memory.memory_mb = 100;
  });
  change_node(world, 1, [](model::Node& node) { node.meta["rack"] = "r1"; });
  const auto group = ask(world);
  CHECK(group.fits == 1);
  CHECK(row(group, 1).fits);
  CHECK(group.nearest.empty());
  CHECK(texts(row(group, 0)) == std::vector<std::string>{"in none of the job's datacenters", "node is not eligible", "${attr.kernel.name} = linux",
                                                         "missing drivers", "${meta.rack} = r1", "memory"});
  CHECK(row(group, 0).reasons.back().lacking == 156);
}

TEST_CASE("why: reasons are counted, also where they stand alone, and become changes that would help") {
  World world("service", 5, 3);
  change_job(world, [](model::Job& job) { job.constraints.push_back({.ltarget = "${meta.rack}", .rtarget = "r1", .operand = "="}); });
  for (int i = 0; i < 5; ++i) change_node(world, i, [&](model::Node& node) { node.meta["rack"] = i < 3 ? "r0" : "r1"; });
  change_node(world, 0, [](model::Node& node) { node.status = "down"; });
  change_node(world, 3, [](model::Node& node) { node.node_resources->cpu.cpu_shares = 400; });
  change_node(world, 4, [](model::Node& node) { node.node_resources->cpu.cpu_shares = 450; });
  const auto group = ask(world);
  CHECK(group.fits == 0);
  CHECK(group.count == 3);
  CHECK(group.placed == 0);
  REQUIRE(group.reasons.size() == 3);
  CHECK(group.reasons[0].text == "${meta.rack} = r1");
  CHECK(group.reasons[0].nodes == 3);
  CHECK(group.reasons[0].alone == 2);
  // The nearest miss lacks the smallest part of what is asked.
  CHECK(group.nearest == node_id(4));
  REQUIRE(group.changes.size() == 2);
  CHECK(group.changes[0].text == "lift the constraint ${meta.rack} = r1");
  CHECK(group.changes[0].nodes == 2);
  CHECK(group.changes[1].text == "ask for at most 450 MHz of cpu instead of 500");
  CHECK(group.changes[1].nodes == 1);
}

TEST_CASE("why: a change that is said to help does help") {
  // What explain() says of one node agrees with what an evaluation does on it.
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    Rng rng(seed);
    World world("service", 1, 1);
    change_node(world, 0, [&](model::Node& node) {
      if (rng.below(3) == 0) node.scheduling_eligibility = "ineligible";
      if (rng.below(3) == 0) node.attributes["kernel.name"] = "windows";
      if (rng.below(3) == 0) node.attributes.erase("driver.raw_exec");
      node.node_resources->cpu.cpu_shares = static_cast<std::int64_t>(rng.below(1000));
      node.node_resources->memory.memory_mb = static_cast<std::int64_t>(rng.below(600));
      node.node_resources->max_dynamic_port = static_cast<std::int64_t>(20000 + rng.below(2));
    });
    change_job(world, [&](model::Job& job) {
      if (rng.below(2) == 0) job.constraints.push_back({.ltarget = "${attr.kernel.name}", .rtarget = "linux", .operand = "="});
      if (rng.below(3) == 0) {
        model::NetworkResource network{.mode = "host"};
        network.dynamic_ports = {{.label = "a"}, {.label = "b"}};
        job.task_groups.front().networks.push_back(std::move(network));
      }
    });
    const auto group = ask(world);
    world.run();
    CHECK((group.fits == 1) == (world.placed().size() == 1));
    CHECK((group.fits == 0) == !group.reasons.empty());
  }
}

}  // namespace drover::scheduler
