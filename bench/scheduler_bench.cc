// How long one evaluation takes, without a planner: a service of one allocation on N equal nodes (walkthrough row 7), and the
// time per placed allocation of larger counts. Prints one line per case; figures go to bench/README.md by hand.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "server/scheduler/scheduler.h"
#include "tests/unit/server/scheduler/memory_view.h"

namespace {

using namespace drover;
using namespace drover::scheduler;

model::Node make_node(int number) {
  model::Node node;
  node.id = fmt::format("0a{:06x}-0000-4000-8000-{:012x}", number, number);
  node.datacenter = number % 2 == 0 ? "dc-1" : "dc-2";
  node.node_pool = "default";
  node.node_class = "linux-medium-pci";
  node.computed_class = fmt::format("v1:{}", number % 50);
  node.status = "ready";
  node.scheduling_eligibility = "eligible";
  node.attributes["kernel.name"] = "linux";
  node.drivers["exec"] = {.detected = true, .healthy = true};
  node.meta["rack"] = fmt::format("r{}", number % 25);
  auto& resources = node.node_resources.ensure();
  resources.cpu.cpu_shares = 14000;
  resources.memory.memory_mb = 32000;
  resources.disk.disk_mb = 102400;
  resources.networks.push_back({.mode = "host", .device = "eth0", .ip = "192.168.0.100"});
  resources.node_networks.push_back({.mode = "host", .device = "eth0", .addresses = {{.alias = "default", .address = "192.168.0.100"}}});
  return node;
}

model::Job make_job(std::int64_t count, bool spread) {
  model::Job job;
  job.id = job.name = "bench";
  job.namespace_ = "default";
  job.type = "service";
  job.priority = 50;
  job.datacenters = {"dc-1", "dc-2"};
  job.node_pool = "default";
  if (spread) job.spreads.push_back({.attribute = "${meta.rack}", .weight = 100});
  model::TaskGroup group;
  group.name = "web";
  group.count = count;
  group.ephemeral_disk.ensure().size_mb = 150;
  model::NetworkResource network{.mode = "host"};
  network.dynamic_ports.push_back({.label = "http", .host_network = "default"});
  network.dynamic_ports.push_back({.label = "admin", .host_network = "default"});
  group.networks.push_back(network);
  model::Task task;
  task.name = "web";
  task.driver = "exec";
  task.resources = model::Resources{.cpu = 500, .memory_mb = 256};
  group.tasks.push_back(std::move(task));
  job.task_groups.push_back(std::move(group));
  return job;
}

void measure(int nodes, std::int64_t count, bool spread) {
  auto view = std::make_shared<MemoryView>();
  for (int i = 0; i < nodes; ++i) view->add_node(make_node(i));
  view->add_job(make_job(count, spread));
  model::Evaluation eval;
  eval.id = "0d000001-0000-4000-8000-000000000001";
  eval.namespace_ = "default";
  eval.job_id = "bench";
  eval.type = "service";
  eval.triggered_by = "job-register";
  Rng rng(1);
  std::vector<double> micros;
  const int rounds = count == 1 ? 51 : 3;
  std::size_t placed = 0;
  for (int i = 0; i < rounds; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const auto step = make_run(eval, rng)->begin(view, 0);
    micros.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count());
    placed = 0;
    if (step.plan) {
      for (const auto& [node, allocs] : step.plan->node_allocation) placed += allocs.size();
    }
  }
  std::sort(micros.begin(), micros.end());
  const double p50 = micros[micros.size() / 2];
  fmt::print("nodes {:6} count {:5} spread {:5} placed {:5} evaluation p50 {:10.1f} us, per allocation {:8.1f} us\n", nodes, count, spread,
             placed, p50, placed == 0 ? 0 : p50 / static_cast<double>(placed));
}

}  // namespace

int main() {
  for (const int nodes : {1, 100, 1'000, 10'000}) measure(nodes, 1, false);
  for (const int nodes : {5'000, 10'000}) {
    for (const int count : {50, 300, 1'200}) measure(nodes, count, false);
  }
  for (const int count : {50, 300}) measure(5'000, count, true);
}
