// Service checks.
// Field names, types and order are wire facts (HTTP API contract, appendix A); `describe` lists each once.
#pragma once

#include <memory>
#include <string>

#include "lib/model/types.h"

namespace drover::model {

struct CheckRestart {
  std::int64_t limit = 0;
  Duration grace{};
  bool ignore_warnings = false;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Limit", self.limit);
    v("Grace", self.grace);
    v("IgnoreWarnings", self.ignore_warnings);
  }
  friend bool operator==(const CheckRestart&, const CheckRestart&) = default;
};

struct ServiceWeights {
  std::int64_t passing = 0;
  std::int64_t warning = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Passing", self.passing);
    v("Warning", self.warning);
  }
  friend bool operator==(const ServiceWeights&, const ServiceWeights&) = default;
};

struct ServiceCheck {
  std::string name;
  std::string type;
  std::string command;
  List<std::string> args;
  std::string path;
  std::string protocol;
  std::string port_label;
  bool expose = false;
  std::string address_mode;
  Duration interval{};
  Duration timeout{};
  std::string initial_status;
  std::string notes;
  std::string tls_server_name;
  bool tls_skip_verify = false;
  std::string method;
  Map<List<std::string>> header;
  Box<CheckRestart> check_restart;
  std::string grpc_service;
  bool grpc_use_tls = false;
  std::string task_name;
  std::int64_t success_before_passing = 0;
  std::int64_t failures_before_critical = 0;
  std::int64_t failures_before_warning = 0;
  std::string body;
  std::string on_update;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Name", self.name);
    v("Type", self.type);
    v("Command", self.command);
    v("Args", self.args);
    v("Path", self.path);
    v("Protocol", self.protocol);
    v("PortLabel", self.port_label);
    v("Expose", self.expose);
    v("AddressMode", self.address_mode);
    v("Interval", self.interval);
    v("Timeout", self.timeout);
    v("InitialStatus", self.initial_status);
    v("Notes", self.notes);
    v("TLSServerName", self.tls_server_name);
    v("TLSSkipVerify", self.tls_skip_verify);
    v("Method", self.method);
    v("Header", self.header);
    v("CheckRestart", self.check_restart);
    v("GRPCService", self.grpc_service);
    v("GRPCUseTLS", self.grpc_use_tls);
    v("TaskName", self.task_name);
    v("SuccessBeforePassing", self.success_before_passing);
    v("FailuresBeforeCritical", self.failures_before_critical);
    v("FailuresBeforeWarning", self.failures_before_warning);
    v("Body", self.body);
    v("OnUpdate", self.on_update);
  }
  friend bool operator==(const ServiceCheck&, const ServiceCheck&) = default;
};

}  // namespace drover::model
