// Vectors of the scheduler contract: what happens to allocations that exist.
#include <doctest/doctest.h>

#include <set>

#include "server/scheduler/alloc_state.h"
#include "server/scheduler/reconcile/reschedule.h"
#include "tests/unit/server/scheduler/world.h"

namespace drover::scheduler {
namespace {

void rolling(model::Job& job, std::int64_t max_parallel, std::int64_t canary) {
  auto& update = job.task_groups.front().update.ensure();
  update.max_parallel = max_parallel;
  update.canary = canary;
  update.min_healthy_time = std::chrono::seconds(10);
}
void new_command(model::Job& job) { job.task_groups.front().tasks.front().env["REV"] = std::to_string(job.version); }

void set_node(World& world, int number, const char* status) {
  auto node = *world.view->nodes.at(node_id(number));
  node.status = status;
  world.view->add_node(std::move(node));
}

std::set<std::string> names(const std::vector<AllocPtr>& allocs) {
  std::set<std::string> out;
  for (const auto& alloc : allocs) out.insert(alloc->name);
  return out;
}

model::ReschedulePolicy& unlimited(model::Job& job) {
  auto& policy = job.task_groups.front().reschedule_policy.ensure();
  policy.unlimited = true;
  policy.delay = std::chrono::seconds(30);
  policy.max_delay = std::chrono::hours(1);
  policy.delay_function = "exponential";
  return policy;
}

template <class F>
void change_job(World& world, const F& change) {
  auto job = *world.view->jobs.at("j");
  change(job);
  world.view->versions.clear();
  world.view->add_job(std::move(job));
}

}  // namespace

TEST_CASE("vectors: V32 scaling up takes new names, scaling down the highest") {
  World up("service", 10, 10);
  up.add_running(10);
  up.update_job([](model::Job& job) { job.task_groups.front().count = 15; });
  up.run();
  CHECK(names(up.placed()) == std::set<std::string>{"j.web[10]", "j.web[11]", "j.web[12]", "j.web[13]", "j.web[14]"});
  CHECK(up.desired().in_place_update == 10);

  World down("service", 10, 10);
  down.add_running(10);
  down.update_job([](model::Job& job) { job.task_groups.front().count = 5; });
  down.run();
  CHECK(names(down.stopped()) == std::set<std::string>{"j.web[5]", "j.web[6]", "j.web[7]", "j.web[8]", "j.web[9]"});
  for (const auto& alloc : down.stopped()) CHECK(alloc->desired_description == "alloc not needed due to job update");

  World drained("service", 10, 10);
  drained.add_running(10);
  for (const int i : {2, 9}) drained.change_alloc(fmt::format("j.web[{}]", i), [](model::Allocation& a) { a.desired_transition.migrate = true; });
  drained.update_job([](model::Job& job) { job.task_groups.front().count = 5; });
  drained.run();
  CHECK(names(drained.stopped()) == std::set<std::string>{"j.web[2]", "j.web[6]", "j.web[7]", "j.web[8]", "j.web[9]"});
  CHECK(drained.desired().migrate == 0);
}

TEST_CASE("vectors: V33 a rolling update replaces as many as are healthy") {
  World world("service", 10, 10);
  change_job(world, [](model::Job& job) { rolling(job, 4, 0); });
  world.add_running(10);
  world.update_job(new_command);
  world.run();
  CHECK(world.desired().destructive_update == 4);
  CHECK(world.desired().ignore == 6);
  REQUIRE(world.view->deployments.size() == 1);
  CHECK(world.view->deployments.front()->task_groups.at("web").desired_total == 10);
  CHECK(world.view->deployments.front()->status == "running");
  for (const auto& alloc : world.placed()) CHECK(!alloc->previous_allocation.empty());

  // Two of the four are healthy, of two nothing is known yet.
  int healthy = 0;
  for (const auto& alloc : world.placed()) {
    auto changed = *world.view->allocs.at(alloc->id);
    changed.client_status = "running";
    if (healthy++ < 2) changed.deployment_status.ensure().healthy = true;
    world.view->add_alloc(std::move(changed));
  }
  auto with_unhealthy = world;
  world.run();
  CHECK(world.desired().destructive_update == 2);
  for (const auto& [id, alloc] : with_unhealthy.view->allocs) {
    if (!alloc->deployment_status || !alloc->deployment_status->healthy) continue;
    auto changed = *alloc;
    changed.deployment_status->healthy = false;
    with_unhealthy.view->add_alloc(std::move(changed));
    break;
  }
  with_unhealthy.run();
  CHECK(with_unhealthy.desired().destructive_update == 0);
}

TEST_CASE("vectors: V34 canaries first, the others after the promotion") {
  World world("service", 10, 10);
  change_job(world, [](model::Job& job) { rolling(job, 2, 2); });
  world.add_running(10);
  world.update_job(new_command);
  world.run();
  CHECK(names(world.placed()) == std::set<std::string>{"j.web[0]", "j.web[1]"});
  for (const auto& alloc : world.placed()) CHECK(is_canary(*alloc));
  CHECK(world.desired().canary == 2);
  CHECK(world.desired().ignore == 10);
  CHECK(world.desired().destructive_update == 0);
  auto deployment = *world.view->deployments.front();
  CHECK(deployment.task_groups.at("web").desired_canaries == 2);
  CHECK(deployment.status_description == "Deployment is running but requires manual promotion");

  // Promoted with both healthy: those of the same names go, and the next two are replaced.
  for (const auto& alloc : world.placed()) {
    auto changed = *world.view->allocs.at(alloc->id);
    changed.client_status = "running";
    changed.deployment_status.ensure().healthy = true;
    changed.deployment_status->canary = false;
    world.view->add_alloc(std::move(changed));
    deployment.task_groups.at("web").placed_canaries.push_back(alloc->id);
  }
  deployment.task_groups.at("web").promoted = true;
  world.view->deployments.front() = std::make_shared<const model::Deployment>(deployment);
  world.run();
  CHECK(world.desired().stop == 2);
  CHECK(world.desired().destructive_update == 2);
}

TEST_CASE("vectors: V35 allocations of lost nodes are replaced under their names") {
  World world("service", 10, 10);
  world.add_running(10);
  set_node(world, 0, "down");
  set_node(world, 1, "down");
  auto fewer = world;
  world.run();
  CHECK(names(world.placed()) == std::set<std::string>{"j.web[0]", "j.web[1]"});
  for (const auto& alloc : world.stopped()) {
    CHECK(alloc->client_status == "lost");
    CHECK(alloc->desired_description == "alloc is lost since its node is down");
  }
  CHECK(world.desired().ignore == 8);
  fewer.update_job([](model::Job& job) { job.task_groups.front().count = 8; });
  fewer.run();
  CHECK(fewer.placed().empty());
  CHECK(fewer.desired().stop == 2);
}

TEST_CASE("vectors: V36 only what the drainer marked moves") {
  World world("service", 10, 10);
  world.add_running(10);
  for (const int i : {0, 1}) {
    auto node = *world.view->nodes.at(node_id(i));
    node.drain_strategy.ensure();
    node.scheduling_eligibility = "ineligible";
    world.view->add_node(std::move(node));
  }
  auto unmarked = world;
  for (const int i : {0, 1}) world.change_alloc(fmt::format("j.web[{}]", i), [](model::Allocation& a) { a.desired_transition.migrate = true; });
  world.run();
  CHECK(world.desired().migrate == 2);
  CHECK(world.desired().ignore == 8);
  for (const auto& alloc : world.stopped()) CHECK(alloc->desired_description == "alloc is being migrated");
  for (const auto& alloc : world.placed()) CHECK(!alloc->previous_allocation.empty());
  unmarked.run();
  CHECK(unmarked.desired().ignore == 10);
  CHECK(unmarked.plans.empty());
}

TEST_CASE("vectors: V37 a failed allocation is tried again when its delay has passed") {
  World world("service", 10, 1);
  change_job(world, [](model::Job& job) { unlimited(job); });
  world.add_running(1);
  world.change_alloc("j.web[0]", [](model::Allocation& alloc) {
    alloc.client_status = "failed";
    alloc.task_states["t"] = {.state = "dead", .failed = true, .finished_at = model::Time(now - 10 * second)};
  });
  world.run();
  CHECK(world.placed().empty());
  REQUIRE(world.created.size() == 1);
  CHECK(world.created.front().triggered_by == "alloc-reschedule");
  CHECK(world.created.front().wait_until.unix_nanos() == now + 20 * second);
  const auto first = world.find("j.web[0]");
  CHECK(first->followup_eval_id == world.created.front().id);

  world.eval = world.created.front();
  world.run(now + 20 * second);
  REQUIRE(world.placed().size() == 1);
  const auto& tracker = *world.placed().front()->reschedule_tracker;
  REQUIRE(tracker.events.size() == 1);
  CHECK(tracker.events.front().delay == std::chrono::seconds(30));
  CHECK(tracker.events.front().prev_alloc_id == first->id);
  CHECK(world.view->allocs.at(first->id)->desired_description == "alloc was rescheduled because it failed");
}

TEST_CASE("vectors: V38 successive delays of each function") {
  const auto delays = [](const char* function, int n) {
    auto job = make_job("service", 1);
    auto& policy = unlimited(job);
    policy.delay = std::chrono::seconds(5);
    policy.max_delay = std::chrono::seconds(90);
    policy.delay_function = function;
    model::Allocation alloc;
    alloc.job = std::make_shared<const model::Job>(job);
    alloc.task_group = "web";
    alloc.client_status = "failed";
    std::vector<std::int64_t> out;
    UnixNanos at = now;
    for (int i = 0; i < n; ++i) {
      alloc.task_states["t"] = {.state = "dead", .failed = true, .finished_at = model::Time(at)};
      const auto delay = next_delay(alloc);
      out.push_back(delay.count() / second);
      at += delay.count();
      alloc.reschedule_tracker.ensure().events.push_back({.reschedule_time = at, .delay = delay});
    }
    return out;
  };
  CHECK(delays("constant", 3) == std::vector<std::int64_t>{5, 5, 5});
  CHECK(delays("exponential", 7) == std::vector<std::int64_t>{5, 10, 20, 40, 80, 90, 90});
  CHECK(delays("fibonacci", 9) == std::vector<std::int64_t>{5, 5, 10, 15, 25, 40, 65, 90, 90});
}

TEST_CASE("vectors: V39 a disconnected client is unknown, then lost") {
  for (const int replace : {1, 0, -1}) {
    World world("service", 10, 10);
    change_job(world, [&](model::Job& job) {
      // With a delay the replacement would wait for it.
      unlimited(job).delay = {};
      if (replace < 0) return;
      auto& disconnect = job.task_groups.front().disconnect.ensure();
      disconnect.lost_after = std::chrono::minutes(10);
      disconnect.replace = replace == 1;
    });
    world.add_running(10);
    set_node(world, 0, "disconnected");
    world.run();
    const auto first = world.view->allocs.at("0b000000-0000-4000-8000-000000000000");
    CHECK(first->client_status == (replace < 0 ? "lost" : "unknown"));
    CHECK(world.placed().size() == (replace == 0 ? 0 : 1));
    if (replace < 0) continue;
    CHECK(first->client_description == "alloc is unknown since its node is disconnected");
    REQUIRE(!world.created.empty());
    CHECK(world.created.front().triggered_by == "max-disconnect-timeout");
    CHECK(world.created.front().wait_until.unix_nanos() == now + 600 * second);
  }
}

}  // namespace drover::scheduler
