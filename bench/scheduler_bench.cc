// One evaluation without a planner: figures of row P7 (bench/README.md says the grid and the method), and of single placements.
// Prints one line per case; figures go to bench/README.md by hand.
//
// The state is what a server holds; the table of nodes is warm, as it is from the second evaluation of a worker on. "cold" lines
// give the first one. The plan is made and not submitted, so every round places the full count on an empty cluster.
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "server/scheduler/scheduler.h"
#include "server/state/snapshot.h"

namespace {

using namespace drover;
using namespace drover::scheduler;

struct Grid {
  int nodes;
  int racks;
  std::int64_t count;
  bool spread;
  bool ports = false;
};

model::Node make_node(int number, int racks) {
  model::Node node;
  node.id = fmt::format("{:08x}-0000-4000-8000-{:012x}", static_cast<std::uint32_t>(number) * 2654435761U, number);
  node.name = fmt::format("node-{}", number);
  node.datacenter = number % 2 == 0 ? "dc-1" : "dc-2";
  node.node_pool = "default";
  node.node_class = "linux-medium-pci";
  node.status = "ready";
  node.scheduling_eligibility = "eligible";
  node.attributes["kernel.name"] = "linux";
  node.attributes["arch"] = "x86";
  node.attributes["nomad.version"] = "0.5.0";
  node.attributes["driver.exec"] = "1";
  node.attributes["driver.mock_driver"] = "1";
  node.attributes["consul.version"] = "1.11.4";
  node.attributes["unique.advertise.address"] = fmt::format("192.168.{}.{}", number % 10, number % 120);
  for (const auto driver : {"exec", "mock_driver"}) node.drivers[driver] = {.detected = true, .healthy = true};
  node.meta["rack"] = fmt::format("r{}", number % racks);
  node.computed_class = fmt::format("v1:{}-{}", node.meta["rack"], node.datacenter);
  auto& resources = node.node_resources.ensure();
  resources.cpu.cpu_shares = 14'000;
  resources.cpu.total_cpu_cores = 4;
  resources.memory.memory_mb = 32'000;
  resources.disk.disk_mb = 102'400;
  resources.networks.push_back({.mode = "host", .device = "eth0", .cidr = "192.168.0.100/32", .ip = "192.168.0.100", .m_bits = 1000});
  resources.node_networks.push_back({.mode = "host", .device = "eth0", .speed = 1000, .addresses = {{.family = "ipv4", .alias = "default", .address = "192.168.0.100"}}});
  auto& reserved = node.reserved_resources.ensure();
  reserved.cpu.cpu_shares = 100;
  reserved.memory.memory_mb = 256;
  reserved.disk.disk_mb = 4096;
  reserved.networks.reserved_host_ports = "22";
  return node;
}

model::Job make_job(const Grid& grid) {
  model::Job job;
  job.id = job.name = "mock-service";
  job.namespace_ = "default";
  job.type = "service";
  job.priority = 50;
  job.datacenters = {"dc-1", "dc-2"};
  job.node_pool = "default";
  std::string racks;
  for (int i = 0; i < grid.racks / 2; ++i) racks += fmt::format("{}r{}", i == 0 ? "" : ",", i);
  job.constraints.push_back({.ltarget = "${meta.rack}", .rtarget = racks, .operand = "set_contains_any"});
  if (grid.spread) job.spreads.push_back({.attribute = "${meta.rack}"});
  const model::Constraint consul{.ltarget = "${attr.consul.version}", .rtarget = ">= 1.8.0", .operand = "semver"};
  model::TaskGroup group;
  group.name = "web";
  group.count = grid.count;
  group.constraints.push_back(consul);
  group.ephemeral_disk.ensure().size_mb = 150;
  if (grid.ports) {
    model::NetworkResource network{.mode = "host"};
    network.dynamic_ports.push_back({.label = "http", .host_network = "default"});
    network.dynamic_ports.push_back({.label = "admin", .host_network = "default"});
    group.networks.push_back(network);
  }
  model::Task task;
  task.name = "web";
  task.driver = "exec";
  task.constraints.push_back(consul);
  task.resources = model::Resources{.cpu = 6000, .memory_mb = 6000};
  group.tasks.push_back(std::move(task));
  job.task_groups.push_back(std::move(group));
  return job;
}

// Processor time of this thread: neighbours on the machine count less.
double now_us() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

void measure(const Grid& grid, bool cold = false) {
  state::Tables tables;
  for (int i = 0; i < grid.nodes; ++i) tables.nodes.put(std::make_shared<const model::Node>(make_node(i, grid.racks)));
  tables.jobs.put(std::make_shared<const model::Job>(make_job(grid)));
  model::Evaluation eval;
  eval.id = "0d000001-0000-4000-8000-000000000001";
  eval.namespace_ = "default";
  eval.job_id = "mock-service";
  eval.type = "service";
  eval.triggered_by = "job-register";
  Rng rng(1);
  NodeTable warm;
  std::vector<double> micros;
  std::size_t placed = 0;
  double score = 0;
  const int rounds = grid.count == 1 ? 51 : 25;
  for (int i = 0; i < rounds + 1; ++i) {
    NodeTable fresh;
    const auto view = std::make_shared<state::Snapshot>(tables);
    const double start = now_us();
    const auto step = make_run(eval, rng, cold ? &fresh : &warm)->begin(view, 0);
    if (i > 0) micros.push_back(now_us() - start);
    placed = 0;
    score = 0;
    if (!step.plan) continue;
    for (const auto& [node, allocs] : step.plan->node_allocation) {
      placed += allocs.size();
      for (const auto& alloc : allocs) score += alloc->metrics->score_meta_data.front().norm_score;
    }
  }
  std::sort(micros.begin(), micros.end());
  const double p50 = micros[micros.size() / 2];
  const auto n = static_cast<double>(std::max<std::size_t>(1, placed));
  fmt::print("{:5} nodes {:2} racks {:4} allocations{}{}{}: placed {:4}, mean score {:.4f}, evaluation {:9.1f} us, {:7.2f} us each\n", grid.nodes,
             grid.racks, grid.count, grid.spread ? " spread" : "", grid.ports ? " ports" : "", cold ? " cold" : "", placed, score / n, p50, p50 / n);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 5) {  // nodes racks count spread
    measure({std::atoi(argv[1]), std::atoi(argv[2]), std::atoi(argv[3]), std::atoi(argv[4]) != 0});
    return 0;
  }
  const bool whole = argc > 1 && std::string_view(argv[1]) == "all";
  for (const bool spread : {false, true}) {
    for (const int nodes : {500, 1'000, 5'000, 10'000}) {
      for (const int racks : {25, 50, 75}) {
        for (const int count : {50, 300, 600, 900, 1'200}) {
          const bool shown = nodes >= 5'000 && racks == 25 && (count == 50 || count == 300 || count == 1'200);
          if (whole || shown) measure({nodes, racks, count, spread});
        }
      }
    }
  }
  for (const int count : {50, 1'200}) measure({10'000, 25, count, false}, true);
  for (const int count : {50, 1'200}) measure({10'000, 25, count, false, true});
  for (const int nodes : {1, 100, 1'000, 10'000}) measure({nodes, 2, 1, false});
}
