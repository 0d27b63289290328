// A client node as the servers see it.
// Field names, types and order are wire facts (HTTP API contract, appendix A); `describe` lists each once.
#pragma once

#include <memory>
#include <string>

#include "lib/model/types.h"
#include "lib/model/node_resources.h"

namespace drover::model {

struct ClientHostVolumeConfig {
  std::string name;
  std::string path;
  bool read_only = false;
  std::string id;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Name", self.name);
    v("Path", self.path);
    v("ReadOnly", self.read_only);
    v("ID", self.id);
  }
  friend bool operator==(const ClientHostVolumeConfig&, const ClientHostVolumeConfig&) = default;
};

struct DrainMetadata {
  Time started_at;
  Time updated_at;
  std::string status;
  std::string accessor_id;
  Map<std::string> meta;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("StartedAt", self.started_at);
    v("UpdatedAt", self.updated_at);
    v("Status", self.status);
    v("AccessorID", self.accessor_id);
    v("Meta", self.meta);
  }
  friend bool operator==(const DrainMetadata&, const DrainMetadata&) = default;
};

struct DriverInfo {
  Map<std::string> attributes;
  bool detected = false;
  bool healthy = false;
  std::string health_description;
  Time update_time;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Attributes", self.attributes);
    v("Detected", self.detected);
    v("Healthy", self.healthy);
    v("HealthDescription", self.health_description);
    v("UpdateTime", self.update_time);
  }
  friend bool operator==(const DriverInfo&, const DriverInfo&) = default;
};

struct NodeListStub {
  std::string address;
  std::string id;
  Map<std::string> attributes;
  std::string datacenter;
  std::string name;
  std::string node_pool;
  std::string node_class;
  std::string version;
  bool drain = false;
  std::string scheduling_eligibility;
  std::string status;
  std::string status_description;
  Map<DriverInfo> drivers;
  Map<ClientHostVolumeConfig> host_volumes;
  Box<NodeResources> node_resources;
  Box<NodeReservedResources> reserved_resources;
  Box<DrainMetadata> last_drain;
  std::uint64_t create_index = 0;
  std::uint64_t modify_index = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Address", self.address);
    v("ID", self.id);
    v("Attributes", self.attributes, omit_empty);
    v("Datacenter", self.datacenter);
    v("Name", self.name);
    v("NodePool", self.node_pool);
    v("NodeClass", self.node_class);
    v("Version", self.version);
    v("Drain", self.drain);
    v("SchedulingEligibility", self.scheduling_eligibility);
    v("Status", self.status);
    v("StatusDescription", self.status_description);
    v("Drivers", self.drivers);
    v("HostVolumes", self.host_volumes);
    v("NodeResources", self.node_resources, omit_empty);
    v("ReservedResources", self.reserved_resources, omit_empty);
    v("LastDrain", self.last_drain);
    v("CreateIndex", self.create_index);
    v("ModifyIndex", self.modify_index);
  }
  friend bool operator==(const NodeListStub&, const NodeListStub&) = default;
};

struct DrainSpec {
  Duration deadline{};
  bool ignore_system_jobs = false;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Deadline", self.deadline);
    v("IgnoreSystemJobs", self.ignore_system_jobs);
  }
  friend bool operator==(const DrainSpec&, const DrainSpec&) = default;
};

struct DrainStrategy : DrainSpec {
  Time force_deadline;
  Time started_at;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    DrainSpec::describe(self, v);
    v("ForceDeadline", self.force_deadline);
    v("StartedAt", self.started_at);
  }
  friend bool operator==(const DrainStrategy&, const DrainStrategy&) = default;
};

struct CSITopology {
  Map<std::string> segments;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Segments", self.segments);
  }
  friend bool operator==(const CSITopology&, const CSITopology&) = default;
};

