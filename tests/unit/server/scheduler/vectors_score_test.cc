// Vectors of the scheduler contract: scores to their digits, how many nodes are compared, cores and lifecycles.
#include <doctest/doctest.h>

#include <map>
#include <set>

#include "server/scheduler/rank/stack.h"
#include "tests/unit/server/scheduler/world.h"

namespace drover::scheduler {
namespace {

// Selects nodes for the world's job without placing anything.
struct Chooser {
  explicit Chooser(const World& world) : view(world.view), job(view->jobs.at("j")), draft(world.eval, job, now), table(synced(view)),
                                         stack(*view, table, draft, eligibility, rng, job->type == "batch", false) {
    stack.set_job(*job);
    stack.set_rows(table.candidates(*job).rows);
  }
  static NodeTable synced(const std::shared_ptr<MemoryView>& view) {
    NodeTable table;
    table.sync(view);
    return table;
  }
  model::AllocMetric select() {
    const auto placement = stack.select(job->task_groups.front(), {.alloc_name = "j.web[0]", .penalty_nodes = {}});
    return placement ? placement->metrics : stack.metrics();
  }
  // Scores by node number, of all nodes.
  std::map<std::string, model::NodeScoreMeta> scores() {
    stack.compare_all();
    std::map<std::string, model::NodeScoreMeta> out;
    for (const auto& meta : select().score_meta_data) out[meta.node_id] = meta;
    return out;
  }

