// Requests and answers of the agent, operator and client endpoints.
// Field names, types and order are wire facts (HTTP API contract, appendix A); `describe` lists each once.
#pragma once

#include <memory>
#include <string>

#include "lib/model/types.h"
#include "lib/model/config.h"
#include "lib/model/query.h"

namespace drover::model {

struct AllocFileInfo {
  std::string name;
  bool is_dir = false;
  std::int64_t size = 0;
  std::string file_mode;
  Time mod_time;
  std::string content_type;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Name", self.name);
    v("IsDir", self.is_dir);
    v("Size", self.size);
    v("FileMode", self.file_mode);
    v("ModTime", self.mod_time);
    v("ContentType", self.content_type, omit_empty);
  }
  friend bool operator==(const AllocFileInfo&, const AllocFileInfo&) = default;
};

struct AllocSignalRequest : QueryOptions {
  std::string alloc_id;
  std::string task;
  std::string signal;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    QueryOptions::describe(self, v);
    v("AllocID", self.alloc_id);
    v("Task", self.task);
    v("Signal", self.signal);
  }
  friend bool operator==(const AllocSignalRequest&, const AllocSignalRequest&) = default;
};

struct AllocStopResponse : WriteMeta {
  std::string eval_id;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    WriteMeta::describe(self, v);
    v("EvalID", self.eval_id);
  }
  friend bool operator==(const AllocStopResponse&, const AllocStopResponse&) = default;
};

struct CheckQueryResult {
  std::string id;
  std::string mode;
  std::string status;
  std::int64_t status_code = 0;
  std::string output;
  std::int64_t timestamp = 0;
  std::string group;
  std::string task;
  std::string service;
  std::string check;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("ID", self.id);
    v("Mode", self.mode);
    v("Status", self.status);
    v("StatusCode", self.status_code, omit_empty);
    v("Output", self.output);
    v("Timestamp", self.timestamp);
    v("Group", self.group);
    v("Task", self.task, omit_empty);
    v("Service", self.service);
    v("Check", self.check);
  }
  friend bool operator==(const CheckQueryResult&, const CheckQueryResult&) = default;
};

struct LeadershipTransferResponse {
  RaftIDAddress from;
  RaftIDAddress to;
  bool noop = false;
  std::string err;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("From", self.from);
    v("To", self.to);
    v("Noop", self.noop);
    v("Err", self.err);
  }
  friend bool operator==(const LeadershipTransferResponse&, const LeadershipTransferResponse&) = default;
};

struct RaftConfigurationResponse {
  List<RaftServer> servers;
  std::uint64_t index = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Servers", self.servers);
    v("Index", self.index);
  }
  friend bool operator==(const RaftConfigurationResponse&, const RaftConfigurationResponse&) = default;
};

struct ServerMember {
  std::string name;
  std::string addr;
  std::uint16_t port = 0;
  Map<std::string> tags;
  std::string status;
  std::uint32_t protocol_min = 0;
  std::uint32_t protocol_max = 0;
  std::uint32_t protocol_cur = 0;
  std::uint32_t delegate_min = 0;
  std::uint32_t delegate_max = 0;
  std::uint32_t delegate_cur = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Name", self.name);
    v("Addr", self.addr);
    v("Port", self.port);
    v("Tags", self.tags);
    v("Status", self.status);
    v("ProtocolMin", self.protocol_min);
    v("ProtocolMax", self.protocol_max);
    v("ProtocolCur", self.protocol_cur);
    v("DelegateMin", self.delegate_min);
    v("DelegateMax", self.delegate_max);
    v("DelegateCur", self.delegate_cur);
  }
  friend bool operator==(const ServerMember&, const ServerMember&) = default;
};

struct ServerMembersResponse {
  std::string server_name;
  std::string server_region;
  std::string server_dc;
  List<ServerMember> members;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("ServerName", self.server_name);
    v("ServerRegion", self.server_region);
    v("ServerDC", self.server_dc);
    v("Members", self.members);
  }
  friend bool operator==(const ServerMembersResponse&, const ServerMembersResponse&) = default;
};

