#include "server/scheduler/preempt/preemptor.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "server/scheduler/alloc_state.h"

namespace drover::scheduler {
namespace {

constexpr std::int64_t priority_delta = 10;
constexpr double max_parallel_penalty = 50;

std::string group_key(const model::Allocation& alloc) { return alloc.namespace_ + "\n" + alloc.job_id + "\n" + alloc.task_group; }

// Countable resources that may fall below zero.
struct Amount {
  double cpu = 0;
  double memory = 0;
  double disk = 0;
  std::set<std::uint16_t> cores;

  void add(const Usage& usage, double sign) {
    cpu += sign * static_cast<double>(usage.cpu);
    memory += sign * static_cast<double>(usage.memory_mb);
    disk += sign * static_cast<double>(usage.disk_mb);
    for (const auto core : usage.cores) {
      if (sign > 0) cores.insert(core);
      else cores.erase(core);
    }
  }
  [[nodiscard]] bool covers(const Usage& ask) const {
    return cpu >= static_cast<double>(ask.cpu) && memory >= static_cast<double>(ask.memory_mb) && disk >= static_cast<double>(ask.disk_mb) &&
           std::ranges::all_of(ask.cores, [&](std::uint16_t core) { return cores.contains(core); });
  }
};

double distance(const Amount& ask, const Usage& used) {
  const auto part = [](double wanted, std::int64_t given) {
    if (wanted <= 0) return 0.0;
    const double left = (wanted - static_cast<double>(given)) / wanted;
    return left * left;
  };
  return std::sqrt(part(ask.cpu, used.cpu) + part(ask.memory, used.memory_mb) + part(ask.disk, used.disk_mb));
}

// Largest key first; equal ones keep their order.
template <class Key>
Allocs descending(const Allocs& allocs, const Key& key) {
  std::vector<std::pair<double, std::size_t>> order;
  for (std::size_t i = 0; i < allocs.size(); ++i) order.emplace_back(-static_cast<double>(key(allocs[i])), i);
  std::ranges::sort(order);
  Allocs out;
  for (const auto& [negated, i] : order) out.push_back(allocs[i]);
  return out;
}

struct Holder {
  AllocPtr alloc;
  std::string device;           // of its first network
  std::set<std::int64_t> ports;  // static ones
};

Holder holder(const AllocPtr& alloc) {
  Holder out{alloc, {}, {}};
  if (!alloc->allocated_resources) return out;
  bool first = true;
  const auto take = [&](const model::List<model::NetworkResource>& networks) {
    for (const auto& network : networks) {
      if (std::exchange(first, false)) out.device = network.device;
      for (const auto& port : network.reserved_ports) out.ports.insert(port.value);
    }
  };
  for (const auto& [name, task] : alloc->allocated_resources->tasks) take(task.networks);
  take(alloc->allocated_resources->shared.networks);
  return out;
}

}  // namespace

Preemptor::Preemptor(const model::Job& job, const PlanDraft& draft) : job_(job) {
  for (const auto& [node, allocs] : draft.plan().node_preemptions) {
    for (const auto& alloc : allocs) ++preempted_[group_key(*alloc)];
  }
}

bool Preemptor::own(const model::Allocation& alloc) const { return alloc.job_id == job_.id && alloc.namespace_ == job_.namespace_; }

bool Preemptor::preemptible(const model::Allocation& alloc) const {
  return alloc.job != nullptr && !own(alloc) && job_.priority - alloc.job->priority >= priority_delta;
}

Preemptor::ByPriority Preemptor::by_priority(const Allocs& allocs) const {
  ByPriority out;
  for (const auto& alloc : allocs) {
    if (preemptible(*alloc)) out[alloc->job->priority].push_back(alloc);
  }
  return out;
}

double Preemptor::penalty(const model::Allocation& alloc) const {
  const auto* group = group_of(alloc);
  const std::int64_t max_parallel = group != nullptr && group->migrate ? group->migrate->max_parallel : 0;
  const auto at = preempted_.find(group_key(alloc));
  const std::int64_t gone = at == preempted_.end() ? 0 : at->second;
  return max_parallel > 0 && gone >= max_parallel ? static_cast<double>(gone + 1 - max_parallel) * max_parallel_penalty : 0;
}

Allocs Preemptor::for_resources(const Usage& ask, const Capacity& capacity, const Allocs& on_node) const {
  Amount remaining;
  remaining.cpu = static_cast<double>(capacity.cpu);
  remaining.memory = static_cast<double>(capacity.memory_mb);
  remaining.disk = static_cast<double>(capacity.disk_mb);
  for (const auto& core : capacity.cores) remaining.cores.insert(core.id);
  std::map<std::string_view, Usage> usage;
  // The job's own allocations are not evicted and keep what they have; the reference forgets them here and plans more than fits.
  for (const auto& alloc : on_node) remaining.add(usage[alloc->id] = alloc_usage(*alloc), -1);
  Amount needed;
  needed.add(ask, 1);
  const Amount wanted = needed;
  Amount available = remaining;
  Allocs chosen;
  bool met = false;
  for (auto& [priority, group] : by_priority(on_node)) {
    while (!group.empty() && !met) {
      const auto closest = std::ranges::min_element(group, {}, [&](const AllocPtr& alloc) {
        return distance(needed, usage[alloc->id]) + penalty(*alloc);
      });
      available.add(usage[(*closest)->id], 1);
      needed.add(usage[(*closest)->id], -1);
      chosen.push_back(*closest);
      met = available.covers(ask);
      *closest = group.back();
      group.pop_back();
    }
    if (met) break;
  }
  if (!met) return {};
  // Largest distance first: what alone covers the rest makes others unnecessary.
  chosen = descending(chosen, [&](const AllocPtr& alloc) { return distance(wanted, usage[alloc->id]); });
  available = remaining;
  Allocs out;
  for (const auto& alloc : chosen) {
    out.push_back(alloc);
    available.add(usage[alloc->id], 1);
    if (available.covers(ask)) break;
  }
  return out;
}

Allocs Preemptor::for_ports(const model::NetworkResource& ask, const Allocs& on_node) const {
  std::map<std::string, std::vector<Holder>> devices;
  std::map<std::string, std::set<std::int64_t>> fixed;  // held by those that stay
  for (const auto& alloc : on_node) {
    if (alloc->job == nullptr || own(*alloc)) continue;
    auto held = holder(alloc);
    if (!preemptible(*alloc)) fixed[held.device].insert(held.ports.begin(), held.ports.end());
    else if (!held.ports.empty()) devices[held.device].push_back(std::move(held));
  }
  for (const auto& [device, holders] : devices) {
    Allocs out;
    bool possible = true;
    for (const auto& port : ask.reserved_ports) {
      const auto at = std::ranges::find_if(holders, [&](const Holder& held) { return held.ports.contains(port.value); });
      if (at != holders.end()) {
        if (std::ranges::find(out, at->alloc) == out.end()) out.push_back(at->alloc);
      } else if (fixed[device].contains(port.value)) {
        possible = false;
        break;
      }
    }
    if (possible && !out.empty()) return out;
  }
  return {};
}

Allocs Preemptor::for_device(const model::RequestedDevice& ask, const DeviceUse& devices, const Allocs& on_node) const {
  const auto needed = static_cast<std::int64_t>(ask.count);
  std::optional<std::int64_t> best_priority;
  Allocs best;
  for (const auto& matching : devices.matching(ask)) {
    std::map<std::string_view, std::int64_t> instances;
    Allocs users;
    for (const auto& alloc : on_node) {
      if (own(*alloc) || !alloc->allocated_resources) continue;
      for (const auto& [name, task] : alloc->allocated_resources->tasks) {
        for (const auto& device : task.devices) {
          if (device.vendor != matching.device->vendor || device.type != matching.device->type || device.name != matching.device->name) continue;
          if (!instances.contains(alloc->id)) users.push_back(alloc);
          instances[alloc->id] += static_cast<std::int64_t>(device.device_ids.size());
        }
      }
    }
    Allocs option;
    std::int64_t freed = 0;
    for (const auto& [priority, group] : by_priority(users)) {
      for (const auto& alloc : group) {
        if (freed + matching.free >= needed) break;
        freed += instances[alloc->id];
        option.push_back(alloc);
      }
    }
    if (option.empty() || freed + matching.free < needed) continue;
    // Those that give most first: the others may then be spared.
    option = descending(option, [&](const AllocPtr& alloc) { return instances[alloc->id]; });
    std::set<std::int64_t> priorities;
    Allocs kept;
    std::int64_t count = 0;
    for (const auto& alloc : option) {
      if (count >= needed) break;
      count += instances[alloc->id];
      kept.push_back(alloc);
      priorities.insert(alloc->job->priority);
    }
    std::int64_t net = 0;
    for (const auto priority : priorities) net += priority;
    if (best_priority && net >= *best_priority) continue;
    best_priority = net;
    best = std::move(kept);
  }
  return best;
}

double preemption_score(const Allocs& evicted) {
  double max = 0;
  double sum = 0;
  for (const auto& alloc : evicted) {
    const auto priority = static_cast<double>(alloc->job->priority);
    max = std::max(max, priority);
    sum += priority;
  }
  const double net = max == 0 ? 0 : max + sum / max;
  return 1 / (1 + std::exp(0.0048 * (net - 2048)));
}

}  // namespace drover::scheduler