struct NodePoolSchedulerConfiguration {
  std::string scheduler_algorithm;
  std::optional<bool> memory_oversubscription_enabled;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("SchedulerAlgorithm", self.scheduler_algorithm);
    v("MemoryOversubscriptionEnabled", self.memory_oversubscription_enabled);
  }
  friend bool operator==(const NodePoolSchedulerConfiguration&, const NodePoolSchedulerConfiguration&) = default;
};

struct CSINodeInfo {
  std::string id;
  std::int64_t max_volumes = 0;
  Box<CSITopology> accessible_topology;
  bool requires_node_stage_volume = false;
  bool supports_stats = false;
  bool supports_expand = false;
  bool supports_condition = false;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("ID", self.id);
    v("MaxVolumes", self.max_volumes);
    v("AccessibleTopology", self.accessible_topology);
    v("RequiresNodeStageVolume", self.requires_node_stage_volume);
    v("SupportsStats", self.supports_stats);
    v("SupportsExpand", self.supports_expand);
    v("SupportsCondition", self.supports_condition);
  }
  friend bool operator==(const CSINodeInfo&, const CSINodeInfo&) = default;
};

struct ClientHostNetworkConfig {
  std::string name;
  std::string cidr;
  std::string interface;
  std::string reserved_ports;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Name", self.name);
    v("CIDR", self.cidr);
    v("Interface", self.interface);
    v("ReservedPorts", self.reserved_ports);
  }
  friend bool operator==(const ClientHostNetworkConfig&, const ClientHostNetworkConfig&) = default;
};

struct CSIControllerInfo {
  bool supports_read_only_attach = false;
  bool supports_attach_detach = false;
  bool supports_list_volumes = false;
  bool supports_list_volumes_attached_nodes = false;
  bool supports_expand = false;
  bool supports_create_delete = false;
  bool supports_create_delete_snapshot = false;
  bool supports_list_snapshots = false;
  bool supports_clone = false;
  bool supports_get = false;
  bool supports_get_volume = false;
  bool supports_condition = false;
  bool supports_volume_expansion = false;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("SupportsReadOnlyAttach", self.supports_read_only_attach);
    v("SupportsAttachDetach", self.supports_attach_detach);
    v("SupportsListVolumes", self.supports_list_volumes);
    v("SupportsListVolumesAttachedNodes", self.supports_list_volumes_attached_nodes);
    v("SupportsExpand", self.supports_expand);
    v("SupportsCreateDelete", self.supports_create_delete);
    v("SupportsCreateDeleteSnapshot", self.supports_create_delete_snapshot);
    v("SupportsListSnapshots", self.supports_list_snapshots);
    v("SupportsClone", self.supports_clone);
    v("SupportsGet", self.supports_get);
    v("SupportsGetVolume", self.supports_get_volume);
    v("SupportsCondition", self.supports_condition);
    v("SupportsVolumeExpansion", self.supports_volume_expansion);
  }
  friend bool operator==(const CSIControllerInfo&, const CSIControllerInfo&) = default;
};

struct CSIInfo {
  std::string plugin_id;
  std::string alloc_id;
  bool healthy = false;
  std::string health_description;
  Time update_time;
  bool requires_controller_plugin = false;
  bool requires_topologies = false;
  Box<CSIControllerInfo> controller_info;
  Box<CSINodeInfo> node_info;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("PluginID", self.plugin_id);
    v("AllocID", self.alloc_id);
    v("Healthy", self.healthy);
    v("HealthDescription", self.health_description);
    v("UpdateTime", self.update_time);
    v("RequiresControllerPlugin", self.requires_controller_plugin);
    v("RequiresTopologies", self.requires_topologies);
    v("ControllerInfo", self.controller_info, omit_empty);
    v("NodeInfo", self.node_info, omit_empty);
  }
  friend bool operator==(const CSIInfo&, const CSIInfo&) = default;
};

// Of a pool that says nothing else.
inline constexpr Duration default_node_identity_ttl = std::chrono::hours(24);

