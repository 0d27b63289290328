// Invariants 1, 2 and 9 of the contract over random demands: ports, devices, cores, spreads, affinities and preemption, with jobs
// that come one after another. A failure prints its seed.
#include <doctest/doctest.h>

#include <map>
#include <set>

#include "server/scheduler/alloc_state.h"
#include "server/scheduler/fit/allocs_fit.h"
#include "tests/unit/server/scheduler/world.h"

namespace drover::scheduler {
namespace {

model::Node random_node(int number, Rng& rng) {
  auto node = make_node(number);
  auto& resources = *node.node_resources;
  node.meta["rack"] = fmt::format("r{}", rng.below(3));
  node.datacenter = rng.below(3) == 0 ? "dc2" : "dc1";
  const bool devices = rng.below(3) == 0;
  const bool cores = rng.below(3) == 0;
  if (devices) {
    model::NodeDeviceResource gpu{.vendor = "nvidia", .type = "gpu", .name = "t4"};
    for (int i = 0; i < 3; ++i) gpu.instances.push_back({.id = fmt::format("gpu{}", i), .healthy = i != 1});
    resources.devices.push_back(std::move(gpu));
  }
  if (cores) {
    resources.cpu.total_cpu_cores = 4;
    resources.cpu.reservable_cpu_cores = {0, 1, 2, 3};
  }
  resources.min_dynamic_port = 20000;
  resources.max_dynamic_port = static_cast<std::int64_t>(20001 + rng.below(8));
  node.computed_class = fmt::format("{}-{}-{}-{}", node.meta["rack"], node.datacenter, devices, cores);
  return node;
}

model::Job random_job(int number, Rng& rng) {
  const char* types[] = {"service", "batch", "service", "system"};
  const char* type = types[rng.below(4)];
  auto job = make_job(type, std::string_view(type) == "system" ? 1 : static_cast<std::int64_t>(1 + rng.below(12)));
  job.id = job.name = fmt::format("job{}", number);
  job.priority = static_cast<std::int64_t>(20 + 10 * rng.below(8));
  job.datacenters = {"dc*"};
  auto& group = job.task_groups.front();
  auto& resources = *group.tasks.front().resources;
  resources.cpu = static_cast<std::int64_t>(100 + rng.below(1200));
  resources.memory_mb = static_cast<std::int64_t>(100 + rng.below(2000));
  if (rng.below(5) == 0) {
    resources.cpu = 0;
    resources.cores = static_cast<std::int64_t>(1 + rng.below(2));
  }
  if (rng.below(5) == 0) resources.devices.push_back({.name = "nvidia/gpu", .count = 1});
  if (rng.below(3) == 0) {
    model::NetworkResource network{.mode = "host"};
    if (rng.below(2) == 0) network.reserved_ports.push_back({.label = "http", .value = static_cast<std::int64_t>(8080 + rng.below(2))});
    network.dynamic_ports.push_back({.label = "admin"});
    group.networks.push_back(std::move(network));
  }
  if (rng.below(4) == 0) job.spreads.push_back({.attribute = "${meta.rack}", .weight = 50});
  if (rng.below(4) == 0) job.affinities.push_back({.ltarget = "${node.datacenter}", .rtarget = "dc2", .operand = "=", .weight = 50});
  if (rng.below(6) == 0) group.constraints.push_back({.operand = "distinct_hosts"});
  return job;
}

// Everybody on the node, old and new, as the plan applier would look at it.
void check_node(const World& world, const std::string& id) {
  std::vector<AllocPtr> live;
  for (const auto& alloc : world.view->allocs_by_node(id)) {
    if (!terminal(*alloc)) live.push_back(alloc);
  }
  const auto fit = allocs_fit(*world.view->nodes.at(id), live, true);
  CHECK_MESSAGE(fit.fits, fit.dimension);
}

}  // namespace

TEST_CASE("properties: nothing is handed out twice, whatever is asked for") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    Rng rng(seed);
    const int nodes = static_cast<int>(2 + rng.below(10));
    World world("service", 0, 1);
    world.view->jobs.clear();
    world.view->versions.clear();
    for (int i = 0; i < nodes; ++i) world.view->add_node(random_node(i, rng));
    auto& preemption = world.view->config.preemption_config;
    preemption.service_scheduler_enabled = preemption.batch_scheduler_enabled = preemption.system_scheduler_enabled = rng.below(2) == 0;
    for (int number = 0; number < 6; ++number) {
      CAPTURE(number);
      const auto job = random_job(number, rng);
      world.view->add_job(job);
      world.eval = make_eval(job.type.c_str());
      world.eval.job_id = job.id;
      world.seed = seed * 100 + static_cast<std::uint64_t>(number);
      world.run();
      REQUIRE(world.last.update);
      for (const auto& [id, node] : world.view->nodes) check_node(world, id);
      // Invariant 2: as many as asked for, or the evaluation says that some found no room.
      const auto placed = std::ssize(world.placed());
      if (job.type != "system") {
        const auto* queued = world.last.update->queued_allocations.get("web");
        CHECK(placed + (queued == nullptr ? 0 : *queued) == job.task_groups.front().count);
        CHECK((placed < job.task_groups.front().count) == !world.last.update->failed_tg_allocs.empty());
      }
      for (const auto& alloc : world.placed()) {
        const auto& best = alloc->metrics->score_meta_data;
        REQUIRE(!best.empty());
        CHECK(std::ranges::is_sorted(best, std::ranges::greater{}, &model::NodeScoreMeta::norm_score));
      }
      // Invariant 9: only who is less urgent by ten, and never the job itself, makes room.
      for (const auto& plan : world.plans) {
        for (const auto& [node, evicted] : plan.node_preemptions) {
          for (const auto& alloc : evicted) {
            const auto stored = world.view->alloc(alloc->id);
            CHECK(stored->job->priority <= job.priority - 10);
            CHECK(stored->job_id != job.id);
          }
        }
      }
    }
  }
}

}  // namespace drover::scheduler
