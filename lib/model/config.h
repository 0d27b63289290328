// Cluster configuration, namespaces and raft members as the API shows them.
// Field names, types and order are wire facts (HTTP API contract, appendix A); `describe` lists each once.
#pragma once

#include <memory>
#include <string>

#include "lib/model/types.h"

namespace drover::model {

struct NamespaceNodePoolConfiguration {
  std::string default_;
  List<std::string> allowed;
  List<std::string> denied;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Default", self.default_);
    v("Allowed", self.allowed);
    v("Denied", self.denied);
  }
  friend bool operator==(const NamespaceNodePoolConfiguration&, const NamespaceNodePoolConfiguration&) = default;
};

struct NamespaceConsulConfiguration {
  std::string default_;
  List<std::string> allowed;
  List<std::string> denied;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Default", self.default_);
    v("Allowed", self.allowed);
    v("Denied", self.denied);
  }
  friend bool operator==(const NamespaceConsulConfiguration&, const NamespaceConsulConfiguration&) = default;
};

struct NamespaceVaultConfiguration {
  std::string default_;
  List<std::string> allowed;
  List<std::string> denied;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Default", self.default_);
    v("Allowed", self.allowed);
    v("Denied", self.denied);
  }
  friend bool operator==(const NamespaceVaultConfiguration&, const NamespaceVaultConfiguration&) = default;
};

struct NamespaceCapabilities {
  List<std::string> enabled_task_drivers;
  List<std::string> disabled_task_drivers;
  List<std::string> enabled_network_modes;
  List<std::string> disabled_network_modes;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("EnabledTaskDrivers", self.enabled_task_drivers);
    v("DisabledTaskDrivers", self.disabled_task_drivers);
    v("EnabledNetworkModes", self.enabled_network_modes);
    v("DisabledNetworkModes", self.disabled_network_modes);
  }
  friend bool operator==(const NamespaceCapabilities&, const NamespaceCapabilities&) = default;
};

struct Namespace {
  std::string name;
  std::string description;
  std::string quota;
  Box<NamespaceCapabilities> capabilities;
  Box<NamespaceNodePoolConfiguration> node_pool_configuration;
  Box<NamespaceVaultConfiguration> vault_configuration;
  Box<NamespaceConsulConfiguration> consul_configuration;
  Map<std::string> meta;
  Bytes hash;
  std::uint64_t create_index = 0;
  std::uint64_t modify_index = 0;
  Map<std::string> required_extra_claims;
  Map<std::string> optional_extra_claims;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Name", self.name);
    v("Description", self.description);
    v("Quota", self.quota);
    v("Capabilities", self.capabilities);
    v("NodePoolConfiguration", self.node_pool_configuration);
    v("VaultConfiguration", self.vault_configuration);
    v("ConsulConfiguration", self.consul_configuration);
    v("Meta", self.meta);
    v("Hash", self.hash);
    v("CreateIndex", self.create_index);
    v("ModifyIndex", self.modify_index);
    v("RequiredExtraClaims", self.required_extra_claims);
    v("OptionalExtraClaims", self.optional_extra_claims);
  }
  friend bool operator==(const Namespace&, const Namespace&) = default;
};

struct PreemptionConfig {
  bool system_scheduler_enabled = false;
  bool sys_batch_scheduler_enabled = false;
  bool batch_scheduler_enabled = false;
  bool service_scheduler_enabled = false;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("SystemSchedulerEnabled", self.system_scheduler_enabled);
    v("SysBatchSchedulerEnabled", self.sys_batch_scheduler_enabled);
    v("BatchSchedulerEnabled", self.batch_scheduler_enabled);
    v("ServiceSchedulerEnabled", self.service_scheduler_enabled);
  }
  friend bool operator==(const PreemptionConfig&, const PreemptionConfig&) = default;
};

struct SchedulerConfiguration {
  std::string scheduler_algorithm;
  PreemptionConfig preemption_config;
  bool memory_oversubscription_enabled = false;
  bool reject_job_registration = false;
  bool pause_eval_broker = false;
  std::uint64_t node_limit_for_feasibility_checks = 0;
  std::uint64_t create_index = 0;
  std::uint64_t modify_index = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("SchedulerAlgorithm", self.scheduler_algorithm);
    v("PreemptionConfig", self.preemption_config);
    v("MemoryOversubscriptionEnabled", self.memory_oversubscription_enabled);
    v("RejectJobRegistration", self.reject_job_registration);
    v("PauseEvalBroker", self.pause_eval_broker);
    v("NodeLimitForFeasibilityChecks", self.node_limit_for_feasibility_checks);
    v("CreateIndex", self.create_index);
    v("ModifyIndex", self.modify_index);
  }
  friend bool operator==(const SchedulerConfiguration&, const SchedulerConfiguration&) = default;
};

struct RaftIDAddress {
  std::string address;
  std::string id;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Address", self.address);
    v("ID", self.id);
  }
  friend bool operator==(const RaftIDAddress&, const RaftIDAddress&) = default;
};

struct RaftServer {
  std::string id;
  std::string node;
  std::string address;
  bool leader = false;
  bool voter = false;
  std::string raft_protocol;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("ID", self.id);
    v("Node", self.node);
    v("Address", self.address);
    v("Leader", self.leader);
    v("Voter", self.voter);
    v("RaftProtocol", self.raft_protocol);
  }
  friend bool operator==(const RaftServer&, const RaftServer&) = default;
};

}  // namespace drover::model
