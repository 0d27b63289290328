#include "server/scheduler/fit/usage.h"

#include <algorithm>

#include "sdk/base/text.h"

namespace drover::scheduler {
namespace {

void add_cores(Cores& into, const Cores& from, bool& overlap) {
  for (const auto core : from) {
    const auto at = std::ranges::lower_bound(into, core);
    if (at != into.end() && *at == core) overlap = true;
    else into.insert(at, core);
  }
}

struct Phase {
  std::int64_t cpu = 0;
  std::int64_t memory_mb = 0;
  std::int64_t memory_max_mb = 0;

  void add(const model::AllocatedTaskResources& task) {
    // The shares of reserved cores are counted apart, whatever the phase.
    if (task.cpu.reserved_cores.empty()) cpu += task.cpu.cpu_shares;
    memory_mb += task.memory.memory_mb;
    memory_max_mb += task.memory.memory_max_mb != 0 ? task.memory.memory_max_mb : task.memory.memory_mb;
  }
  void max(const Phase& other) {
    cpu = std::max(cpu, other.cpu);
    memory_mb = std::max(memory_mb, other.memory_mb);
    memory_max_mb = std::max(memory_max_mb, other.memory_max_mb);
  }
};

std::uint64_t core_mhz(const model::NumaCore& core) {
  if (core.base_speed > 0) return core.base_speed;
  return core.max_speed > 0 ? core.max_speed : core.guess_speed;
}

}  // namespace

void Usage::add(const Usage& other) {
  cpu += other.cpu;
  memory_mb += other.memory_mb;
  memory_max_mb += other.memory_max_mb;
  disk_mb += other.disk_mb;
  core_overlap |= other.core_overlap;
  add_cores(cores, other.cores, core_overlap);
}

Usage alloc_usage(const model::AllocatedResources& resources) {
  Phase prestart;
  Phase main;
  Phase stop;
  Usage usage;
  for (const auto& [name, task] : resources.tasks) {
    const auto* lifecycle = resources.task_lifecycles.get(name);
    const std::string_view hook = lifecycle == nullptr ? std::string_view() : std::string_view(lifecycle->hook);
    if (hook == "prestart") {
      prestart.add(task);
      if (lifecycle->sidecar) main.add(task);
    } else if (hook == "poststop") {
      stop.add(task);
    } else {
      main.add(task);
    }
    if (!task.cpu.reserved_cores.empty()) {
      usage.cpu += task.cpu.cpu_shares;
      Cores cores(task.cpu.reserved_cores.begin(), task.cpu.reserved_cores.end());
      bool same_alloc = false;  // tasks of one allocation may name a core twice without it counting as an overlap
      add_cores(usage.cores, cores, same_alloc);
    }
  }
  main.max(prestart);
  main.max(stop);
  usage.cpu += main.cpu;
  usage.memory_mb = main.memory_mb;
  usage.memory_max_mb = main.memory_max_mb;
  usage.disk_mb = resources.shared.disk_mb;
  return usage;
}

Usage alloc_usage(const model::Allocation& alloc) {
  return alloc.allocated_resources ? alloc_usage(*alloc.allocated_resources) : Usage{};
}

bool Capacity::has_core(std::uint16_t id) const {
  return std::ranges::binary_search(cores, id, {}, &CoreSpeed::id);
}

Capacity node_capacity(const model::Node& node) {
  Capacity capacity;
  if (!node.node_resources) return capacity;
  const auto& total = *node.node_resources;
  capacity.memory_mb = total.memory.memory_mb;
  capacity.disk_mb = total.disk.disk_mb;
  if (total.processors.topology && !total.processors.topology->cores.empty()) {
    const auto& topology = *total.processors.topology;
    std::uint64_t sum = 0;
    for (const auto& core : topology.cores) {
      sum += core_mhz(core);
      if (!core.disable) capacity.cores.push_back({core.id, core_mhz(core)});
    }
    std::ranges::sort(capacity.cores, {}, &CoreSpeed::id);
    capacity.cpu = static_cast<std::int64_t>(topology.override_total_compute > 0 ? topology.override_total_compute : sum);
  } else {
    capacity.cpu = total.cpu.cpu_shares;
    const auto count = std::max<std::int64_t>(1, total.cpu.total_cpu_cores);
    for (const auto id : total.cpu.reservable_cpu_cores) {
      capacity.cores.push_back({id, static_cast<std::uint64_t>(total.cpu.cpu_shares / count)});
    }
    std::ranges::sort(capacity.cores, {}, &CoreSpeed::id);
  }
  if (node.reserved_resources) {
    const auto& reserved = *node.reserved_resources;
    capacity.cpu -= reserved.cpu.cpu_shares;
    capacity.memory_mb -= reserved.memory.memory_mb;
    capacity.disk_mb -= reserved.disk.disk_mb;
    std::erase_if(capacity.cores, [&](const CoreSpeed& core) {
      return std::ranges::find(reserved.cpu.reserved_cpu_cores, core.id) != reserved.cpu.reserved_cpu_cores.end();
    });
  }
  return capacity;
}

std::string_view exceeded(const Capacity& capacity, const Usage& used) {
  if (capacity.cpu < used.cpu) return "cpu";
  // A node that lists no cores is not held to them: it may be of a version that did not report any.
  if (!capacity.cores.empty() && !std::ranges::all_of(used.cores, [&](auto id) { return capacity.has_core(id); })) return "cores";
  if (capacity.memory_mb < used.memory_mb) return "memory";
  if (capacity.disk_mb < used.disk_mb) return "disk";
  return {};
}

}  // namespace drover::scheduler