struct AgentMember {
  std::string name;
  std::string addr;
  std::uint16_t port = 0;
  Map<std::string> tags;
  std::string status;
  std::uint32_t protocol_min = 0;
  std::uint32_t protocol_max = 0;
  std::uint32_t protocol_cur = 0;
  std::uint32_t delegate_min = 0;
  std::uint32_t delegate_max = 0;
  std::uint32_t delegate_cur = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Name", self.name);
    v("Addr", self.addr);
    v("Port", self.port);
    v("Tags", self.tags);
    v("Status", self.status);
    v("ProtocolMin", self.protocol_min);
    v("ProtocolMax", self.protocol_max);
    v("ProtocolCur", self.protocol_cur);
    v("DelegateMin", self.delegate_min);
    v("DelegateMax", self.delegate_max);
    v("DelegateCur", self.delegate_cur);
  }
  friend bool operator==(const AgentMember&, const AgentMember&) = default;
};

struct AgentSelf {
  Any config;
  AgentMember member;
  Map<Map<std::string>> stats;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("config", self.config);
    v("member", self.member);
    v("stats", self.stats);
  }
  friend bool operator==(const AgentSelf&, const AgentSelf&) = default;
};

struct ServerMembers {
  std::string server_name;
  std::string server_region;
  std::string server_dc;
  List<AgentMember> members;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("ServerName", self.server_name);
    v("ServerRegion", self.server_region);
    v("ServerDC", self.server_dc);
    v("Members", self.members);
  }
  friend bool operator==(const ServerMembers&, const ServerMembers&) = default;
};

struct AgentHealth {
  bool ok = false;
  std::string message;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("ok", self.ok);
    v("message", self.message);
  }
  friend bool operator==(const AgentHealth&, const AgentHealth&) = default;
};

struct AgentHealthResponse {
  Box<AgentHealth> client;
  Box<AgentHealth> server;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("client", self.client, omit_empty);
    v("server", self.server, omit_empty);
  }
  friend bool operator==(const AgentHealthResponse&, const AgentHealthResponse&) = default;
};

struct AgentSchedulerWorkerConfigRequest {
  std::int64_t num_schedulers = 0;
  List<std::string> enabled_schedulers;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("num_schedulers", self.num_schedulers);
    v("enabled_schedulers", self.enabled_schedulers);
  }
  friend bool operator==(const AgentSchedulerWorkerConfigRequest&, const AgentSchedulerWorkerConfigRequest&) = default;
};

struct AgentSchedulerWorkerConfigResponse {
  std::string server_id;
  std::int64_t num_schedulers = 0;
  List<std::string> enabled_schedulers;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("server_id", self.server_id);
    v("num_schedulers", self.num_schedulers);
    v("enabled_schedulers", self.enabled_schedulers);
  }
  friend bool operator==(const AgentSchedulerWorkerConfigResponse&, const AgentSchedulerWorkerConfigResponse&) = default;
};

struct RaftConfiguration {
  List<RaftServer> servers;
  std::uint64_t index = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Servers", self.servers);
    v("Index", self.index);
  }
  friend bool operator==(const RaftConfiguration&, const RaftConfiguration&) = default;
};

struct GaugeValue {
  std::string name;
  float value = 0;
  Map<std::string> labels;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Name", self.name);
    v("Value", self.value);
    v("Labels", self.labels);
  }
  friend bool operator==(const GaugeValue&, const GaugeValue&) = default;
};

struct PointValue {
  std::string name;
  List<float> points;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Name", self.name);
    v("Points", self.points);
  }
  friend bool operator==(const PointValue&, const PointValue&) = default;
};

struct StreamFrame {
  std::int64_t offset = 0;
  Bytes data;
  std::string file;
  std::string file_event;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Offset", self.offset, omit_empty);
    v("Data", self.data, omit_empty);
    v("File", self.file, omit_empty);
    v("FileEvent", self.file_event, omit_empty);
  }
  friend bool operator==(const StreamFrame&, const StreamFrame&) = default;
};

struct AllocPauseRequest {
  std::string task;
  std::string schedule_state;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Task", self.task);
    v("ScheduleState", self.schedule_state);
  }
  friend bool operator==(const AllocPauseRequest&, const AllocPauseRequest&) = default;
};

struct AllocCheckStatus {
  std::string id;
  std::string check;
  std::string group;
  std::string mode;
  std::string output;
  std::string service;
  std::string task;
  std::string status;
  std::int64_t status_code = 0;
  std::int64_t timestamp = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("ID", self.id);
    v("Check", self.check);
    v("Group", self.group);
    v("Mode", self.mode);
    v("Output", self.output);
    v("Service", self.service);
    v("Task", self.task);
    v("Status", self.status);
    v("StatusCode", self.status_code);
    v("Timestamp", self.timestamp);
  }
  friend bool operator==(const AllocCheckStatus&, const AllocCheckStatus&) = default;
};

}  // namespace drover::model
