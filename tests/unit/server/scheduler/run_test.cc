#include <doctest/doctest.h>

#include <set>

#include "server/scheduler/alloc_state.h"
#include "server/scheduler/scheduler.h"
#include "tests/unit/server/scheduler/memory_view.h"

namespace drover::scheduler {
namespace {

constexpr UnixNanos now = 1'776'159'000'000'000'000;

model::Node make_node(int number) {
  model::Node node;
  node.id = fmt::format("0a{:06x}-0000-4000-8000-{:012x}", number, number);
  node.name = fmt::format("n{}", number);
  node.datacenter = "dc1";
  node.node_pool = "default";
  node.node_class = "m";
  node.computed_class = "v1:1";
  node.status = "ready";
  node.scheduling_eligibility = "eligible";
  node.attributes["kernel.name"] = "linux";
  node.attributes["driver.raw_exec"] = "1";
  auto& resources = node.node_resources.ensure();
  resources.cpu.cpu_shares = 4000;
  resources.memory.memory_mb = 8192;
  resources.disk.disk_mb = 102400;
  resources.networks.push_back({.mode = "host", .device = "eth0", .ip = "10.0.0.1"});
  resources.node_networks.push_back({.mode = "host", .device = "eth0", .addresses = {{.alias = "default", .address = "10.0.0.1"}}});
  return node;
}

model::Job make_job(const char* type, std::int64_t count) {
  model::Job job;
  job.id = "j";
  job.name = "j";
  job.namespace_ = "default";
  job.type = type;
  job.priority = 50;
  job.datacenters = {"dc1"};
  job.node_pool = "default";
  job.job_modify_index = 10;
  model::TaskGroup group;
  group.name = "web";
  group.count = count;
  group.ephemeral_disk.ensure().size_mb = 150;
  model::Task task;
  task.name = "t";
  task.driver = "raw_exec";
  task.resources = model::Resources{.cpu = 500, .memory_mb = 256};
  group.tasks.push_back(std::move(task));
  job.task_groups.push_back(std::move(group));
  return job;
}

model::Evaluation make_eval(const char* type) {
  model::Evaluation eval;
  eval.id = "0d000001-0000-4000-8000-000000000001";
  eval.namespace_ = "default";
  eval.job_id = "j";
  eval.type = type;
  eval.triggered_by = "job-register";
  eval.status = "pending";
  eval.priority = 50;
  return eval;
}

struct World {
  World(const char* type, int nodes, std::int64_t count) : view(std::make_shared<MemoryView>()), eval(make_eval(type)) {
    for (int i = 0; i < nodes; ++i) view->add_node(make_node(i));
    view->add_job(make_job(type, count));
  }
  // Commits everything.
  Step run() {
    Rng rng(5);
    const auto evaluation = make_run(eval, rng);
    auto step = evaluation->begin(view, now);
    while (step.plan) {
      plans.push_back(*step.plan);
      auto next = std::make_shared<MemoryView>(*view);
      next->commit(*step.plan);
      view = next;
      step = evaluation->resume({.node_update = step.plan->node_update, .node_allocation = step.plan->node_allocation}, nullptr, now);
    }
    return step;
  }
  std::shared_ptr<MemoryView> view;
  model::Evaluation eval;
  std::vector<model::Plan> plans;
};

}  // namespace

TEST_CASE("run: V01 a registered service is placed once per name, with metrics") {
  World world("service", 10, 10);
  const auto end = world.run();
  REQUIRE(world.plans.size() == 1);
  std::set<std::string> names;
  for (const auto& [id, alloc] : world.view->allocs) {
    names.insert(alloc->name);
    CHECK(alloc->metrics->nodes_in_pool == 10);
    CHECK(alloc->metrics->nodes_available.at("dc1") == 10);
    CHECK(alloc->client_status == "pending");
  }
  CHECK(names.size() == 10);
  CHECK(names.contains("j.web[9]"));
  REQUIRE(end.update);
  CHECK(end.update->status == "complete");
  CHECK(end.update->queued_allocations.at("web") == 0);
  CHECK(end.update->blocked_eval.empty());
}

TEST_CASE("run: V03 without nodes the evaluation leaves a blocked one") {
  World world("service", 0, 10);
  Rng rng(5);
  const auto evaluation = make_run(world.eval, rng);
  const auto step = evaluation->begin(world.view, now);
  CHECK(!step.plan);
  REQUIRE(step.create_evals.size() == 1);
  const auto& blocked = step.create_evals.front();
  CHECK(blocked.status == "blocked");
  CHECK(blocked.triggered_by == "queued-allocs");
  CHECK(blocked.previous_eval == world.eval.id);
  CHECK(!blocked.escaped_computed_class);
  REQUIRE(step.update);
  CHECK(step.update->blocked_eval == blocked.id);
  CHECK(step.update->failed_tg_allocs.at("web").coalesced_failures == 9);
  CHECK(step.update->queued_allocations.at("web") == 10);
}

TEST_CASE("run: V07 a planner that rejects everything is asked five times") {
  World world("service", 3, 3);
  Rng rng(5);
  const auto evaluation = make_run(world.eval, rng);
  auto step = evaluation->begin(world.view, now);
  int plans = 0;
  std::vector<model::Evaluation> created;
  for (;;) {
    created.insert(created.end(), step.create_evals.begin(), step.create_evals.end());
    if (!step.plan) break;
    ++plans;
    step = evaluation->resume({.refresh_index = 1001}, world.view, now);
  }
  CHECK(plans == 5);
  REQUIRE(step.update);
  CHECK(step.update->status == "failed");
  CHECK(step.update->status_description == "maximum attempts reached (5)");
  REQUIRE(created.size() == 1);
  CHECK(created.front().triggered_by == "max-plan-attempts");
}

TEST_CASE("run: V08 progress resets the attempts") {
  World world("service", 10, 10);
  Rng rng(5);
  const auto evaluation = make_run(world.eval, rng);
  auto step = evaluation->begin(world.view, now);
  int plans = 0;
  while (step.plan) {
    ++plans;
    model::Plan part = *step.plan;
    part.node_allocation.clear();
    const auto& [node, allocs] = *step.plan->node_allocation.begin();
    part.node_allocation[node].push_back(allocs.front());
    auto next = std::make_shared<MemoryView>(*world.view);
    next->commit(part);
    world.view = next;
    step = evaluation->resume({.node_allocation = part.node_allocation, .refresh_index = next->index()}, next, now);
  }
  CHECK(plans == 10);
  CHECK(world.view->allocs.size() == 10);
  CHECK(step.update->status == "complete");
}

TEST_CASE("run: V09 a blocked evaluation that still finds no room is blocked again") {
  World world("service", 0, 1);
  world.eval.status = "blocked";
  Rng rng(5);
  const auto step = make_run(world.eval, rng)->begin(world.view, now);
  CHECK(step.create_evals.empty());
  CHECK(!step.update);
  REQUIRE(step.reblock);
  CHECK(step.reblock->id == world.eval.id);
}

TEST_CASE("run: V10 the scores of bin packing on an empty node") {
  World world("service", 1, 1);
  world.run();
  const auto& meta = world.view->allocs.begin()->second->metrics->score_meta_data.front();
  CHECK(meta.scores.at("binpack") == doctest::Approx(0.177519).epsilon(1e-4));
}

TEST_CASE("run: V40 a system job has one allocation on every node") {
  World world("system", 10, 1);
  world.run();
  std::set<std::string> nodes;
  for (const auto& [id, alloc] : world.view->allocs) {
    nodes.insert(alloc->node_id);
    CHECK(alloc->name == "j.web[0]");
  }
  CHECK(nodes.size() == 10);
}

TEST_CASE("run: an unknown trigger fails the evaluation") {
  World world("service", 1, 1);
  world.eval.triggered_by = "odd";
  Rng rng(5);
  const auto step = make_run(world.eval, rng)->begin(world.view, now);
  REQUIRE(step.update);
  CHECK(step.update->status == "failed");
  CHECK(step.update->status_description == "scheduler cannot handle 'odd' evaluation reason");
}

}  // namespace drover::scheduler
