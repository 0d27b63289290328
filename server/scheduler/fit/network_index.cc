#include "server/scheduler/fit/network_index.h"

#include <charconv>

#include "sdk/base/text.h"

namespace drover::scheduler {
namespace {

constexpr std::int64_t largest_valid_port = 65536;  // as the reference counts
constexpr int random_tries = 20;

std::string_view alias_of(const model::Port& port) {
  return port.host_network.empty() ? std::string_view("default") : std::string_view(port.host_network);
}

bool in_cidr(std::string_view cidr, std::string_view ip) {
  // Node networks name one address as "10.0.0.5/32"; jobs ask without a CIDR.
  return cidr.empty() || split_once(cidr, '/').first == ip;
}

}  // namespace

Result<std::vector<std::int64_t>> parse_port_ranges(std::string_view text) {
  std::vector<std::int64_t> ports;
  if (text.empty()) return ports;
  const auto number = [](std::string_view digits) -> Result<std::int64_t> {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc{} || end != digits.data() + digits.size()) {
      return fail(Code::invalid_argument, "strconv.ParseUint: parsing {}: {}", quote(digits),
                  error == std::errc::result_out_of_range ? "value out of range" : "invalid syntax");
    }
    if (value > static_cast<std::uint64_t>(largest_valid_port)) return fail(Code::invalid_argument, "port must be < {} but found {}", largest_valid_port, value);
    return static_cast<std::int64_t>(value);
  };
  for (const auto& part : split(text, ',')) {
    const auto bounds = split(trim(part), '-');
    if (bounds.size() > 2) return fail(Code::invalid_argument, "can only parse single port numbers or port ranges (ex. 80,100-120,150)");
    if (bounds.size() == 1 && bounds[0].empty()) return fail(Code::invalid_argument, "can't specify empty port");
    const auto first = number(bounds.front());
    if (!first) return fail(first.error());
    const auto last = number(bounds.back());
    if (!last) return fail(last.error());
    if (*last < *first) return fail(Code::invalid_argument, "invalid range: ending value ({}) less than starting ({}) value", *last, *first);
    if (*first == 0) return fail(Code::invalid_argument, "port must be > 0");
    for (auto port = *first; port <= *last; ++port) ports.push_back(port);
  }
  return ports;
}

const PortSet& NetworkIndex::used(const std::string& ip) const {
  const auto at = used_.find(ip);
  return at == used_.end() ? node_reserved_ : at->second;
}

PortSet& NetworkIndex::used_mutable(const std::string& ip) { return used_.try_emplace(ip, node_reserved_).first->second; }

Result<> NetworkIndex::set_node(const model::Node& node) {
  if (!node.node_resources) return {};
  const auto& resources = *node.node_resources;
  if (resources.min_dynamic_port > 0) min_dynamic_ = resources.min_dynamic_port;
  if (resources.max_dynamic_port > 0) max_dynamic_ = resources.max_dynamic_port;
  for (const auto& network : resources.networks) {
    if (!network.device.empty()) task_networks_.push_back(network);
  }
  if (node.reserved_resources && !node.reserved_resources->networks.reserved_host_ports.empty()) {
    auto ports = parse_port_ranges(node.reserved_resources->networks.reserved_host_ports);
    if (!ports) return fail(ports.error());
    node_reserved_.merge(*ports);
  }
  for (const auto& network : resources.node_networks) {
    for (const auto& address : network.addresses) {
      host_networks_[address.alias].push_back({address.address, network.device});
      if (address.reserved_ports.empty()) continue;
      auto ports = parse_port_ranges(address.reserved_ports);
      if (!ports) return fail(ports.error());
      used_mutable(address.address).merge(*ports);
    }
  }
  return {};
}

Result<> NetworkIndex::add_ports(const Ports& ports) {
  // Goes on after a collision, so that later questions see everything that is taken.
  std::vector<std::string> reasons;
  for (const auto& port : ports) {
    if (port.value < 0 || port.value >= max_port) {
      reasons.push_back(fmt::format("invalid port {}", port.value));
      return fail(Code::conflict, "[{}]", join(reasons, " "));
    }
    if (!used_mutable(port.host_ip).insert(port.value) && !port.ignore_collision) {
      reasons.push_back(fmt::format("port {} already in use", port.value));
    }
  }
  if (reasons.empty()) return {};
  return fail(Code::conflict, "[{}]", join(reasons, " "));
}

Result<> NetworkIndex::add_network(const model::NetworkResource& network) {
  Ports ports;
  for (const auto* list : {&network.reserved_ports, &network.dynamic_ports}) {
    for (const auto& port : *list) {
      ports.push_back({.label = port.label, .value = port.value, .to = 0, .host_ip = network.ip, .ignore_collision = port.ignore_collision});
    }
  }
  return add_ports(ports);
}

Result<> NetworkIndex::add_alloc(const model::Allocation& alloc) {
  if (alloc.client_status == "complete" || alloc.client_status == "failed" || alloc.client_status == "lost") return {};
  if (!alloc.allocated_resources) return {};
  const auto& resources = *alloc.allocated_resources;
  Result<> first;
  const auto note = [&](Result<> result, const std::string& where) {
    if (!result && first) first = fail(Code::conflict, "collision when reserving port for {}alloc {}: {}", where, alloc.id, result.error().message());
  };
  if (!resources.shared.ports.empty()) {
    note(add_ports(resources.shared.ports), "");
  } else {
    for (const auto& network : resources.shared.networks) note(add_network(network), fmt::format("network {} in ", network.ip));
  }
  for (const auto& [name, task] : resources.tasks) {
    if (!task.networks.empty()) note(add_network(task.networks.front()), fmt::format("network {} in task {} of ", task.networks.front().ip, name));
  }
  return first;
}

