#include "server/scheduler/feasible/group_checks.h"

#include <algorithm>

#include "lib/version/version.h"
#include "server/scheduler/alloc_state.h"
#include "server/scheduler/feasible/devices.h"

namespace drover::scheduler {
namespace {

Reason first_failing(const std::vector<ConstraintCheck>& constraints, const model::Node& node) {
  for (const auto& constraint : constraints) {
    if (!constraint.matches(node)) return constraint.reason();
  }
  return {};
}

bool parse_bool(std::string_view text) {
  for (const auto yes : {"1", "t", "T", "TRUE", "true", "True"}) {
    if (text == yes) return true;
  }
  return false;
}

bool glob(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool supports_mode(const model::Node& node, std::string_view mode) {
  if (!node.node_resources) return false;
  return std::ranges::any_of(node.node_resources->networks, [&](const auto& network) {
    return (network.mode.empty() ? std::string_view("host") : std::string_view(network.mode)) == mode;
  });
}

// Clients before 0.12 could run bridge networks but did not report them.
bool lacks_bridge_fingerprint(const model::Node& node) {
  const auto* version = node.attributes.get("nomad.version");
  return version != nullptr && version_matches(*version, "< 0.12.0", VersionRules::version);
}

bool has_host_network(const model::Node& node, std::string_view alias) {
  if (!node.node_resources) return false;
  for (const auto& network : node.node_resources->node_networks) {
    for (const auto& address : network.addresses) {
      if (address.alias == alias) return true;
    }
  }
  return false;
}

Reason check_ports(const model::TaskGroup& group, const model::Node& node) {
  const auto& network = group.networks.front();
  for (const auto* ports : {&network.dynamic_ports, &network.reserved_ports}) {
    for (const auto& port : *ports) {
      if (port.host_network.empty()) continue;
      const auto name = resolve_host_network(port.host_network, node);
      if (!name) return fmt::format("invalid host network \"{}\" template for port \"{}\"", port.host_network, port.label);
      if (!has_host_network(node, *name)) return fmt::format("missing host network \"{}\" for port \"{}\"", *name, port.label);
    }
  }
  return {};
}

}  // namespace

JobChecks::JobChecks(const model::Job& job) {
  for (const auto& constraint : job.constraints) constraints_.emplace_back(constraint);
}

Reason JobChecks::check(const model::Node& node) const { return first_failing(constraints_, node); }

GroupChecks::GroupChecks(const model::TaskGroup& group) : group_(&group) {
  for (const auto& constraint : group.constraints) constraints_.emplace_back(constraint);
  for (const auto& task : group.tasks) {
    if (std::ranges::find(drivers_, task.driver) == drivers_.end()) drivers_.push_back(task.driver);
    for (const auto& constraint : task.constraints) constraints_.emplace_back(constraint);
    has_devices_ |= task.resources && !task.resources->devices.empty();
  }
  if (!group.networks.empty() && !group.networks.front().mode.empty()) network_mode_ = group.networks.front().mode;
}

void JobChecks::each_failure(const model::Node& node, const std::function<void(const Reason&)>& visit) const {
  for (const auto& constraint : constraints_) {
    if (!constraint.matches(node)) visit(constraint.reason());
  }
}

bool GroupChecks::has_drivers(const model::Node& node) const {
  return std::ranges::all_of(drivers_, [&](const std::string& name) {
    if (const auto* driver = node.drivers.get(name)) return driver->detected && driver->healthy;
    const auto* attribute = node.attributes.get("driver." + name);
    return attribute != nullptr && parse_bool(*attribute);
  });
}

Reason GroupChecks::check(const model::Node& node) const {
  if (!has_drivers(node)) return "missing drivers";
  if (auto reason = first_failing(constraints_, node); !reason.empty()) return reason;
  if (has_devices_ && !node_has_devices(node, *group_)) return "missing devices";
  return check_network(node);
}

void GroupChecks::each_failure(const model::Node& node, const std::function<void(const char* kind, const Reason&)>& visit) const {
  if (!has_drivers(node)) visit("driver", "missing drivers");
  for (const auto& constraint : constraints_) {
    if (!constraint.matches(node)) visit("constraint", constraint.reason());
  }
  if (has_devices_ && !node_has_devices(node, *group_)) visit("device", "missing devices");
  if (auto reason = check_network(node); !reason.empty()) visit("network", reason);
}

Reason GroupChecks::check_network(const model::Node& node) const {
  if (network_mode_ == "bridge" && lacks_bridge_fingerprint(node)) return {};
  if (network_mode_ != "none" && !supports_mode(node, network_mode_)) return "missing network";
  if (!group_->networks.empty()) return check_ports(*group_, node);
  return {};
}

std::optional<std::string> resolve_host_network(std::string_view name, const model::Node& node) {
  const auto value = Target(name).resolve(node);
  return value ? std::optional<std::string>(*value) : std::nullopt;
}

bool datacenter_matches(const model::List<std::string>& patterns, std::string_view datacenter) {
  return std::ranges::any_of(patterns, [&](const std::string& pattern) { return glob(pattern, datacenter); });
}

bool in_pool(const model::Node& node, std::string_view pool) {
  return pool == "all" || node.node_pool == pool || (pool.empty() && node.node_pool == "default");
}

bool is_ready(const model::Node& node) {
  return node.status == "ready" && !node.drain_strategy && node.scheduling_eligibility != "ineligible";
}

}  // namespace drover::scheduler
