// Networks and ports, asked for and allocated.
// Field names, types and order are wire facts (HTTP API contract, appendix A); `describe` lists each once.
#pragma once

#include <memory>
#include <string>

#include "lib/model/types.h"

namespace drover::model {

struct DNSConfig {
  List<std::string> servers;
  List<std::string> searches;
  List<std::string> options;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Servers", self.servers);
    v("Searches", self.searches);
    v("Options", self.options);
  }
  friend bool operator==(const DNSConfig&, const DNSConfig&) = default;
};

struct Port {
  static constexpr bool omit_zero = true;  // every zero field is left out
  std::string label;
  std::int64_t value = 0;
  std::int64_t to = 0;
  std::string host_network;
  bool ignore_collision = false;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Label", self.label);
    v("Value", self.value);
    v("To", self.to);
    v("HostNetwork", self.host_network);
    v("IgnoreCollision", self.ignore_collision);
  }
  friend bool operator==(const Port&, const Port&) = default;
};

struct CNIConfig {
  Map<std::string> args;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Args", self.args);
  }
  friend bool operator==(const CNIConfig&, const CNIConfig&) = default;
};

struct NetworkResource {
  static constexpr bool omit_zero = true;  // every zero field is left out
  std::string mode;
  std::string device;
  std::string cidr;
  std::string ip;
  std::string hostname;
  std::int64_t m_bits = 0;
  Box<DNSConfig> dns;
  List<Port> reserved_ports;
  List<Port> dynamic_ports;
  Box<CNIConfig> cni;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Mode", self.mode);
    v("Device", self.device);
    v("CIDR", self.cidr);
    v("IP", self.ip);
    v("Hostname", self.hostname);
    v("MBits", self.m_bits);
    v("DNS", self.dns);
    v("ReservedPorts", self.reserved_ports);
    v("DynamicPorts", self.dynamic_ports);
    v("CNI", self.cni);
  }
  friend bool operator==(const NetworkResource&, const NetworkResource&) = default;
};

struct AllocatedPortMapping {
  static constexpr bool omit_zero = true;  // every zero field is left out
  std::string label;
  std::int64_t value = 0;
  std::int64_t to = 0;
  std::string host_ip;
  bool ignore_collision = false;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Label", self.label);
    v("Value", self.value);
    v("To", self.to);
    v("HostIP", self.host_ip);
    v("IgnoreCollision", self.ignore_collision);
  }
  friend bool operator==(const AllocatedPortMapping&, const AllocatedPortMapping&) = default;
};

}  // namespace drover::model