Result<std::int64_t> NetworkIndex::pick_dynamic(const PortSet& taken, const std::vector<std::int64_t>& also, Rng& rng) const {
  const auto free = [&](std::int64_t port) { return !taken.contains(port) && std::ranges::find(also, port) == also.end(); };
  if (max_dynamic_ >= min_dynamic_) {
    const auto width = static_cast<std::uint64_t>(max_dynamic_ - min_dynamic_ + 1);
    for (int i = 0; i < random_tries; ++i) {
      const auto port = min_dynamic_ + static_cast<std::int64_t>(rng.below(width));
      if (free(port)) return port;
    }
    for (auto port = min_dynamic_; port <= max_dynamic_; ++port) {
      if (free(port)) return port;
    }
  }
  return fail(Code::resource_exhausted, "dynamic port selection failed");
}

Result<Ports> NetworkIndex::assign_ports(const model::NetworkResource& ask, Rng& rng) const {
  Ports offer;
  // A dynamic port takes no number that the offer holds already, on whatever address.
  std::vector<std::int64_t> in_offer;
  for (const auto& port : ask.reserved_ports) {
    const auto at = host_networks_.find(alias_of(port));
    if (at == host_networks_.end() || at->second.empty()) {
      return fail(Code::resource_exhausted, "no addresses available for {} network", alias_of(port));
    }
    if (port.value < 0 || port.value >= max_port) return fail(Code::invalid_argument, "invalid port {} (out of range)", port.value);
    const Address* chosen = nullptr;
    for (const auto& address : at->second) {
      if (port.ignore_collision || !used(address.ip).contains(port.value)) {
        chosen = &address;
        break;
      }
    }
    if (chosen == nullptr) return fail(Code::resource_exhausted, "reserved port collision {}={}", port.label, port.value);
    in_offer.push_back(port.value);
    offer.push_back({.label = port.label, .value = port.value, .to = port.to, .host_ip = chosen->ip, .ignore_collision = port.ignore_collision});
  }
  for (const auto& port : ask.dynamic_ports) {
    const auto at = host_networks_.find(alias_of(port));
    if (at == host_networks_.end() || at->second.empty()) {
      return fail(Code::resource_exhausted, "no addresses available for {} network", alias_of(port));
    }
    Result<std::int64_t> value = fail(Code::resource_exhausted, "dynamic port selection failed");
    for (const auto& address : at->second) {
      value = pick_dynamic(used(address.ip), in_offer, rng);
      if (!value) continue;
      in_offer.push_back(*value);
      offer.push_back({.label = port.label, .value = *value, .to = port.to == -1 ? *value : port.to, .host_ip = address.ip});
      break;
    }
    if (!value) return fail(value.error());
  }
  return offer;
}

Result<model::NetworkResource> NetworkIndex::assign_task_network(const model::NetworkResource& ask, Rng& rng) const {
  Error reason(Code::resource_exhausted, "no networks available");
  for (const auto& network : task_networks_) {
    const std::string ip = !network.ip.empty() ? network.ip : std::string(split_once(network.cidr, '/').first);
    if (ip.empty() || !in_cidr(ask.cidr, ip)) continue;
    const auto& taken = used(ip);
    bool usable = true;
    std::vector<std::int64_t> also;
    for (const auto& port : ask.reserved_ports) {
      if (port.value < 0 || port.value >= max_port) {
        reason = Error(Code::invalid_argument, fmt::format("invalid port {} (out of range)", port.value));
        usable = false;
      } else if (taken.contains(port.value)) {
        reason = Error(Code::resource_exhausted, fmt::format("reserved port collision {}={}", port.label, port.value));
        usable = false;
      }
      if (!usable) break;
      also.push_back(port.value);
    }
    if (!usable) continue;
    model::NetworkResource offer = ask;
    offer.mode = network.mode;
    offer.device = network.device;
    offer.ip = ip;
    for (auto& port : offer.dynamic_ports) {
      const auto value = pick_dynamic(taken, also, rng);
      if (!value) {
        reason = value.error();
        usable = false;
        break;
      }
      also.push_back(*value);
      port.value = *value;
      if (port.to == -1) port.to = *value;
    }
    if (usable) return offer;
  }
  return fail(reason);
}

model::NetworkResource network_with_ports(const model::NetworkResource& ask, const Ports& ports, const model::Node& node) {
  model::NetworkResource out = ask;
  const auto value_of = [&](std::string_view label) { return std::ranges::find(ports, label, &model::AllocatedPortMapping::label); };
  for (auto* list : {&out.reserved_ports, &out.dynamic_ports}) {
    for (auto& port : *list) {
      if (const auto at = value_of(port.label); at != ports.end()) {
        port.value = at->value;
        port.to = at->to;
      }
    }
  }
  // The address the group is reached at: the device that carries its first port, else the node's first host network.
  if (node.node_resources) {
    for (const auto& network : node.node_resources->node_networks) {
      if (network.mode != "host" || network.addresses.empty()) continue;
      const auto holds = [&](const model::NodeNetworkAddress& address) {
        return ports.empty() || address.address == ports.front().host_ip;
      };
      if (const auto at = std::ranges::find_if(network.addresses, holds); at != network.addresses.end()) {
        out.device = network.device;
        out.ip = at->address;
        break;
      }
    }
  }
  return out;
}

}  // namespace drover::scheduler
