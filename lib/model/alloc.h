// An allocation: one task group placed on one node, with its states and metrics.
// Field names, types and order are wire facts (HTTP API contract, appendix A); `describe` lists each once.
#pragma once

#include <memory>
#include <string>

#include "lib/model/types.h"
#include "lib/model/job.h"
#include "lib/model/network.h"
#include "lib/model/resources.h"
#include "lib/model/task.h"

namespace drover::model {

struct AllocatedMemoryResources {
  std::int64_t memory_mb = 0;
  std::int64_t memory_max_mb = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("MemoryMB", self.memory_mb);
    v("MemoryMaxMB", self.memory_max_mb);
  }
  friend bool operator==(const AllocatedMemoryResources&, const AllocatedMemoryResources&) = default;
};

struct TaskEvent {
  std::string type;
  std::int64_t time = 0;
  std::string message;
  std::string display_message;
  Map<std::string> details;
  bool fails_task = false;
  std::string restart_reason;
  std::string setup_error;
  std::string driver_error;
  std::int64_t exit_code = 0;
  std::int64_t signal = 0;
  Duration kill_timeout{};
  std::string kill_error;
  std::string kill_reason;
  std::int64_t start_delay = 0;
  std::string download_error;
  std::string validation_error;
  std::int64_t disk_limit = 0;
  std::string failed_sibling;
  std::string vault_error;
  std::string task_signal_reason;
  std::string task_signal;
  std::string driver_message;
  std::string generic_source;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Type", self.type);
    v("Time", self.time);
    v("Message", self.message);
    v("DisplayMessage", self.display_message);
    v("Details", self.details);
    v("FailsTask", self.fails_task);
    v("RestartReason", self.restart_reason);
    v("SetupError", self.setup_error);
    v("DriverError", self.driver_error);
    v("ExitCode", self.exit_code);
    v("Signal", self.signal);
    v("KillTimeout", self.kill_timeout);
    v("KillError", self.kill_error);
    v("KillReason", self.kill_reason);
    v("StartDelay", self.start_delay);
    v("DownloadError", self.download_error);
    v("ValidationError", self.validation_error);
    v("DiskLimit", self.disk_limit);
    v("FailedSibling", self.failed_sibling);
    v("VaultError", self.vault_error);
    v("TaskSignalReason", self.task_signal_reason);
    v("TaskSignal", self.task_signal);
    v("DriverMessage", self.driver_message);
    v("GenericSource", self.generic_source);
  }
  friend bool operator==(const TaskEvent&, const TaskEvent&) = default;
};

struct AllocDeploymentStatus {
  std::optional<bool> healthy;
  Time timestamp;
  bool canary = false;
  std::uint64_t modify_index = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Healthy", self.healthy);
    v("Timestamp", self.timestamp);
    v("Canary", self.canary);
    v("ModifyIndex", self.modify_index);
  }
  friend bool operator==(const AllocDeploymentStatus&, const AllocDeploymentStatus&) = default;
};

struct AllocatedSharedResources {
  List<NetworkResource> networks;
  std::int64_t disk_mb = 0;
  List<AllocatedPortMapping> ports;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Networks", self.networks);
    v("DiskMB", self.disk_mb);
    v("Ports", self.ports);
  }
  friend bool operator==(const AllocatedSharedResources&, const AllocatedSharedResources&) = default;
};

struct AllocatedCpuResources {
  std::int64_t cpu_shares = 0;
  List<std::uint16_t> reserved_cores;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("CpuShares", self.cpu_shares);
    v("ReservedCores", self.reserved_cores);
  }
  friend bool operator==(const AllocatedCpuResources&, const AllocatedCpuResources&) = default;
};

struct AllocatedDeviceResource {
  std::string vendor;
  std::string type;
  std::string name;
  List<std::string> device_ids;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Vendor", self.vendor);
    v("Type", self.type);
    v("Name", self.name);
    v("DeviceIDs", self.device_ids);
  }
  friend bool operator==(const AllocatedDeviceResource&, const AllocatedDeviceResource&) = default;
};

struct AllocatedTaskResources {
  AllocatedCpuResources cpu;
  AllocatedMemoryResources memory;
  List<NetworkResource> networks;
  List<AllocatedDeviceResource> devices;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Cpu", self.cpu);
    v("Memory", self.memory);
    v("Networks", self.networks);
    v("Devices", self.devices);
  }
  friend bool operator==(const AllocatedTaskResources&, const AllocatedTaskResources&) = default;
};

struct AllocatedResources {
  Map<AllocatedTaskResources> tasks;
  Map<TaskLifecycleConfig> task_lifecycles;
  AllocatedSharedResources shared;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Tasks", self.tasks);
    v("TaskLifecycles", self.task_lifecycles);
    v("Shared", self.shared);
  }
  friend bool operator==(const AllocatedResources&, const AllocatedResources&) = default;
};

