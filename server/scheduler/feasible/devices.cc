#include "server/scheduler/feasible/devices.h"

#include <algorithm>
#include <cmath>

#include "sdk/base/text.h"
#include "server/scheduler/feasible/attribute.h"
#include "server/scheduler/feasible/constraint.h"

namespace drover::scheduler {
namespace {

bool name_matches(const model::NodeDeviceResource& device, std::string_view name) {
  const auto parts = split(name, '/');
  if (parts.size() == 1) return parts[0] == device.type;
  if (parts[0] != device.vendor || parts[1] != device.type) return false;
  if (parts.size() == 2) return true;
  const std::vector<std::string> rest(parts.begin() + 2, parts.end());
  return join(rest, "/") == device.name;
}

model::Attribute text(std::string value) {
  model::Attribute out;
  out.string = std::move(value);
  return out;
}

// `${device.attr.x}`, `${device.vendor}` and the like; a literal is parsed as a typed attribute.
std::optional<model::Attribute> resolve(const model::NodeDeviceResource& device, std::string_view target) {
  if (!target.starts_with("${")) return parse_attribute(target);
  if (target == "${device.vendor}") return text(device.vendor);
  if (target == "${device.type}") return text(device.type);
  if (target == "${device.model}") return text(device.name);
  if (target == "${device.ids}") {
    std::vector<std::string> ids;
    for (const auto& instance : device.instances) ids.push_back(instance.id);
    return text(join(ids, ","));
  }
  constexpr std::string_view prefix = "${device.attr.";
  if (target.starts_with(prefix)) {
    auto key = target.substr(prefix.size());
    if (key.ends_with('}')) key.remove_suffix(1);
    if (const auto* value = device.attributes.get(key)) return *value;
  }
  return std::nullopt;
}

template <class C>
bool holds(const model::NodeDeviceResource& device, const C& constraint) {
  const auto left = resolve(device, constraint.ltarget);
  const auto right = resolve(device, constraint.rtarget);
  return ConstraintCheck(constraint).matches(left ? &*left : nullptr, right ? &*right : nullptr);
}

// A constraint on `${device.ids}` chooses among the instances: each that is given must be in the list.
bool instance_allowed(const std::string& id, const model::RequestedDevice& ask) {
  return std::ranges::all_of(ask.constraints, [&](const auto& constraint) {
    constexpr std::string_view ids = "${device.ids}";
    const auto& list = constraint.ltarget == ids ? constraint.rtarget : constraint.ltarget;
    if (constraint.ltarget != ids && constraint.rtarget != ids) return true;
    const auto allowed = split(list, ',');
    return std::ranges::any_of(allowed, [&](const auto& entry) { return trim(entry) == id; });
  });
}

}  // namespace

bool device_matches(const model::NodeDeviceResource& device, const model::RequestedDevice& ask) {
  if (!name_matches(device, ask.name)) return false;
  return std::ranges::all_of(ask.constraints, [&](const auto& constraint) { return holds(device, constraint); });
}

bool node_has_devices(const model::Node& node, const model::TaskGroup& group) {
  std::vector<std::pair<const model::NodeDeviceResource*, std::uint64_t>> healthy;
  bool counted = false;
  for (const auto& task : group.tasks) {
    if (!task.resources) continue;
    for (const auto& ask : task.resources->devices) {
      if (!counted) {
        counted = true;
        if (!node.node_resources) return false;
        for (const auto& device : node.node_resources->devices) {
          const auto count = std::ranges::count_if(device.instances, &model::NodeDevice::healthy);
          if (count > 0) healthy.emplace_back(&device, static_cast<std::uint64_t>(count));
        }
      }
      // Counted over all groups that match; whether one group alone has enough shows when instances are assigned.
      auto missing = ask.count;
      for (auto& [device, left] : healthy) {
        if (left == 0 || !device_matches(*device, ask)) continue;
        const auto taken = std::min(left, missing);
        left -= taken;
        missing -= taken;
        if (missing == 0) break;
      }
      if (missing > 0) return false;
    }
  }
  return true;
}

DeviceUse::DeviceUse(const model::Node& node) {
  if (!node.node_resources) return;
  for (const auto& device : node.node_resources->devices) {
    Group group{&device, {}};
    for (const auto& instance : device.instances) {
      if (instance.healthy) group.uses.emplace(instance.id, 0);
    }
    groups_.push_back(std::move(group));
  }
}

bool DeviceUse::add(const model::AllocatedDeviceResource& devices) {
  bool fits = true;
  for (auto& group : groups_) {
    if (group.device->vendor != devices.vendor || group.device->type != devices.type || group.device->name != devices.name) continue;
    for (const auto& id : devices.device_ids) {
      const auto at = group.uses.find(id);
      // An instance that is gone or unhealthy by now does not make the node unusable for what runs there.
      if (at != group.uses.end() && ++at->second > 1) fits = false;
    }
  }
  return fits;
}

bool DeviceUse::add(const model::Allocation& alloc) {
  bool fits = true;
  if (alloc.client_status == "complete" || alloc.client_status == "failed" || alloc.client_status == "lost") return fits;
  if (!alloc.allocated_resources) return fits;
  for (const auto& [name, task] : alloc.allocated_resources->tasks) {
    for (const auto& devices : task.devices) fits = add(devices) && fits;
  }
  return fits;
}

std::vector<DeviceUse::Matching> DeviceUse::matching(const model::RequestedDevice& ask) const {
  std::vector<Matching> out;
  for (const auto& group : groups_) {
    if (!device_matches(*group.device, ask)) continue;
    out.push_back({group.device, std::ranges::count_if(group.uses, [](const auto& use) { return use.second == 0; })});
  }
  return out;
}

Result<DeviceUse::Offer> DeviceUse::assign(const model::RequestedDevice& ask) const {
  if (groups_.empty()) return fail(Code::resource_exhausted, "no devices available");
  if (ask.count == 0) return fail(Code::invalid_argument, "invalid request of zero devices");
  std::optional<Offer> best;
  double best_score = 0;
  for (const auto& group : groups_) {
    const auto usable = [&](const auto& use) { return use.second == 0 && instance_allowed(use.first, ask); };
    const auto free = static_cast<std::uint64_t>(std::ranges::count_if(group.uses, usable));
    if (free < ask.count || !device_matches(*group.device, ask)) continue;
    double score = 0;
    Offer offer;
    if (!ask.affinities.empty()) {
      double total = 0;
      for (const auto& affinity : ask.affinities) {
        total += std::abs(static_cast<double>(affinity.weight));
        if (holds(*group.device, affinity)) offer.matched_weights += static_cast<double>(affinity.weight);
      }
      if (total > 0) score = offer.matched_weights / total;
    }
    if (best && score <= best_score) continue;
    offer.devices = {.vendor = group.device->vendor, .type = group.device->type, .name = group.device->name, .device_ids = {}};
    for (const auto& use : group.uses) {
      if (offer.devices.device_ids.size() < ask.count && usable(use)) offer.devices.device_ids.push_back(use.first);
    }
    best = std::move(offer);
    best_score = score;
  }
  if (!best) return fail(Code::resource_exhausted, "no devices match request");
  return *std::move(best);
}

}  // namespace drover::scheduler
