// Which ports of a node are taken, and choosing those of a new allocation (server contract 15).
//
// Fill it with set_node, then every allocation that holds ports, then ask. Static ports are taken per address; dynamic ones
// come from the node's range, 20 random tries first and the lowest free one after that. A value: copy it to try something out.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lib/model/alloc.h"
#include "lib/model/node.h"
#include "sdk/base/clock.h"
#include "server/scheduler/fit/port_set.h"

namespace drover::scheduler {

using Ports = model::List<model::AllocatedPortMapping>;

class NetworkIndex {
 public:
  // Ports above this are refused.
  static constexpr std::int64_t max_port = 65536;

  [[nodiscard]] Result<> set_node(const model::Node& node);
  // Reserves what the allocation holds; the text says what collided. Allocations that the client is done with hold nothing.
  [[nodiscard]] Result<> add_alloc(const model::Allocation& alloc);
  [[nodiscard]] Result<> add_ports(const Ports& ports);
  [[nodiscard]] Result<> add_network(const model::NetworkResource& network);
  // The group's network.
  [[nodiscard]] Result<Ports> assign_ports(const model::NetworkResource& ask, Rng& rng) const;
  // A task's own network (the form before group networks).
  [[nodiscard]] Result<model::NetworkResource> assign_task_network(const model::NetworkResource& ask, Rng& rng) const;

 private:
  struct Address {
    std::string ip;
    std::string device;
  };
  [[nodiscard]] Result<std::int64_t> pick_dynamic(const PortSet& used, const std::vector<std::int64_t>& also, Rng& rng) const;
  [[nodiscard]] const PortSet& used(const std::string& ip) const;
  PortSet& used_mutable(const std::string& ip);

  std::map<std::string, std::vector<Address>, std::less<>> host_networks_;  // alias -> addresses in node order
  std::vector<model::NetworkResource> task_networks_;
  std::map<std::string, PortSet, std::less<>> used_;  // by address
  PortSet node_reserved_;                             // what every address starts with
  std::int64_t min_dynamic_ = 20000;
  std::int64_t max_dynamic_ = 32000;
};

// The group network with the chosen ports filled in, as stored in Shared.Networks.
[[nodiscard]] model::NetworkResource network_with_ports(const model::NetworkResource& ask, const Ports& ports,
                                                       const model::Node& node);

}  // namespace drover::scheduler