struct NodePool {
  std::string name;
  std::string description;
  Map<std::string> meta;
  Box<NodePoolSchedulerConfiguration> scheduler_configuration;
  Duration node_identity_ttl{};
  Bytes hash;
  std::uint64_t create_index = 0;
  std::uint64_t modify_index = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Name", self.name);
    v("Description", self.description);
    v("Meta", self.meta);
    v("SchedulerConfiguration", self.scheduler_configuration);
    v("NodeIdentityTTL", self.node_identity_ttl);
    v("Hash", self.hash);
    v("CreateIndex", self.create_index);
    v("ModifyIndex", self.modify_index);
  }
  friend bool operator==(const NodePool&, const NodePool&) = default;
};

struct NodeEvent {
  std::string message;
  std::string subsystem;
  Map<std::string> details;
  Time timestamp;
  std::uint64_t create_index = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Message", self.message);
    v("Subsystem", self.subsystem);
    v("Details", self.details);
    v("Timestamp", self.timestamp);
    v("CreateIndex", self.create_index);
  }
  friend bool operator==(const NodeEvent&, const NodeEvent&) = default;
};

struct Node {
  std::string id;
  std::string secret_id;
  std::string datacenter;
  std::string name;
  std::string cgroup_parent;
  std::string http_addr;
  bool tls_enabled = false;
  Map<std::string> attributes;
  Box<NodeResources> node_resources;
  Box<NodeReservedResources> reserved_resources;
  Map<std::string> links;
  Map<std::string> meta;
  std::string node_class;
  std::string node_pool;
  std::string computed_class;
  Box<DrainStrategy> drain_strategy;
  std::string scheduling_eligibility;
  std::string status;
  std::string status_description;
  std::string identity_signing_key_id;
  std::int64_t status_updated_at = 0;
  List<NodeEvent> events;
  Map<DriverInfo> drivers;
  Map<CSIInfo> csi_controller_plugins;
  Map<CSIInfo> csi_node_plugins;
  Map<ClientHostVolumeConfig> host_volumes;
  bool gc_volumes_on_node_gc = false;
  Map<ClientHostNetworkConfig> host_networks;
  Box<DrainMetadata> last_drain;
  std::int64_t node_max_allocs = 0;
  std::uint64_t last_missed_heartbeat_index = 0;
  std::uint64_t last_alloc_update_index = 0;
  std::uint64_t create_index = 0;
  std::uint64_t modify_index = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("ID", self.id);
    v("SecretID", self.secret_id);
    v("Datacenter", self.datacenter);
    v("Name", self.name);
    v("CgroupParent", self.cgroup_parent);
    v("HTTPAddr", self.http_addr);
    v("TLSEnabled", self.tls_enabled);
    v("Attributes", self.attributes);
    v("NodeResources", self.node_resources);
    v("ReservedResources", self.reserved_resources);
    v("Links", self.links);
    v("Meta", self.meta);
    v("NodeClass", self.node_class);
    v("NodePool", self.node_pool);
    v("ComputedClass", self.computed_class);
    v("DrainStrategy", self.drain_strategy);
    v("SchedulingEligibility", self.scheduling_eligibility);
    v("Status", self.status);
    v("StatusDescription", self.status_description);
    v("IdentitySigningKeyID", self.identity_signing_key_id);
    v("StatusUpdatedAt", self.status_updated_at);
    v("Events", self.events);
    v("Drivers", self.drivers);
    v("CSIControllerPlugins", self.csi_controller_plugins);
    v("CSINodePlugins", self.csi_node_plugins);
    v("HostVolumes", self.host_volumes);
    v("GCVolumesOnNodeGC", self.gc_volumes_on_node_gc);
    v("HostNetworks", self.host_networks);
    v("LastDrain", self.last_drain);
    v("NodeMaxAllocs", self.node_max_allocs);
    v("LastMissedHeartbeatIndex", self.last_missed_heartbeat_index);
    v("LastAllocUpdateIndex", self.last_alloc_update_index);
    v("CreateIndex", self.create_index);
    v("ModifyIndex", self.modify_index);
  }
  friend bool operator==(const Node&, const Node&) = default;
};

}  // namespace drover::model
