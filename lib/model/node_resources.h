// What a node has and what of it is reserved.
// Field names, types and order are wire facts (HTTP API contract, appendix A); `describe` lists each once.
#pragma once

#include <memory>
#include <string>

#include "lib/model/types.h"
#include "lib/model/network.h"

namespace drover::model {

struct NodeNetworkAddress {
  std::string family;
  std::string alias;
  std::string address;
  std::string reserved_ports;
  std::string gateway;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Family", self.family);
    v("Alias", self.alias);
    v("Address", self.address);
    v("ReservedPorts", self.reserved_ports);
    v("Gateway", self.gateway);
  }
  friend bool operator==(const NodeNetworkAddress&, const NodeNetworkAddress&) = default;
};

struct NumaCore {
  std::uint32_t socket_id = 0;
  std::uint32_t node_id = 0;
  std::uint16_t id = 0;
  std::string grade;
  bool disable = false;
  std::uint64_t base_speed = 0;
  std::uint64_t max_speed = 0;
  std::uint64_t guess_speed = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("SocketID", self.socket_id);
    v("NodeID", self.node_id);
    v("ID", self.id);
    v("Grade", self.grade);
    v("Disable", self.disable);
    v("BaseSpeed", self.base_speed);
    v("MaxSpeed", self.max_speed);
    v("GuessSpeed", self.guess_speed);
  }
  friend bool operator==(const NumaCore&, const NumaCore&) = default;
};

struct NumaTopology {
  List<std::uint32_t> node_ids;
  List<List<std::uint64_t>> distances;
  List<NumaCore> cores;
  std::uint64_t override_total_compute = 0;
  std::uint64_t override_withold_compute = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Nodes", self.node_ids);
    v("Distances", self.distances);
    v("Cores", self.cores);
    v("OverrideTotalCompute", self.override_total_compute);
    v("OverrideWitholdCompute", self.override_withold_compute);
  }
  friend bool operator==(const NumaTopology&, const NumaTopology&) = default;
};

struct NodeProcessorResources {
  Box<NumaTopology> topology;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Topology", self.topology);
  }
  friend bool operator==(const NodeProcessorResources&, const NodeProcessorResources&) = default;
};

struct NodeDeviceLocality {
  std::string pci_bus_id;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("PciBusID", self.pci_bus_id);
  }
  friend bool operator==(const NodeDeviceLocality&, const NodeDeviceLocality&) = default;
};

struct NodeDevice {
  std::string id;
  bool healthy = false;
  std::string health_description;
  Box<NodeDeviceLocality> locality;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("ID", self.id);
    v("Healthy", self.healthy);
    v("HealthDescription", self.health_description);
    v("Locality", self.locality);
  }
  friend bool operator==(const NodeDevice&, const NodeDevice&) = default;
};

struct NodeNetworkResource {
  std::string mode;
  std::string device;
  std::string mac_address;
  std::int64_t speed = 0;
  List<NodeNetworkAddress> addresses;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Mode", self.mode);
    v("Device", self.device);
    v("MacAddress", self.mac_address);
    v("Speed", self.speed);
    v("Addresses", self.addresses);
  }
  friend bool operator==(const NodeNetworkResource&, const NodeNetworkResource&) = default;
};

struct Attribute {
  std::optional<double> float_;
  std::optional<std::int64_t> int_;
  std::optional<std::string> string;
  std::optional<bool> bool_;
  std::string unit;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Float", self.float_);
    v("Int", self.int_);
    v("String", self.string);
    v("Bool", self.bool_);
    v("Unit", self.unit);
  }
  friend bool operator==(const Attribute&, const Attribute&) = default;
};

struct NodeDeviceResource {
  std::string vendor;
  std::string type;
  std::string name;
  List<NodeDevice> instances;
  Map<Attribute> attributes;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Vendor", self.vendor);
    v("Type", self.type);
    v("Name", self.name);
    v("Instances", self.instances);
    v("Attributes", self.attributes);
  }
  friend bool operator==(const NodeDeviceResource&, const NodeDeviceResource&) = default;
};

struct NodeReservedMemoryResources {
  std::int64_t memory_mb = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("MemoryMB", self.memory_mb);
  }
  friend bool operator==(const NodeReservedMemoryResources&, const NodeReservedMemoryResources&) = default;
};

struct NodeReservedDiskResources {
  std::int64_t disk_mb = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("DiskMB", self.disk_mb);
  }
  friend bool operator==(const NodeReservedDiskResources&, const NodeReservedDiskResources&) = default;
};

struct NodeReservedNetworkResources {
  std::string reserved_host_ports;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("ReservedHostPorts", self.reserved_host_ports);
  }
  friend bool operator==(const NodeReservedNetworkResources&, const NodeReservedNetworkResources&) = default;
};

struct LegacyNodeCpuResources {
  std::int64_t cpu_shares = 0;
  std::uint16_t total_cpu_cores = 0;
  List<std::uint16_t> reservable_cpu_cores;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("CpuShares", self.cpu_shares);
    v("TotalCpuCores", self.total_cpu_cores);
    v("ReservableCpuCores", self.reservable_cpu_cores);
  }
  friend bool operator==(const LegacyNodeCpuResources&, const LegacyNodeCpuResources&) = default;
};

struct NodeReservedCpuResources {
  std::int64_t cpu_shares = 0;
  List<std::uint16_t> reserved_cpu_cores;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("CpuShares", self.cpu_shares);
    v("ReservedCpuCores", self.reserved_cpu_cores);
  }
  friend bool operator==(const NodeReservedCpuResources&, const NodeReservedCpuResources&) = default;
};

struct NodeMemoryResources {
  std::int64_t memory_mb = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("MemoryMB", self.memory_mb);
  }
  friend bool operator==(const NodeMemoryResources&, const NodeMemoryResources&) = default;
};

struct NodeReservedResources {
  NodeReservedCpuResources cpu;
  NodeReservedMemoryResources memory;
  NodeReservedDiskResources disk;
  NodeReservedNetworkResources networks;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Cpu", self.cpu);
    v("Memory", self.memory);
    v("Disk", self.disk);
    v("Networks", self.networks);
  }
  friend bool operator==(const NodeReservedResources&, const NodeReservedResources&) = default;
};

struct NodeDiskResources {
  std::int64_t disk_mb = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("DiskMB", self.disk_mb);
  }
  friend bool operator==(const NodeDiskResources&, const NodeDiskResources&) = default;
};

struct NodeResources {
  LegacyNodeCpuResources cpu;
  NodeProcessorResources processors;
  NodeMemoryResources memory;
  NodeDiskResources disk;
  List<NodeDeviceResource> devices;
  List<NodeNetworkResource> node_networks;
  List<NetworkResource> networks;
  std::int64_t min_dynamic_port = 0;
  std::int64_t max_dynamic_port = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Cpu", self.cpu);
    v("Processors", self.processors);
    v("Memory", self.memory);
    v("Disk", self.disk);
    v("Devices", self.devices);
    v("NodeNetworks", self.node_networks);
    v("Networks", self.networks);
    v("MinDynamicPort", self.min_dynamic_port);
    v("MaxDynamicPort", self.max_dynamic_port);
  }
  friend bool operator==(const NodeResources&, const NodeResources&) = default;
};

}  // namespace drover::model
