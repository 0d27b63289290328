#include "server/scheduler/fit/allocs_fit.h"

#include <map>

#include "server/scheduler/alloc_state.h"
#include "server/scheduler/feasible/devices.h"

namespace drover::scheduler {
namespace {

// A volume that one allocation alone may write can be mounted by one allocation at a time.
bool single_writer_conflict(std::span<const AllocPtr> allocs) {
  std::map<std::string, int> claims;
  for (const auto& alloc : allocs) {
    if (client_terminal(*alloc)) continue;
    const auto* group = group_of(*alloc);
    if (group == nullptr) continue;
    for (const auto& [name, request] : group->volumes) {
      if (request.type != "host" || request.access_mode != "single-node-single-writer") continue;
      std::string source = request.source;
      if (request.per_alloc) source += fmt::format("[{}]", name_index(alloc->name));
      if (++claims[source] > 1) return true;
    }
  }
  return false;
}

}  // namespace

Fit allocs_fit(const model::Node& node, std::span<const AllocPtr> allocs, bool check_devices, bool check_ports) {
  Fit fit;
  const auto exceeds = [&](std::string dimension) {
    fit.dimension = std::move(dimension);
    return std::move(fit);
  };
  if (node.node_max_allocs > 0 && static_cast<std::int64_t>(allocs.size()) > node.node_max_allocs) return exceeds("max allocation exceeded");
  for (const auto& alloc : allocs) {
    if (!client_terminal(*alloc)) fit.used.add(alloc_usage(*alloc));
  }
  if (fit.used.core_overlap) return exceeds("cores");
  if (const auto dimension = exceeded(node_capacity(node), fit.used); !dimension.empty()) return exceeds(std::string(dimension));
  if (check_ports) {
    NetworkIndex index;
    if (const auto set = index.set_node(node); !set) return exceeds("reserved node port collision: " + set.error().message());
    std::string collision;
    for (const auto& alloc : allocs) {
      const auto added = index.add_alloc(*alloc);
      if (!added) collision = added.error().message();
    }
    if (!collision.empty()) return exceeds("reserved alloc port collision: " + collision);
  }
  if (check_devices) {
    DeviceUse devices(node);
    bool ok = true;
    for (const auto& alloc : allocs) ok = devices.add(*alloc) && ok;
    if (!ok) return exceeds("device oversubscribed");
  }
  if (single_writer_conflict(allocs)) return exceeds("conflicting claims for host volume with single-writer");
  fit.fits = true;
  return fit;
}

}  // namespace drover::scheduler
