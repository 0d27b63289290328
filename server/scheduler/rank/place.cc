#include "server/scheduler/rank/place.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "server/scheduler/alloc_state.h"
#include "server/scheduler/feasible/devices.h"
#include "server/scheduler/feasible/group_checks.h"
#include "server/scheduler/fit/allocs_fit.h"

namespace drover::scheduler {
namespace {

Unexpected exhausted(std::string dimension) { return Unexpected(Error(Code::resource_exhausted, std::move(dimension))); }

bool asks_network(const model::TaskGroup& group) {
  return !group.networks.empty() ||
         std::ranges::any_of(group.tasks, [](const auto& task) { return task.resources && !task.resources->networks.empty(); });
}

Result<> assign_group_ports(const model::TaskGroup& group, const model::Node& node, NetworkIndex& index, Rng& rng,
                            model::AllocatedResources& out) {
  model::NetworkResource ask = group.networks.front();
  for (auto* ports : {&ask.reserved_ports, &ask.dynamic_ports}) {
    for (auto& port : *ports) {
      if (port.host_network.empty()) continue;
      auto name = resolve_host_network(port.host_network, node);
      if (!name) return exhausted(fmt::format("network: invalid host network \"{}\"", port.host_network));
      port.host_network = std::move(*name);
    }
  }
  auto ports = index.assign_ports(ask, rng);
  if (!ports) return exhausted("network: " + ports.error().message());
  if (auto added = index.add_ports(*ports); !added) return exhausted("network: port collision");
  out.shared.networks.push_back(network_with_ports(ask, *ports, node));
  out.shared.ports = std::move(*ports);
  return {};
}

// The lowest-numbered free cores.
Result<> assign_cores(std::int64_t count, const Capacity& capacity, Cores& taken, model::AllocatedTaskResources& out) {
  std::uint64_t mhz = 0;
  for (const auto& core : capacity.cores) {
    if (static_cast<std::int64_t>(out.cpu.reserved_cores.size()) == count) break;
    const auto at = std::ranges::lower_bound(taken, core.id);
    if (at != taken.end() && *at == core.id) continue;
    taken.insert(at, core.id);
    out.cpu.reserved_cores.push_back(core.id);
    mhz += core.mhz;
  }
  if (static_cast<std::int64_t>(out.cpu.reserved_cores.size()) < count) return exhausted("cores");
  out.cpu.cpu_shares = static_cast<std::int64_t>(mhz);
  return {};
}

// The node as it is while a placement is tried; rebuilt when something is evicted.
struct Trial {
  const model::Node& node;
  bool with_network;
  const Preemptor* preemptor;
  Allocs allocs;  // that stay
  NetworkIndex index = {};
  std::optional<DeviceUse> devices = {};

