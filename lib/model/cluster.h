// What servers tell each other about themselves and about who belongs to the cluster, and what operators ask of it.
#pragma once

#include "lib/model/config.h"
#include "lib/model/query.h"
#include "lib/model/types.h"

namespace drover::model {

// Opens a stream of raft messages from one server to another.
struct RaftHello {
  std::string cluster_id;
  std::string from_node;
  std::string from_name;
  std::string from_address;
  std::string to_node;  // empty when only its address is known
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("ClusterID", self.cluster_id);
    v("FromNode", self.from_node);
    v("FromName", self.from_name);
    v("FromAddress", self.from_address);
    v("ToNode", self.to_node);
  }
};

// Opens a stream that carries a snapshot: the raft message without the content, which follows in pieces.
struct RaftInstallHello {
  RaftHello hello;
  Bytes message;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Hello", self.hello);
    v("Message", self.message);
  }
};

struct ClusterMember {
  std::string node_id;
  std::string name;  // without the region
  std::string address;
  bool voter = false;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("NodeID", self.node_id);
    v("Name", self.name);
    v("Address", self.address);
    v("Voter", self.voter);
  }
  friend bool operator==(const ClusterMember&, const ClusterMember&) = default;
};

// A server of itself.
struct ServerInfo {
  std::string node_id;
  std::string name;
  std::string address;
  std::string region;
  std::string datacenter;
  std::string build;
  std::string cluster_id;   // empty: belongs to none yet
  std::int64_t expect = 0;  // servers it waits for before the first of them begins a cluster
  bool non_voter = false;
  bool leader = false;      // leads and is ready
  std::string leader_address;
  std::string leader_node;
  std::uint64_t term = 0;
  std::uint64_t last_index = 0;
  std::uint64_t applied_index = 0;
  Duration last_contact{};  // with the leader; negative: never
  List<ClusterMember> members;
  List<std::string> known;  // addresses of servers that have not formed a cluster either
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("NodeID", self.node_id);
    v("Name", self.name);
    v("Address", self.address);
    v("Region", self.region);
    v("Datacenter", self.datacenter);
    v("Build", self.build);
    v("ClusterID", self.cluster_id);
    v("Expect", self.expect);
    v("NonVoter", self.non_voter);
    v("Leader", self.leader);
    v("LeaderAddress", self.leader_address);
    v("LeaderNode", self.leader_node);
    v("Term", self.term);
    v("LastIndex", self.last_index);
    v("AppliedIndex", self.applied_index);
    v("LastContact", self.last_contact);
    v("Members", self.members);
    v("Known", self.known);
  }
};

struct ServerInfoRequest {
  ServerInfo asker;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Asker", self.asker);
  }
};

// The first configuration of a cluster, from the one server that chose it to the others.
struct ClusterBootstrapRequest {
  std::string cluster_id;
  List<ClusterMember> members;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("ClusterID", self.cluster_id);
    v("Members", self.members);
  }
};

struct ServerJoinRequest {
  std::string region;
  std::string cluster_id;  // of the joining server; empty: none
  ClusterMember server;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Region", self.region);
    v("ClusterID", self.cluster_id);
    v("Server", self.server);
  }
};

struct ServerJoinReply {
  std::string cluster_id;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("ClusterID", self.cluster_id);
  }
};

// A server by its id; by its name, with or without the region, when it is to leave.
struct RaftPeerRequest : WriteRequest {
  std::string id;
  std::string address;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    WriteRequest::describe(self, v);
    v("ID", self.id);
    v("Address", self.address);
  }
};

struct AutopilotConfiguration {
  bool cleanup_dead_servers = false;
  Duration last_contact_threshold;
  std::uint64_t max_trailing_logs = 0;
  std::uint64_t min_quorum = 0;
  Duration server_stabilization_time;
  bool enable_redundancy_zones = false;
  bool disable_upgrade_migration = false;
  bool enable_custom_upgrades = false;
  std::uint64_t create_index = 0;
  std::uint64_t modify_index = 0;
  // What holds until an operator says otherwise. Not the values of a new object: what an encoding leaves out is zero.
  static AutopilotConfiguration standard() {
    return {.cleanup_dead_servers = true, .last_contact_threshold = std::chrono::milliseconds(200), .max_trailing_logs = 250,
            .server_stabilization_time = std::chrono::seconds(10)};
  }
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("CleanupDeadServers", self.cleanup_dead_servers);
    v("LastContactThreshold", self.last_contact_threshold);
    v("MaxTrailingLogs", self.max_trailing_logs);
    v("MinQuorum", self.min_quorum);
    v("ServerStabilizationTime", self.server_stabilization_time);
    v("EnableRedundancyZones", self.enable_redundancy_zones);
    v("DisableUpgradeMigration", self.disable_upgrade_migration);
    v("EnableCustomUpgrades", self.enable_custom_upgrades);
    v("CreateIndex", self.create_index);
    v("ModifyIndex", self.modify_index);
  }
  friend bool operator==(const AutopilotConfiguration&, const AutopilotConfiguration&) = default;
};

struct AutopilotReply : QueryMeta {
  AutopilotConfiguration config;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    QueryMeta::describe(self, v);
    v("Config", self.config);
  }
};

struct AutopilotSetRequest : WriteRequest {
  AutopilotConfiguration config;
  std::optional<std::uint64_t> check_index;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    WriteRequest::describe(self, v);
    v("Config", self.config);
    v("CheckIndex", self.check_index);
  }
};

struct AutopilotSetReply : WriteMeta {
  bool updated = false;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    WriteMeta::describe(self, v);
    v("Updated", self.updated);
  }
};

// Opens the stream of an operator's snapshot. `routed`: another server passed it on, to the one that leads.
struct SnapshotSaveRequest : QueryOptions {
  bool routed = false;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    QueryOptions::describe(self, v);
    v("Routed", self.routed);
  }
};

// The first answer; the file follows, in parts of `bytes` altogether.
struct SnapshotHead : QueryMeta {
  std::uint64_t bytes = 0;
  Bytes sha256;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    QueryMeta::describe(self, v);
    v("Bytes", self.bytes);
    v("SHA256", self.sha256);
  }
};

// The file follows in parts, and an empty part after the last.
struct SnapshotRestoreRequest : WriteRequest {
  bool routed = false;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    WriteRequest::describe(self, v);
    v("Routed", self.routed);
  }
};

struct ServerHealth {
  std::string id;
  std::string name;
  std::string address;
  std::string serf_status;  // "alive" or "failed"
  std::string version;
  std::string datacenter;
  bool leader = false;
  Duration last_contact{};
  std::uint64_t last_term = 0;
  std::uint64_t last_index = 0;
  bool healthy = false;
  bool voter = false;
  Time stable_since{};
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("ID", self.id);
    v("Name", self.name);
    v("Address", self.address);
    v("SerfStatus", self.serf_status);
    v("Version", self.version);
    v("Datacenter", self.datacenter);
    v("Leader", self.leader);
    v("LastContact", self.last_contact);
    v("LastTerm", self.last_term);
    v("LastIndex", self.last_index);
    v("Healthy", self.healthy);
    v("Voter", self.voter);
    v("StableSince", self.stable_since);
  }
};

struct ClusterHealth : QueryMeta {
  bool healthy = false;
  std::int64_t failure_tolerance = 0;
  List<ServerHealth> servers;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    QueryMeta::describe(self, v);
    v("Healthy", self.healthy);
    v("FailureTolerance", self.failure_tolerance);
    v("Servers", self.servers);
  }
};

}  // namespace drover::model
