#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include "agent/fingerprint/fingerprint.h"
#include "sdk/base/text.h"

namespace drover::agent {
namespace {

constexpr std::int64_t default_mbits = 1000;

// The interface of the IPv4 default route; empty without one.
std::string default_interface(const Host& host) {
  for (const auto& line : split(host.read("/proc/net/route"), '\n')) {
    std::vector<std::string> fields;
    for (auto& field : split(line, '\t')) fields.push_back(std::string(trim(field)));
    if (fields.size() > 7 && fields[1] == "00000000" && fields[7] == "00000000") return fields[0];
  }
  return {};
}

const Interface* choose(const FingerprintInput& in) {
  const auto named = [&](const std::string& name) -> const Interface* {
    for (const auto& entry : in.host.interfaces) if (entry.name == name) return &entry;
    return nullptr;
  };
  if (const auto& wanted = in.config.client.network_interface; !wanted.empty()) return named(wanted);
  if (const auto* found = named(default_interface(in.host)); found != nullptr) return found;
  for (const auto& entry : in.host.interfaces) if (entry.up && !entry.loopback && !entry.addresses.empty()) return &entry;
  return named("lo");
}

bool link_local(const InterfaceAddress& address) {
  return address.v6 ? to_lower(address.address).starts_with("fe80") : address.address.starts_with("169.254.");
}

// Whether `address` is inside "10.0.0.0/8".
bool inside(const InterfaceAddress& address, std::string_view cidr) {
  const auto [base, length_text] = split_once(trim(cidr), '/');
  const int family = address.v6 ? AF_INET6 : AF_INET;
  unsigned char network[16]{}, own[16]{};
  if (inet_pton(family, std::string(base).c_str(), network) != 1 || inet_pton(family, address.address.c_str(), own) != 1) return false;
  int bits = address.v6 ? 128 : 32;
  std::from_chars(length_text.data(), length_text.data() + length_text.size(), bits);
  for (int i = 0; i < bits; ++i)
    if (((network[i / 8] ^ own[i / 8]) >> (7 - i % 8)) & 1) return false;
  return true;
}

void add_aliases(const FingerprintInput& in, const Interface& entry, const InterfaceAddress& address, bool chosen,
                 model::List<model::NodeNetworkAddress>& out) {
  const auto add = [&](const std::string& alias, const std::string& reserved) {
    model::NodeNetworkAddress made;
    made.family = address.v6 ? "ipv6" : "ipv4";
    made.alias = alias;
    made.address = address.address;
    made.reserved_ports = reserved;
    out.push_back(std::move(made));
  };
  if (chosen) add("default", in.config.client.reserved.reserved_ports);
  std::map<std::string, HostNetworkConfig> networks;  // a later block of the same name wins
  for (const auto& [name, network] : in.config.client.host_networks) networks[name] = network;
  for (const auto& [name, network] : networks) {
    if (!network.interface.empty() && network.interface != entry.name) continue;
    bool matches = network.cidr.empty() && !network.interface.empty();
    if (!network.cidr.empty())
      for (const auto& cidr : split(network.cidr, ',')) matches = matches || inside(address, cidr);
    if (matches) add(name, network.reserved_ports);
  }
}

}  // namespace

void fingerprint_network(const FingerprintInput& in, model::Node& node) {
  const Interface* chosen = choose(in);
  auto& resources = node.node_resources.ensure();
  resources.min_dynamic_port = in.config.client.min_dynamic_port;
  resources.max_dynamic_port = in.config.client.max_dynamic_port;
  node.reserved_resources.ensure().networks.reserved_host_ports = in.config.client.reserved.reserved_ports;
  const bool keep_link_local = [&] {
    const auto at = in.config.client.options.find("fingerprint.network.disallow_link_local");
    return at == in.config.client.options.end() || at->second != "true";
  }();
  for (const auto& entry : in.host.interfaces) {
    const bool is_chosen = &entry == chosen;
    std::int64_t mbits = in.config.client.network_speed;
    if (mbits == 0) mbits = std::atoll(in.host.read("/sys/class/net/" + entry.name + "/speed").c_str());
    if (mbits <= 0) mbits = default_mbits;
    const bool global = std::any_of(entry.addresses.begin(), entry.addresses.end(), [](const auto& a) { return !link_local(a); });
    model::NodeNetworkResource made;
    made.mode = "host";
    made.device = entry.name;
    made.mac_address = entry.mac;
    made.speed = mbits;
    for (const auto& address : entry.addresses) {
      if (link_local(address) && (global || !keep_link_local)) continue;
      add_aliases(in, entry, address, is_chosen, made.addresses);
      if (!is_chosen) continue;
      model::NetworkResource network;
      network.mode = "host";
      network.device = entry.name;
      network.ip = address.address;
      network.cidr = fmt::format("{}/{}", address.address, address.v6 ? 128 : 32);
      network.m_bits = mbits;
      resources.networks.push_back(std::move(network));
      if (node.attributes.get("unique.network.ip-address") == nullptr) node.attributes["unique.network.ip-address"] = address.address;
    }
    if (!made.addresses.empty()) resources.node_networks.push_back(std::move(made));
  }
  for (const auto& [name, network] : in.config.client.host_networks) {
    model::ClientHostNetworkConfig made;
    made.name = name;
    made.cidr = network.cidr;
    made.interface = network.interface;
    made.reserved_ports = network.reserved_ports;
    node.host_networks[name] = std::move(made);
  }
}

}  // namespace drover::agent