struct DesiredTransition {
  std::optional<bool> migrate;
  std::optional<bool> reschedule;
  std::optional<bool> force_reschedule;
  std::optional<bool> no_shutdown_delay;
  std::optional<bool> migrate_disable_placement;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Migrate", self.migrate);
    v("Reschedule", self.reschedule);
    v("ForceReschedule", self.force_reschedule);
    v("NoShutdownDelay", self.no_shutdown_delay);
    v("MigrateDisablePlacement", self.migrate_disable_placement);
  }
  friend bool operator==(const DesiredTransition&, const DesiredTransition&) = default;
};

struct RescheduleEvent {
  std::int64_t reschedule_time = 0;
  std::string prev_alloc_id;
  std::string prev_node_id;
  Duration delay{};

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("RescheduleTime", self.reschedule_time);
    v("PrevAllocID", self.prev_alloc_id);
    v("PrevNodeID", self.prev_node_id);
    v("Delay", self.delay);
  }
  friend bool operator==(const RescheduleEvent&, const RescheduleEvent&) = default;
};

struct RescheduleTracker {
  List<RescheduleEvent> events;
  std::string last_reschedule;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Events", self.events);
    v("LastReschedule", self.last_reschedule);
  }
  friend bool operator==(const RescheduleTracker&, const RescheduleTracker&) = default;
};

struct TaskState {
  std::string state;
  bool failed = false;
  std::uint64_t restarts = 0;
  Time last_restart;
  Time started_at;
  Time finished_at;
  List<TaskEvent> events;
  std::string paused;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("State", self.state);
    v("Failed", self.failed);
    v("Restarts", self.restarts);
    v("LastRestart", self.last_restart, null_zero);
    v("StartedAt", self.started_at, null_zero);
    v("FinishedAt", self.finished_at, null_zero);
    v("Events", self.events);
    v("Paused", self.paused);
  }
  friend bool operator==(const TaskState&, const TaskState&) = default;
};

struct AllocListStub {
  std::string id;
  std::string eval_id;
  std::string name;
  std::string namespace_;
  std::string node_id;
  std::string node_name;
  std::string job_id;
  std::string job_type;
  std::uint64_t job_version = 0;
  std::string task_group;
  Box<AllocatedResources> allocated_resources;
  std::string desired_status;
  std::string desired_description;
  std::string client_status;
  std::string client_description;
  DesiredTransition desired_transition;
  std::shared_ptr<const Map<TaskState>> task_states;  // shared with the allocation
  Box<AllocDeploymentStatus> deployment_status;
  std::string followup_eval_id;
  std::string next_allocation;
  Box<RescheduleTracker> reschedule_tracker;
  List<std::string> preempted_allocations;
  std::string preempted_by_allocation;
  std::uint64_t create_index = 0;
  std::uint64_t modify_index = 0;
  std::int64_t create_time = 0;
  std::int64_t modify_time = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("ID", self.id);
    v("EvalID", self.eval_id);
    v("Name", self.name);
    v("Namespace", self.namespace_);
    v("NodeID", self.node_id);
    v("NodeName", self.node_name);
    v("JobID", self.job_id);
    v("JobType", self.job_type);
    v("JobVersion", self.job_version);
    v("TaskGroup", self.task_group);
    v("AllocatedResources", self.allocated_resources, omit_empty);
    v("DesiredStatus", self.desired_status);
    v("DesiredDescription", self.desired_description);
    v("ClientStatus", self.client_status);
    v("ClientDescription", self.client_description);
    v("DesiredTransition", self.desired_transition);
    v("TaskStates", self.task_states);
    v("DeploymentStatus", self.deployment_status);
    v("FollowupEvalID", self.followup_eval_id);
    v("NextAllocation", self.next_allocation);
    v("RescheduleTracker", self.reschedule_tracker);
    v("PreemptedAllocations", self.preempted_allocations);
    v("PreemptedByAllocation", self.preempted_by_allocation);
    v("CreateIndex", self.create_index);
    v("ModifyIndex", self.modify_index);
    v("CreateTime", self.create_time);
    v("ModifyTime", self.modify_time);
  }
  friend bool operator==(const AllocListStub&, const AllocListStub&) = default;
};

struct NodeScoreMeta {
  std::string node_id;
  Map<double> scores;
  double norm_score = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("NodeID", self.node_id);
    v("Scores", self.scores);
    v("NormScore", self.norm_score);
  }
  friend bool operator==(const NodeScoreMeta&, const NodeScoreMeta&) = default;
};

