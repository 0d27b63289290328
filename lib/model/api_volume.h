// Host volumes and variables.
// Field names, types and order are wire facts (HTTP API contract, appendix A); `describe` lists each once.
#pragma once

#include <memory>
#include <string>

#include "lib/model/types.h"
#include "lib/model/alloc.h"
#include "lib/model/constraint.h"
#include "lib/model/query.h"

namespace drover::model {

struct ClientHostVolumeCreateRequest {
  std::string id;
  std::string name;
  std::string plugin_id;
  std::string namespace_;
  std::string node_id;
  std::int64_t requested_capacity_min_bytes = 0;
  std::int64_t requested_capacity_max_bytes = 0;
  Map<std::string> parameters;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("ID", self.id);
    v("Name", self.name);
    v("PluginID", self.plugin_id);
    v("Namespace", self.namespace_);
    v("NodeID", self.node_id);
    v("RequestedCapacityMinBytes", self.requested_capacity_min_bytes);
    v("RequestedCapacityMaxBytes", self.requested_capacity_max_bytes);
    v("Parameters", self.parameters);
  }
  friend bool operator==(const ClientHostVolumeCreateRequest&, const ClientHostVolumeCreateRequest&) = default;
};

struct HostVolumeCapability {
  std::string attachment_mode;
  std::string access_mode;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("AttachmentMode", self.attachment_mode);
    v("AccessMode", self.access_mode);
  }
  friend bool operator==(const HostVolumeCapability&, const HostVolumeCapability&) = default;
};

struct HostVolume {
  std::string namespace_;
  std::string id;
  std::string name;
  std::string plugin_id;
  std::string node_pool;
  std::string node_id;
  List<Constraint> constraints;
  std::int64_t requested_capacity_min_bytes = 0;
  std::int64_t requested_capacity_max_bytes = 0;
  std::int64_t capacity_bytes = 0;
  List<HostVolumeCapability> requested_capabilities;
  Map<std::string> parameters;
  std::string host_path;
  std::string state;
  std::uint64_t create_index = 0;
  std::int64_t create_time = 0;
  std::uint64_t modify_index = 0;
  std::int64_t modify_time = 0;
  List<AllocListStub> allocations;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Namespace", self.namespace_);
    v("ID", self.id);
    v("Name", self.name);
    v("PluginID", self.plugin_id);
    v("NodePool", self.node_pool);
    v("NodeID", self.node_id);
    v("Constraints", self.constraints, omit_empty);
    v("RequestedCapacityMinBytes", self.requested_capacity_min_bytes);
    v("RequestedCapacityMaxBytes", self.requested_capacity_max_bytes);
    v("CapacityBytes", self.capacity_bytes);
    v("RequestedCapabilities", self.requested_capabilities);
    v("Parameters", self.parameters, omit_empty);
    v("HostPath", self.host_path);
    v("State", self.state);
    v("CreateIndex", self.create_index);
    v("CreateTime", self.create_time);
    v("ModifyIndex", self.modify_index);
    v("ModifyTime", self.modify_time);
    v("Allocations", self.allocations, omit_empty);
  }
  friend bool operator==(const HostVolume&, const HostVolume&) = default;
};

struct HostVolumeCreateRequest : WriteRequest {
  Box<HostVolume> volume;
  bool policy_override = false;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    WriteRequest::describe(self, v);
    v("Volume", self.volume);
    v("PolicyOverride", self.policy_override);
  }
  friend bool operator==(const HostVolumeCreateRequest&, const HostVolumeCreateRequest&) = default;
};

struct HostVolumeCreateResponse : WriteMeta {
  Box<HostVolume> volume;
  std::string warnings;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    WriteMeta::describe(self, v);
    v("Volume", self.volume);
    v("Warnings", self.warnings);
  }
  friend bool operator==(const HostVolumeCreateResponse&, const HostVolumeCreateResponse&) = default;
};

struct HostVolumeDeleteResponse : WriteMeta {

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    WriteMeta::describe(self, v);
  }
  friend bool operator==(const HostVolumeDeleteResponse&, const HostVolumeDeleteResponse&) = default;
};