  std::shared_ptr<MemoryView> view;
  JobPtr job;
  Rng rng{3};
  PlanDraft draft;
  Eligibility eligibility;
  NodeTable table;
  Stack stack;
};

template <class F>
void change_job(World& world, const F& change) {
  auto job = *world.view->jobs.at("j");
  change(job);
  world.view->versions.clear();
  world.view->add_job(std::move(job));
}

void place_nodes(World& world, int from, int to, const char* datacenter, const char* rack, const char* kernel = "linux") {
  for (int i = from; i < to; ++i) {
    auto node = *world.view->nodes.at(node_id(i));
    node.datacenter = datacenter;
    node.meta["rack"] = rack;
    node.attributes["kernel.name"] = kernel;
    node.computed_class = fmt::format("{}-{}-{}", datacenter, rack, kernel);
    world.view->add_node(std::move(node));
  }
}

// A running allocation with the resources of the world's job.
void occupy(World& world, int number, int node, const char* job_id = "j") {
  model::Allocation alloc;
  alloc.id = fmt::format("0c{:06x}-0000-4000-8000-{:012x}", number, number);
  alloc.namespace_ = "default";
  alloc.job_id = job_id;
  alloc.job = world.view->jobs.at("j");
  alloc.task_group = "web";
  alloc.name = fmt::format("{}.web[{}]", job_id, number);
  alloc.node_id = node_id(node);
  alloc.desired_status = "run";
  alloc.client_status = "running";
  auto& task = alloc.allocated_resources.ensure().tasks["t"];
  task.cpu.cpu_shares = 500;
  task.memory.memory_mb = 256;
  world.view->add_alloc(std::move(alloc));
}

std::map<std::string, int> spread_over(const World& world, const std::function<std::string(const model::Node&)>& value) {
  std::map<std::string, int> out;
  for (const auto& alloc : world.placed()) ++out[value(*world.view->nodes.at(alloc->node_id))];
  return out;
}

model::Spread spread_on(const char* attribute, std::int32_t weight, std::vector<std::pair<const char*, int>> targets) {
  model::Spread out{.attribute = attribute, .weight = weight};
  for (const auto& [value, percent] : targets) out.spread_target.push_back({.value = value, .percent = static_cast<std::uint8_t>(percent)});
  return out;
}

constexpr double digits = 1e-6;

}  // namespace

TEST_CASE("vectors: V12 anti-affinity weighs allocations of the group") {
  World world("service", 2, 10);
  occupy(world, 0, 0);
  occupy(world, 1, 0);
  const auto scores = Chooser(world).scores();
  CHECK(scores.at(node_id(0)).scores.at("job-anti-affinity") == doctest::Approx(-0.3));
  CHECK(scores.at(node_id(0)).norm_score == doctest::Approx(0.064573).epsilon(digits * 10));
  CHECK(scores.at(node_id(1)).scores.at("job-anti-affinity") == 0);
  CHECK(scores.at(node_id(1)).norm_score == scores.at(node_id(1)).scores.at("binpack"));
}

TEST_CASE("vectors: V13 affinities count by their weights") {
  World world("service", 4, 1);
  place_nodes(world, 0, 1, "dc2", "r0");
  place_nodes(world, 1, 2, "dc1", "r1");
  place_nodes(world, 2, 3, "dc1", "r1", "windows");
  place_nodes(world, 3, 4, "dc1", "r0", "windows");
  change_job(world, [](model::Job& job) {
    job.datacenters = {"*"};
    job.affinities = {{.ltarget = "${node.datacenter}", .rtarget = "dc2", .operand = "=", .weight = 100},
                      {.ltarget = "${meta.rack}", .rtarget = "r1", .operand = "=", .weight = -100},
                      {.ltarget = "${attr.kernel.name}", .rtarget = "linux", .operand = "=", .weight = 50}};
  });
  const auto scores = Chooser(world).scores();
  const auto affinity = [&](int node) { return scores.at(node_id(node)).scores.at("node-affinity"); };
  CHECK(affinity(0) == doctest::Approx(0.6));
  CHECK(affinity(1) == doctest::Approx(-0.2));
  CHECK(affinity(2) == doctest::Approx(-0.4));
  CHECK(affinity(3) == 0);
  CHECK(scores.at(node_id(0)).norm_score == doctest::Approx((scores.at(node_id(0)).scores.at("binpack") + 0.6) / 2));
}

TEST_CASE("vectors: V15 the final score is the mean of all that have something to say") {
  World world("service", 1, 4);
  place_nodes(world, 0, 1, "dc2", "r0");
  change_job(world, [](model::Job& job) {
    job.datacenters = {"*"};
    job.affinities = {{.ltarget = "${node.datacenter}", .rtarget = "dc2", .operand = "=", .weight = 100},
                      {.ltarget = "${meta.rack}", .rtarget = "r1", .operand = "=", .weight = -100},
                      {.ltarget = "${attr.kernel.name}", .rtarget = "linux", .operand = "=", .weight = 50}};
    job.spreads = {spread_on("${node.datacenter}", 50, {{"dc2", 100}}), spread_on("${meta.rack}", 50, {{"r0", 50}})};
  });
  occupy(world, 0, 0);
  occupy(world, 1, 0, "other");
  const auto meta = Chooser(world).scores().at(node_id(0));
  CHECK(meta.scores.at("binpack") == doctest::Approx(0.429145).epsilon(digits * 10));
  CHECK(meta.scores.at("job-anti-affinity") == doctest::Approx(-0.5));
  CHECK(meta.scores.at("allocation-spread") == doctest::Approx(0.25));
  CHECK(meta.norm_score == doctest::Approx(0.194786).epsilon(digits * 10));
}

TEST_CASE("vectors: V16 how many nodes are compared for one placement") {
  const auto compared = [](const char* type, std::int64_t count, const auto& change) {
    World world(type, 1024, count);
    change_job(world, change);
    return Chooser(world).select().nodes_evaluated;
  };
  const auto nothing = [](model::Job&) {};
  const auto affinity = [](model::Job& job) {
    job.affinities = {{.ltarget = "${attr.kernel.name}", .rtarget = "linux", .operand = "=", .weight = 100}};
  };
  const auto spread = [](model::Job& job) { job.spreads = {spread_on("${node.datacenter}", 100, {})}; };
  CHECK(compared("service", 10, nothing) == 10);
  CHECK(compared("batch", 10, nothing) == 2);
  CHECK(compared("service", 30, affinity) == 100);
  CHECK(compared("service", 30, spread) == 100);
  CHECK(compared("service", 150, affinity) == 150);
  World limited("service", 1024, 5);
  change_job(limited, affinity);
  limited.view->config.node_limit_for_feasibility_checks = 20;
  CHECK(Chooser(limited).select().nodes_evaluated == 20);
}

TEST_CASE("vectors: V16 the next placement goes on where the last one stopped") {
  World world("service", 64, 10);
  Chooser chooser(world);
  std::set<std::string> seen;
  for (int i = 0; i < 10; ++i) {
    for (const auto& meta : chooser.select().score_meta_data) seen.insert(meta.node_id);
  }
  // Six nodes each time, of which the best five are shown: nearly every node had its turn.
  CHECK(seen.size() >= 48);
}

TEST_CASE("vectors: V20 two spreads add up by weight") {
  const auto make = [](std::int64_t count) {
    World world("service", 40, count);
    place_nodes(world, 0, 10, "dc1", "r0");
    place_nodes(world, 10, 20, "dc1", "r1");
    place_nodes(world, 20, 30, "dc2", "r0");
    place_nodes(world, 30, 40, "dc2", "r1");
    change_job(world, [](model::Job& job) {
      job.datacenters = {"dc*"};
      job.spreads = {spread_on("${node.datacenter}", 100, {{"dc1", 70}, {"dc2", 30}}), spread_on("${meta.rack}", 50, {{"r0", 40}, {"r1", 60}})};
    });
    return world;
  };
  auto used = make(10);
  occupy(used, 0, 0);
  occupy(used, 1, 1);
  occupy(used, 2, 20);
  Chooser chooser(used);
  chooser.stack.set_rows({chooser.table.row_of(node_id(5))});
  CHECK(chooser.scores().at(node_id(5)).scores.at("allocation-spread") == doctest::Approx(0.380952).epsilon(digits));

  auto world = make(10);
  world.run();
  CHECK(spread_over(world, [](const model::Node& node) { return node.datacenter; }) == std::map<std::string, int>{{"dc1", 7}, {"dc2", 3}});
  CHECK(spread_over(world, [](const model::Node& node) { return node.meta.at("rack"); }) == std::map<std::string, int>{{"r0", 4}, {"r1", 6}});
}

TEST_CASE("vectors: V26 whole cores are handed out once and kept by an update in place") {
  World world("service", 1, 3);
  {
    auto node = *world.view->nodes.at(node_id(0));
    node.node_resources->cpu.total_cpu_cores = 4;
    node.node_resources->cpu.reservable_cpu_cores = {0, 1, 2, 3};
    world.view->add_node(std::move(node));
  }
  change_job(world, [](model::Job& job) {
    auto& resources = job.task_groups.front().tasks.front().resources.ensure();
    resources.cpu = 0;
    resources.cores = 2;
  });
  world.run();
  const auto cores_of = [](const model::Allocation& alloc) {
    const auto& cpu = alloc.allocated_resources->tasks.at("t").cpu;
    CHECK(cpu.cpu_shares == 2000);
    return std::vector<int>(cpu.reserved_cores.begin(), cpu.reserved_cores.end());
  };
  std::set<std::vector<int>> cores;
  for (const auto& alloc : world.placed()) cores.insert(cores_of(*alloc));
  CHECK(cores == std::set<std::vector<int>>{{0, 1}, {2, 3}});
  CHECK(world.last.update->failed_tg_allocs.at("web").dimension_exhausted == model::Map<std::int64_t>{{"cores", 1}});

  const auto before = *world.find("j.web[0]");
  world.update_job([](model::Job& job) { job.task_groups.front().count = 2; });
  world.run();
  const auto after = *world.find("j.web[0]");
  CHECK(after.id == before.id);
  CHECK(after.job->version == 1);
  CHECK(cores_of(after) == cores_of(before));
}

TEST_CASE("vectors: V28 the phases of a lifecycle do not add up") {
  for (const bool room : {true, false}) {
    World world("service", 1, 1);
    change_job(world, [](model::Job& job) {
      auto& tasks = job.task_groups.front().tasks;
      const auto add = [&](const char* name, const char* hook, bool sidecar, std::int64_t cpu) {
        auto task = tasks.front();
        task.name = name;
        task.lifecycle = model::TaskLifecycleConfig{.hook = hook, .sidecar = sidecar};
        task.resources->cpu = cpu;
        tasks.push_back(std::move(task));
      };
      add("before", "prestart", false, 1000);
      add("beside", "prestart", true, 100);
      add("after", "poststop", false, 700);
    });
    auto node = *world.view->nodes.at(node_id(0));
    node.node_resources->cpu.cpu_shares = room ? 1100 : 1099;
    world.view->add_node(std::move(node));
    world.run();
    CHECK(world.placed().size() == (room ? 1 : 0));
    if (!room) CHECK(world.last.update->failed_tg_allocs.at("web").dimension_exhausted == model::Map<std::int64_t>{{"cpu", 1}});
  }
}

}  // namespace drover::scheduler