struct AllocMetric {
  std::int64_t nodes_evaluated = 0;
  std::int64_t nodes_filtered = 0;
  std::int64_t nodes_in_pool = 0;
  std::string node_pool;
  Map<std::int64_t> nodes_available;
  Map<std::int64_t> class_filtered;
  Map<std::int64_t> constraint_filtered;
  std::int64_t nodes_exhausted = 0;
  Map<std::int64_t> class_exhausted;
  Map<std::int64_t> dimension_exhausted;
  List<std::string> quota_exhausted;
  Map<Resources> resources_exhausted;
  Map<double> scores;
  List<NodeScoreMeta> score_meta_data;
  Duration allocation_time{};
  std::int64_t coalesced_failures = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("NodesEvaluated", self.nodes_evaluated);
    v("NodesFiltered", self.nodes_filtered);
    v("NodesInPool", self.nodes_in_pool);
    v("NodePool", self.node_pool);
    v("NodesAvailable", self.nodes_available);
    v("ClassFiltered", self.class_filtered);
    v("ConstraintFiltered", self.constraint_filtered);
    v("NodesExhausted", self.nodes_exhausted);
    v("ClassExhausted", self.class_exhausted);
    v("DimensionExhausted", self.dimension_exhausted);
    v("QuotaExhausted", self.quota_exhausted);
    v("ResourcesExhausted", self.resources_exhausted);
    v("Scores", self.scores);
    v("ScoreMetaData", self.score_meta_data);
    v("AllocationTime", self.allocation_time);
    v("CoalescedFailures", self.coalesced_failures);
  }
  friend bool operator==(const AllocMetric&, const AllocMetric&) = default;
};

struct AllocNetworkStatus {
  std::string interface_name;
  std::string address;
  std::string address_ipv6;
  Box<DNSConfig> dns;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("InterfaceName", self.interface_name);
    v("Address", self.address);
    v("AddressIPv6", self.address_ipv6);
    v("DNS", self.dns);
  }
  friend bool operator==(const AllocNetworkStatus&, const AllocNetworkStatus&) = default;
};

struct AllocState {
  std::uint32_t field = 0;
  std::string value;
  Time time;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Field", self.field);
    v("Value", self.value);
    v("Time", self.time);
  }
  friend bool operator==(const AllocState&, const AllocState&) = default;
};

struct Allocation {
  static constexpr bool omit_zero = true;  // every zero field is left out
  std::string id;
  std::string namespace_;
  std::string eval_id;
  std::string name;
  std::string node_id;
  std::string node_name;
  std::string job_id;
  std::shared_ptr<const Job> job;
  std::string task_group;
  Box<Resources> resources;
  Box<Resources> shared_resources;
  Map<Resources> task_resources;
  Box<AllocatedResources> allocated_resources;
  Box<AllocMetric> metrics;
  std::string desired_status;
  std::string desired_description;
  DesiredTransition desired_transition;
  std::string client_status;
  std::string client_description;
  Map<TaskState> task_states;
  List<AllocState> alloc_states;
  std::string previous_allocation;
  std::string next_allocation;
  std::string deployment_id;
  Box<AllocDeploymentStatus> deployment_status;
  Box<RescheduleTracker> reschedule_tracker;
  Box<AllocNetworkStatus> network_status;
  std::string followup_eval_id;
  List<std::string> preempted_allocations;
  std::string preempted_by_allocation;
  std::string signing_key_id;
  std::uint64_t create_index = 0;
  std::uint64_t modify_index = 0;
  std::uint64_t alloc_modify_index = 0;
  std::int64_t create_time = 0;
  std::int64_t modify_time = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("ID", self.id);
    v("Namespace", self.namespace_);
    v("EvalID", self.eval_id);
    v("Name", self.name);
    v("NodeID", self.node_id);
    v("NodeName", self.node_name);
    v("JobID", self.job_id);
    v("Job", self.job);
    v("TaskGroup", self.task_group);
    v("Resources", self.resources);
    v("SharedResources", self.shared_resources);
    v("TaskResources", self.task_resources);
    v("AllocatedResources", self.allocated_resources);
    v("Metrics", self.metrics);
    v("DesiredStatus", self.desired_status);
    v("DesiredDescription", self.desired_description);
    v("DesiredTransition", self.desired_transition);
    v("ClientStatus", self.client_status);
    v("ClientDescription", self.client_description);
    v("TaskStates", self.task_states);
    v("AllocStates", self.alloc_states);
    v("PreviousAllocation", self.previous_allocation);
    v("NextAllocation", self.next_allocation);
    v("DeploymentID", self.deployment_id);
    v("DeploymentStatus", self.deployment_status);
    v("RescheduleTracker", self.reschedule_tracker);
    v("NetworkStatus", self.network_status);
    v("FollowupEvalID", self.followup_eval_id);
    v("PreemptedAllocations", self.preempted_allocations);
    v("PreemptedByAllocation", self.preempted_by_allocation);
    v("SigningKeyID", self.signing_key_id);
    v("CreateIndex", self.create_index);
    v("ModifyIndex", self.modify_index);
    v("AllocModifyIndex", self.alloc_modify_index);
    v("CreateTime", self.create_time);
    v("ModifyTime", self.modify_time);
  }
  friend bool operator==(const Allocation&, const Allocation&) = default;
};

}  // namespace drover::model