  Result<> build() {
    index = {};
    if (with_network) {
      if (!index.set_node(node)) return exhausted("network: port collision");
      for (const auto& alloc : allocs) {
        if (!index.add_alloc(*alloc)) return exhausted("network: port collision");
      }
    }
    devices.emplace(node);
    for (const auto& alloc : allocs) devices->add(*alloc);
    return {};
  }
  // False when there is nothing to evict.
  bool evict(const Allocs& gone, Offer& offer) {
    if (gone.empty()) return false;
    offer.evicted.insert(offer.evicted.end(), gone.begin(), gone.end());
    std::erase_if(allocs, [&](const AllocPtr& alloc) { return std::ranges::find(gone, alloc) != gone.end(); });
    return static_cast<bool>(build());
  }
};

Result<> assign_devices(const model::RequestedDevice& request, Trial& trial, Offer& offer, model::AllocatedTaskResources& out) {
  auto assigned = trial.devices->assign(request);
  if (!assigned && trial.preemptor != nullptr &&
      trial.evict(trial.preemptor->for_device(request, *trial.devices, trial.allocs), offer)) {
    // What this allocation was given so far is in use too.
    for (const auto& [name, task] : offer.resources.tasks) {
      for (const auto& device : task.devices) trial.devices->add(device);
    }
    assigned = trial.devices->assign(request);
  }
  if (!assigned) return exhausted("devices: " + assigned.error().message());
  trial.devices->add(assigned->devices);
  for (const auto& affinity : request.affinities) offer.device_weights += std::abs(static_cast<double>(affinity.weight));
  offer.device_matched_weights += assigned->matched_weights;
  out.devices.push_back(std::move(assigned->devices));
  return {};
}

// What a task gets whatever the node.
model::AllocatedTaskResources plain_share(const model::Resources& ask, bool oversubscribe) {
  model::AllocatedTaskResources out;
  out.cpu.cpu_shares = ask.cpu;
  out.memory.memory_mb = ask.memory_mb + ask.secrets_mb;
  if (oversubscribe) out.memory.memory_max_mb = ask.memory_max_mb > 0 ? ask.memory_max_mb + ask.secrets_mb : ask.memory_max_mb;
  return out;
}

Result<> assign_task(const model::Task& task, bool oversubscribe, Trial& trial, Cores& taken, Rng& rng, Offer& offer) {
  auto& out = offer.resources.tasks[task.name];
  if (task.lifecycle) offer.resources.task_lifecycles[task.name] = *task.lifecycle;
  if (!task.resources) return {};
  const auto& ask = *task.resources;
  out = plain_share(ask, oversubscribe);
  if (!ask.networks.empty()) {
    auto network = trial.index.assign_task_network(ask.networks.front(), rng);
    if (!network) return exhausted("network: " + network.error().message());
    if (auto added = trial.index.add_network(*network); !added) return exhausted("network: port collision");
    out.networks.push_back(std::move(*network));
  }
  for (const auto& request : ask.devices) DROVER_TRY(assign_devices(request, trial, offer, out));
  if (ask.cores > 0) return assign_cores(ask.cores, offer.capacity, taken, out);
  return {};
}

}  // namespace

model::AllocatedResources plain_resources(const model::TaskGroup& group, bool memory_oversubscription) {
  model::AllocatedResources out;
  out.shared.disk_mb = group.ephemeral_disk ? group.ephemeral_disk->size_mb : 0;
  for (const auto& task : group.tasks) {
    auto& share = out.tasks[task.name];
    if (task.lifecycle) out.task_lifecycles[task.name] = *task.lifecycle;
    if (task.resources) share = plain_share(*task.resources, memory_oversubscription);
  }
  return out;
}

std::optional<model::AllocatedResources> fixed_resources(const model::TaskGroup& group, bool memory_oversubscription) {
  const bool by_node = !group.networks.empty() || std::ranges::any_of(group.tasks, [](const model::Task& task) {
    return task.resources && (!task.resources->networks.empty() || !task.resources->devices.empty() || task.resources->cores > 0);
  });
  return by_node ? std::nullopt : std::optional(plain_resources(group, memory_oversubscription));
}

Result<Offer> offer_resources(const model::TaskGroup& group, const model::Node& node, const std::vector<AllocPtr>& proposed,
                              bool memory_oversubscription, Rng& rng, const Preemptor* preemptor) {
  Offer offer;
  Trial trial{node, asks_network(group), preemptor, proposed};
  DROVER_TRY(trial.build());
  offer.capacity = node_capacity(node);
  offer.resources.shared.disk_mb = group.ephemeral_disk ? group.ephemeral_disk->size_mb : 0;
  if (!group.networks.empty()) {
    auto assigned = assign_group_ports(group, node, trial.index, rng, offer.resources);
    if (!assigned && preemptor != nullptr && trial.evict(preemptor->for_ports(group.networks.front(), trial.allocs), offer)) {
      assigned = assign_group_ports(group, node, trial.index, rng, offer.resources);
    }
    if (!assigned) return fail(assigned.error());
  }
  const auto sum = [&] {
    offer.used = {};
    for (const auto& alloc : trial.allocs) offer.used.add(alloc_usage(*alloc));
  };
  sum();
  Cores taken = offer.used.cores;
  for (const auto& task : group.tasks) DROVER_TRY(assign_task(task, memory_oversubscription, trial, taken, rng, offer));
  if (!offer.evicted.empty()) sum();
  const auto ask = alloc_usage(offer.resources);
  offer.used.add(ask);
  std::string dimension(exceeded(offer.capacity, offer.used));
  if (offer.used.core_overlap) dimension = "cores";
  if (node.node_max_allocs > 0 && static_cast<std::int64_t>(trial.allocs.size()) + 1 > node.node_max_allocs) dimension = "max allocation exceeded";
  if (dimension.empty()) return offer;
  const auto evicted = preemptor != nullptr ? preemptor->for_resources(ask, offer.capacity, trial.allocs) : Allocs();
  if (evicted.empty()) return exhausted(std::move(dimension));
  // The score is that of the node as full as it would be with everybody: evicting is no reward.
  offer.evicted.insert(offer.evicted.end(), evicted.begin(), evicted.end());
  return offer;
}

}  // namespace drover::scheduler