struct HostVolumeRegisterRequest : WriteRequest {
  Box<HostVolume> volume;
  bool policy_override = false;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    WriteRequest::describe(self, v);
    v("Volume", self.volume);
    v("PolicyOverride", self.policy_override);
  }
  friend bool operator==(const HostVolumeRegisterRequest&, const HostVolumeRegisterRequest&) = default;
};

struct HostVolumeRegisterResponse : WriteMeta {
  Box<HostVolume> volume;
  std::string warnings;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    WriteMeta::describe(self, v);
    v("Volume", self.volume);
    v("Warnings", self.warnings);
  }
  friend bool operator==(const HostVolumeRegisterResponse&, const HostVolumeRegisterResponse&) = default;
};

struct HostVolumeState {
  std::string id;
  std::string host_path;
  Box<ClientHostVolumeCreateRequest> create_req;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("ID", self.id);
    v("HostPath", self.host_path);
    v("CreateReq", self.create_req);
  }
  friend bool operator==(const HostVolumeState&, const HostVolumeState&) = default;
};

struct HostVolumeStub {
  std::string namespace_;
  std::string id;
  std::string name;
  std::string plugin_id;
  std::string node_pool;
  std::string node_id;
  std::int64_t capacity_bytes = 0;
  std::string state;
  std::uint64_t create_index = 0;
  std::int64_t create_time = 0;
  std::uint64_t modify_index = 0;
  std::int64_t modify_time = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Namespace", self.namespace_);
    v("ID", self.id);
    v("Name", self.name);
    v("PluginID", self.plugin_id);
    v("NodePool", self.node_pool);
    v("NodeID", self.node_id);
    v("CapacityBytes", self.capacity_bytes);
    v("State", self.state);
    v("CreateIndex", self.create_index);
    v("CreateTime", self.create_time);
    v("ModifyIndex", self.modify_index);
    v("ModifyTime", self.modify_time);
  }
  friend bool operator==(const HostVolumeStub&, const HostVolumeStub&) = default;
};

struct TaskGroupHostVolumeClaim {
  std::string id;
  std::string namespace_;
  std::string job_id;
  std::string task_group_name;
  std::string alloc_id;
  std::string volume_id;
  std::string volume_name;
  std::uint64_t create_index = 0;
  std::uint64_t modify_index = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("ID", self.id);
    v("Namespace", self.namespace_);
    v("JobID", self.job_id);
    v("TaskGroupName", self.task_group_name);
    v("AllocID", self.alloc_id);
    v("VolumeID", self.volume_id);
    v("VolumeName", self.volume_name);
    v("CreateIndex", self.create_index);
    v("ModifyIndex", self.modify_index);
  }
  friend bool operator==(const TaskGroupHostVolumeClaim&, const TaskGroupHostVolumeClaim&) = default;
};

struct VariableLock {
  std::string id;
  Duration ttl{};
  Duration lock_delay{};

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("ID", self.id);
    v("TTL", self.ttl);
    v("LockDelay", self.lock_delay);
  }
  friend bool operator==(const VariableLock&, const VariableLock&) = default;
};

struct VariableMetadata {
  std::string namespace_;
  std::string path;
  Box<VariableLock> lock;
  std::uint64_t create_index = 0;
  std::int64_t create_time = 0;
  std::uint64_t modify_index = 0;
  std::int64_t modify_time = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Namespace", self.namespace_);
    v("Path", self.path);
    v("Lock", self.lock, omit_empty);
    v("CreateIndex", self.create_index);
    v("CreateTime", self.create_time);
    v("ModifyIndex", self.modify_index);
    v("ModifyTime", self.modify_time);
  }
  friend bool operator==(const VariableMetadata&, const VariableMetadata&) = default;
};

struct VariableDecrypted : VariableMetadata {
  Map<std::string> items;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    VariableMetadata::describe(self, v);
    v("Items", self.items, omit_empty);
  }
  friend bool operator==(const VariableDecrypted&, const VariableDecrypted&) = default;
};

}  // namespace drover::model
