#include "server/api/alloc_resources.h"

namespace drover::api {

void show_resources(std::shared_ptr<const model::Allocation>& alloc) {
  if (!alloc || !alloc->allocated_resources || alloc->resources) return;
  auto copy = std::make_shared<model::Allocation>(*alloc);
  model::Resources& sum = copy->resources.ensure();
  copy->task_resources.allocate();
  for (const auto& [name, given] : alloc->allocated_resources->tasks) {
    model::Resources& task = copy->task_resources[name];
    task.cpu = given.cpu.cpu_shares;
    task.cores = static_cast<std::int64_t>(given.cpu.reserved_cores.size());
    task.memory_mb = given.memory.memory_mb;
    task.memory_max_mb = given.memory.memory_max_mb;
    task.networks = given.networks;
    sum.cpu += task.cpu;
    sum.cores += task.cores;
    sum.memory_mb += task.memory_mb;
    // A task without a limit of its own may have what it was given.
    sum.memory_max_mb += task.memory_max_mb > 0 ? task.memory_max_mb : task.memory_mb;
    for (const auto& network : given.networks) sum.networks.push_back(network);
  }
  const auto& shared = alloc->allocated_resources->shared;
  sum.disk_mb = shared.disk_mb;
  for (const auto& network : shared.networks) sum.networks.push_back(network);
  alloc = std::move(copy);
}

}  // namespace drover::api
