// Invariants of every evaluation, over random clusters, jobs and histories. A failure prints its seed.
#include <doctest/doctest.h>

#include <map>
#include <set>

#include "server/scheduler/alloc_state.h"
#include "server/scheduler/fit/allocs_fit.h"
#include "tests/unit/server/scheduler/world.h"

namespace drover::scheduler {
namespace {

bool chance(Rng& rng, std::uint64_t percent) { return rng.below(100) < percent; }

// A cluster with a history: versions of the job, allocations of them in every state, nodes in every state.
World make_world(std::uint64_t seed) {
  Rng rng(seed);
  const char* types[] = {"service", "batch", "system", "sysbatch"};
  const std::string type = types[rng.below(4)];
  const bool per_node = type == "system" || type == "sysbatch";
  World world(type.c_str(), static_cast<int>(2 + rng.below(10)), per_node ? 1 : static_cast<std::int64_t>(rng.below(8)));
  {
    auto job = *world.view->jobs.at("j");
    auto& group = job.task_groups.front();
    if (chance(rng, 60)) {
      auto& policy = group.reschedule_policy.ensure();
      policy.unlimited = chance(rng, 50);
      policy.attempts = policy.unlimited ? 0 : 2;
      policy.interval = std::chrono::hours(1);
      policy.delay = std::chrono::seconds(5 + static_cast<int>(rng.below(60)));
      policy.max_delay = std::chrono::minutes(10);
      policy.delay_function = chance(rng, 50) ? "exponential" : "constant";
    }
    if (chance(rng, 50) && !per_node) {
      auto& disconnect = group.disconnect.ensure();
      disconnect.lost_after = std::chrono::minutes(10);
      disconnect.replace = chance(rng, 50);
    }
    if (chance(rng, 50) && type == "service") {
      auto& update = group.update.ensure();
      update.max_parallel = static_cast<std::int64_t>(1 + rng.below(3));
      update.canary = static_cast<std::int64_t>(rng.below(3));
    }
    group.tasks.front().resources->memory_mb = static_cast<std::int64_t>(500 + rng.below(3000));
    world.view->versions.clear();
    world.view->add_job(std::move(job));
  }
  std::set<std::string> names;
  int number = 0;
  for (auto& [id, stored] : std::map(world.view->nodes)) {
    auto node = *stored;
    if (chance(rng, 10)) node.status = "down";
    else if (chance(rng, 10)) node.status = "disconnected";
    if (chance(rng, 10)) {
      node.scheduling_eligibility = "ineligible";
      if (chance(rng, 60)) node.drain_strategy.ensure();
    }
    world.view->add_node(node);
    if (!chance(rng, 60)) continue;
    const auto job = world.view->jobs.at("j");
    model::Allocation alloc;
    alloc.id = fmt::format("0b{:06x}-0000-4000-8000-{:012x}", number, number);
    alloc.namespace_ = "default";
    alloc.job_id = "j";
    alloc.job = job;
    alloc.task_group = "web";
    alloc.name = fmt::format("j.web[{}]", per_node ? 0 : number);
    alloc.node_id = id;
    alloc.create_index = 100 + static_cast<std::uint64_t>(number);
    alloc.desired_status = chance(rng, 85) ? "run" : "stop";
    const char* states[] = {"running", "running", "running", "pending", "failed", "complete", "lost", "unknown"};
    alloc.client_status = states[rng.below(8)];
    if (alloc.client_status == "unknown") append_client_status(alloc, "unknown", now - static_cast<UnixNanos>(rng.below(1200)) * second);
    if (client_terminal(alloc)) {
      alloc.task_states["t"] = {.state = "dead", .failed = alloc.client_status == "failed",
                                .finished_at = model::Time(now - static_cast<UnixNanos>(rng.below(120)) * second)};
    }
    if (chance(rng, 15)) alloc.desired_transition.migrate = true;
    auto& task = alloc.allocated_resources.ensure().tasks["t"];
    task.cpu.cpu_shares = 500;
    task.memory.memory_mb = job->task_groups.front().tasks.front().resources->memory_mb;
    alloc.allocated_resources->shared.disk_mb = 150;
    alloc.modify_time = now - 600 * second;
    world.view->add_alloc(std::move(alloc));
    ++number;
    if (chance(rng, 10)) world.update_job([&](model::Job& next) { next.task_groups.front().tasks.front().env["REV"] = std::to_string(next.version); });
  }
  if (chance(rng, 20)) world.update_job([&](model::Job& next) { next.task_groups.front().count = static_cast<std::int64_t>(rng.below(6)); });
  if (chance(rng, 5)) world.update_job([](model::Job& next) { next.stop = true; });
  return world;
}

bool holds_place(const model::Allocation& alloc) { return !terminal(alloc) && alloc.client_status != "unknown"; }

// What a run did, for a person to read.
std::string describe(const World& world) {
  std::string out;
  for (const auto& alloc : world.stopped()) {
    out += fmt::format("stop {} {} {} {} v{}; ", alloc->name, alloc->id.substr(0, 8), alloc->client_status, alloc->desired_description,
                       world.view->alloc(alloc->id)->job->version);
  }
  for (const auto& alloc : world.placed()) out += fmt::format("place {} after {}; ", alloc->name, alloc->previous_allocation.substr(0, 8));
  return out;
}

void check_fits(const World& world) {
  for (const auto& [id, node] : world.view->nodes) {
    // What the plan put here must fit; a node that was full before is not its doing.
    bool touched = false;
    for (const auto& plan : world.plans) touched = touched || plan.node_allocation.contains(id);
    if (!touched || node->status != "ready") continue;
    std::vector<AllocPtr> live;
    for (const auto& alloc : world.view->allocs_by_node(id)) {
      if (!terminal(*alloc)) live.push_back(alloc);
    }
    const auto fit = allocs_fit(*node, live, true);
    CHECK_MESSAGE(fit.fits, fit.dimension);
  }
}

}  // namespace

TEST_CASE("properties: every evaluation keeps the invariants of the contract") {
  for (std::uint64_t seed = 1; seed <= 1500; ++seed) {
    CAPTURE(seed);
    auto world = make_world(seed);
    const auto before = world.view;
    const auto job = before->jobs.at("j");
    const auto& group = job->task_groups.front();
    world.run();
    REQUIRE((world.last.update || world.last.reblock));
    const bool per_node = job->type == "system" || job->type == "sysbatch";
    // 1. Nothing is oversubscribed.
    check_fits(world);
    // 2. No more run than asked for, apart from canaries and those out of sight.
    std::int64_t running = 0;
    std::map<std::string, int> names;
    for (const auto& [id, alloc] : world.view->allocs) {
      if (!holds_place(*alloc) || is_canary(*alloc)) continue;
      ++running;
      if (alloc->job->version == job->version) ++names[per_node ? alloc->node_id + alloc->name : alloc->name];
    }
    if (!per_node && !job->stop) CHECK(running <= std::max<std::int64_t>(group.count, 0) + std::ssize(before->allocs));
    if (job->stop) CHECK(running == 0);
    // 3. Names of one version are unique among those placed now.
    std::set<std::string> placed_names;
    for (const auto& alloc : world.placed()) {
      if (!is_canary(*alloc)) CHECK_MESSAGE(placed_names.insert(per_node ? alloc->node_id + alloc->name : alloc->name).second, describe(world));
    }
    // 4. Every stop says why, and nothing is both stopped and kept.
    for (const auto& alloc : world.stopped()) CHECK(!alloc->desired_description.empty());
    // 6. A terminal allocation is succeeded by at most one.
    std::map<std::string, int> successors;
    for (const auto& alloc : world.placed()) {
      if (!alloc->previous_allocation.empty()) CHECK(++successors[alloc->previous_allocation] == 1);
    }
    // 8. What a batch job completed in this version is not done again.
    if (job->type == "batch") {
      for (const auto& alloc : world.placed()) {
        const auto previous = before->alloc(alloc->previous_allocation);
        if (previous != nullptr && previous->job->version == job->version) CHECK(!ran_successfully(*previous));
      }
    }
    // 10. What is out of sight within its time is left alone while the job runs.
    for (const auto& alloc : world.stopped()) {
      const auto stored = before->alloc(alloc->id);
      if (job->stop || group.count == 0 || stored->client_status != "unknown" || !group.disconnect || per_node) continue;
      const bool destructive = stored->job->version != job->version;
      const auto node = before->node(stored->node_id);
      if (!destructive && node != nullptr && node->status == "disconnected" && !stored->desired_transition.migrate) {
        CHECK(expired(*stored, now));
      }
    }
    // 7. Looking again comes to rest, unless a rolling update has more to do or something waits for its time. An odd history may
    // take a few looks: more are running than asked for, or one that was to stop is found to be lost.
    if (!per_node && world.created.empty() && before->deployments.empty() && !group.update && world.last.update && world.last.update->failed_tg_allocs.empty()) {
      auto again = world;
      for (int looks = 0; looks < 3; ++looks) again.run();
      again.run();
      CHECK_MESSAGE(again.placed().empty(), describe(again));
      CHECK_MESSAGE(again.stopped().empty(), describe(again));
    }
  }
}

}  // namespace drover::scheduler
