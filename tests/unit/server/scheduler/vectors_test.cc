// Vectors of the scheduler contract: what is placed where, and why not.
#include <doctest/doctest.h>

#include <map>
#include <set>

#include "server/scheduler/alloc_state.h"
#include "tests/unit/server/scheduler/world.h"

namespace drover::scheduler {
namespace {

model::TaskGroup& group_of_job(model::Job& job) { return job.task_groups.front(); }

// The job of the world before anything ran.
template <class F>
void change_job(World& world, const F& change) {
  auto job = *world.view->jobs.at("j");
  change(job);
  world.view->versions.clear();
  world.view->add_job(std::move(job));
}
template <class F>
void change_node(World& world, int number, const F& change) {
  auto node = *world.view->nodes.at(node_id(number));
  change(node);
  world.view->add_node(std::move(node));
}
// Another job's allocation that takes this much of a node.
void fill(World& world, int node, std::int64_t cpu, std::int64_t memory, std::int64_t priority = 50, std::int64_t disk = 0) {
  static int number = 0;
  model::Job job = make_job("service", 1);
  job.id = job.name = fmt::format("other{}", ++number);
  job.priority = priority;
  model::Allocation alloc;
  alloc.id = fmt::format("0e{:06x}-0000-4000-8000-{:012x}", number, number);
  alloc.namespace_ = "default";
  alloc.job_id = job.id;
  alloc.job = std::make_shared<const model::Job>(job);
  alloc.task_group = "web";
  alloc.name = job.id + ".web[0]";
  alloc.node_id = node_id(node);
  alloc.desired_status = "run";
  alloc.client_status = "running";
  auto& task = alloc.allocated_resources.ensure().tasks["t"];
  task.cpu.cpu_shares = cpu;
  task.memory.memory_mb = memory;
  alloc.allocated_resources->shared.disk_mb = disk;
  world.view->add_alloc(std::move(alloc));
}

std::map<std::string, int> by_datacenter(const World& world) {
  std::map<std::string, int> out;
  for (const auto& alloc : world.placed()) ++out[world.view->nodes.at(alloc->node_id)->datacenter];
  return out;
}

const model::AllocMetric& failed(const World& world) { return world.last.update->failed_tg_allocs.at("web"); }

}  // namespace

TEST_CASE("vectors: V02 count zero submits nothing") {
  World world("service", 10, 0);
  const auto end = world.run();
  CHECK(world.plans.empty());
  CHECK(end.update->status == "complete");
  CHECK(end.update->queued_allocations.at("web") == 0);
}

TEST_CASE("vectors: V04 the blocked evaluation knows which classes are eligible") {
  World world("service", 2, 1);
  fill(world, 0, 4000, 8192);
  change_node(world, 0, [](model::Node& node) { node.computed_class = "c1"; });
  change_node(world, 1, [](model::Node& node) {
    node.computed_class = "c2";
    node.attributes["kernel.name"] = "windows";
  });
  change_job(world, [](model::Job& job) { job.constraints.push_back({.ltarget = "${attr.kernel.name}", .rtarget = "linux", .operand = "="}); });
  world.run();
  CHECK(world.placed().empty());
  CHECK(failed(world).nodes_evaluated == 2);
  CHECK(failed(world).nodes_filtered == 1);
  CHECK(failed(world).constraint_filtered.at("${attr.kernel.name} = linux") == 1);
  CHECK(failed(world).nodes_exhausted == 1);
  REQUIRE(world.created.size() == 1);
  CHECK(world.created.front().class_eligibility.at("c1") == true);
  CHECK(world.created.front().class_eligibility.at("c2") == false);
  CHECK(!world.created.front().escaped_computed_class);
}

TEST_CASE("vectors: V05 a constraint on something unique escapes the classes") {
  World world("service", 2, 1);
  change_job(world, [](model::Job& job) { job.constraints.push_back({.ltarget = "${attr.unique.hostname}", .rtarget = "x", .operand = "="}); });
  world.run();
  REQUIRE(world.created.size() == 1);
  CHECK(world.created.front().escaped_computed_class);
}

TEST_CASE("vectors: V06 one group that fits and one that does not") {
  World world("service", 2, 2);
  change_job(world, [](model::Job& job) {
    auto other = group_of_job(job);
    other.name = "g2";
    other.constraints.push_back({.ltarget = "${attr.foo}", .rtarget = "bar", .operand = "="});
    job.task_groups.push_back(std::move(other));
  });
  const auto end = world.run();
  CHECK(world.placed().size() == 2);
  CHECK(!end.update->failed_tg_allocs.contains("web"));
  CHECK(end.update->failed_tg_allocs.at("g2").coalesced_failures == 1);
  CHECK(end.update->queued_allocations.at("web") == 0);
  CHECK(end.update->queued_allocations.at("g2") == 2);
  CHECK(world.created.size() == 1);
}

TEST_CASE("vectors: V11 binpack fills a node, spread takes the empty one") {
  for (const auto* algorithm : {"binpack", "spread"}) {
    World world("service", 2, 1);
    world.view->config.scheduler_algorithm = algorithm;
    fill(world, 0, 2000, 4096);
    world.run();
    REQUIRE(world.placed().size() == 1);
    CHECK(world.placed().front()->node_id == node_id(std::string_view(algorithm) == "binpack" ? 0 : 1));
    CHECK(world.placed().front()->metrics->score_meta_data.size() == 2);
  }
}

TEST_CASE("vectors: V14 the node of a failed allocation is a last resort") {
  World world("service", 2, 1);
  world.add_running(1);
  change_job(world, [](model::Job& job) {
    auto& policy = group_of_job(job).reschedule_policy.ensure();
    policy.unlimited = true;
    policy.delay = std::chrono::seconds(5);
    policy.delay_function = "constant";
  });
  world.change_alloc("j.web[0]", [&](model::Allocation& alloc) {
    alloc.job = world.view->jobs.at("j");
    alloc.client_status = "failed";
    alloc.task_states["t"] = {.state = "dead", .failed = true, .finished_at = model::Time(now - 60 * second)};
  });
  fill(world, 0, 500, 256);
  world.run();
  REQUIRE(world.placed().size() == 1);
  CHECK(world.placed().front()->node_id == node_id(1));
  CHECK(world.placed().front()->previous_allocation == "0b000000-0000-4000-8000-000000000000");
}

TEST_CASE("vectors: V17 V18 V19 targets, even spread and the implicit target") {
  const auto spread = [](int datacenters, std::vector<std::pair<std::string, int>> targets) {
    World world("service", datacenters == 2 ? 10 : 9, 10);
    for (int i = 0; i < (datacenters == 2 ? 10 : 9); ++i) {
      change_node(world, i, [&](model::Node& node) { node.datacenter = fmt::format("dc{}", i % datacenters + 1); });
    }
    change_job(world, [&](model::Job& job) {
      job.datacenters = {"dc*"};
      model::Spread entry{.attribute = "${node.datacenter}", .weight = 100};
      for (const auto& [value, percent] : targets) entry.spread_target.push_back({.value = value, .percent = static_cast<std::uint8_t>(percent)});
      job.spreads.push_back(std::move(entry));
    });
    world.run();
    return by_datacenter(world);
  };
  CHECK(spread(2, {{"dc1", 70}, {"dc2", 30}}) == std::map<std::string, int>{{"dc1", 7}, {"dc2", 3}});
  CHECK(spread(2, {}) == std::map<std::string, int>{{"dc1", 5}, {"dc2", 5}});
  for (const auto& [datacenter, count] : spread(3, {{"dc1", 50}})) CHECK(count <= 5);
}

TEST_CASE("vectors: V21 distinct hosts leaves one out") {
  World world("service", 10, 11);
  change_job(world, [](model::Job& job) { job.constraints.push_back({.operand = "distinct_hosts"}); });
  const auto end = world.run();
  std::set<std::string> nodes;
  for (const auto& alloc : world.placed()) nodes.insert(alloc->node_id);
  CHECK(nodes.size() == 10);
  CHECK(failed(world).constraint_filtered.at("distinct_hosts") == 10);
  CHECK(end.update->queued_allocations.at("web") == 1);
}

TEST_CASE("vectors: V22 distinct property allows so many per value") {
  World world("service", 20, 8);
  for (int i = 0; i < 20; ++i) change_node(world, i, [&](model::Node& node) { node.meta["rack"] = fmt::format("r{}", i % 2); });
  change_job(world, [](model::Job& job) { job.constraints.push_back({.ltarget = "${meta.rack}", .rtarget = "2", .operand = "distinct_property"}); });
  const auto end = world.run();
  std::map<std::string, int> racks;
  for (const auto& alloc : world.placed()) ++racks[world.view->nodes.at(alloc->node_id)->meta.at("rack")];
  CHECK(racks == std::map<std::string, int>{{"r0", 2}, {"r1", 2}});
  CHECK(end.update->queued_allocations.at("web") == 4);
  CHECK(failed(world).coalesced_failures == 3);
}

TEST_CASE("vectors: V23 V24 static ports collide, dynamic ones run out") {
  World fixed("service", 1, 2);
  change_job(fixed, [](model::Job& job) {
    model::NetworkResource network{.mode = "host"};
    network.reserved_ports.push_back({.label = "http", .value = 8080, .host_network = "default"});
    group_of_job(job).networks.push_back(network);
  });
  fixed.run();
  CHECK(fixed.placed().size() == 1);
  CHECK(failed(fixed).nodes_exhausted == 1);
  CHECK(failed(fixed).dimension_exhausted.begin()->first.find("reserved port collision http=8080") != std::string::npos);

  World dynamic("service", 1, 3);
  change_node(dynamic, 0, [](model::Node& node) {
    node.node_resources->min_dynamic_port = 20000;
    node.node_resources->max_dynamic_port = 20004;
  });
  change_job(dynamic, [](model::Job& job) {
    model::NetworkResource network{.mode = "host"};
    network.dynamic_ports.push_back({.label = "a", .host_network = "default"});
    network.dynamic_ports.push_back({.label = "b", .host_network = "default"});
    group_of_job(job).networks.push_back(network);
  });
  dynamic.run();
  std::set<std::int64_t> ports;
  for (const auto& alloc : dynamic.placed()) {
    for (const auto& port : alloc->allocated_resources->shared.ports) ports.insert(port.value);
  }
  CHECK(ports.size() == 4);
  CHECK(*ports.begin() >= 20000);
  CHECK(*ports.rbegin() <= 20004);
  CHECK(failed(dynamic).dimension_exhausted.begin()->first.starts_with("network"));
}

TEST_CASE("vectors: V25 devices are handed out once, unhealthy ones never") {
  World world("service", 1, 3);
  change_node(world, 0, [](model::Node& node) {
    model::NodeDeviceResource gpu{.vendor = "nvidia", .type = "gpu", .name = "X"};
    gpu.instances.push_back({.id = "g0", .healthy = true});
    gpu.instances.push_back({.id = "g1", .healthy = true});
    gpu.instances.push_back({.id = "g2", .healthy = false});
    node.node_resources->devices.push_back(gpu);
  });
  change_job(world, [](model::Job& job) { group_of_job(job).tasks.front().resources->devices.push_back({.name = "gpu", .count = 1}); });
  world.run();
  std::set<std::string> ids;
  for (const auto& alloc : world.placed()) ids.insert(alloc->allocated_resources->tasks.at("t").devices.front().device_ids.front());
  CHECK(ids == std::set<std::string>{"g0", "g1"});
  CHECK(failed(world).dimension_exhausted.begin()->first.starts_with("devices:"));
}

TEST_CASE("vectors: V27 memory_max counts only with oversubscription, and never for the fit") {
  for (const bool enabled : {true, false}) {
    World world("service", 1, 1);
    world.view->config.memory_oversubscription_enabled = enabled;
    fill(world, 0, 100, 8192 - 300);
    change_job(world, [](model::Job& job) { group_of_job(job).tasks.front().resources->memory_max_mb = 1024; });
    world.run();
    REQUIRE(world.placed().size() == 1);
    CHECK(world.placed().front()->allocated_resources->tasks.at("t").memory.memory_max_mb == (enabled ? 1024 : 0));
  }
}

TEST_CASE("vectors: V29 a difference of ten points preempts, nine do not") {
  for (const std::int64_t priority : {41, 40}) {
    World world("service", 1, 1);
    world.view->config.preemption_config.service_scheduler_enabled = true;
    fill(world, 0, 3800, 8000, priority);
    world.run();
    CHECK(world.placed().size() == (priority == 40 ? 1 : 0));
    if (priority != 40) continue;
    const auto& evicted = *world.plans.front().node_preemptions.at(node_id(0)).front();
    CHECK(evicted.desired_status == "evict");
    CHECK(evicted.desired_description == "Preempted by alloc ID " + world.placed().front()->id);
    CHECK(world.placed().front()->preempted_allocations.front() == evicted.id);
  }
}

TEST_CASE("vectors: V30 the closest of the lowest priority go, less what turns out unnecessary") {
  World world("service", 1, 1);
  world.view->config.preemption_config.service_scheduler_enabled = true;
  change_job(world, [](model::Job& job) {
    job.priority = 80;
    group_of_job(job).ephemeral_disk->size_mb = 4096;
    group_of_job(job).tasks.front().resources->cpu = 1000;
    group_of_job(job).tasks.front().resources->memory_mb = 1024;
  });
  fill(world, 0, 1200, 2300, 20, 4096);
  const auto first = world.view->allocs.rbegin()->first;
  fill(world, 0, 600, 500, 20, 4096);
  fill(world, 0, 1000, 1000, 50, 4096);
  fill(world, 0, 900, 2000, 90, 4096);
  world.run();
  REQUIRE(world.placed().size() == 1);
  REQUIRE(world.plans.front().node_preemptions.at(node_id(0)).size() == 1);
  CHECK(world.plans.front().node_preemptions.at(node_id(0)).front()->id == first);
}

TEST_CASE("vectors: V31 preemption is enabled for each type by itself") {
  World world("service", 1, 1);
  world.view->config.preemption_config.system_scheduler_enabled = true;
  fill(world, 0, 3800, 8000, 10);
  world.run();
  CHECK(world.placed().empty());
}

}  // namespace drover::scheduler
