#include <doctest/doctest.h>

#include <set>

#include "tests/unit/server/scheduler/world.h"

namespace drover::scheduler {

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
