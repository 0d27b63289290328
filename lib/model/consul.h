// Consul settings of services and tasks.
// Field names, types and order are wire facts (HTTP API contract, appendix A); `describe` lists each once.
#pragma once

#include <memory>
#include <string>

#include "lib/model/types.h"

namespace drover::model {

struct ConsulGatewayBindAddress {
  std::string address;
  std::int64_t port = 0;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Address", self.address);
    v("Port", self.port);
  }
  friend bool operator==(const ConsulGatewayBindAddress&, const ConsulGatewayBindAddress&) = default;
};

struct ConsulMeshGateway {
  std::string mode;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Mode", self.mode);
  }
  friend bool operator==(const ConsulMeshGateway&, const ConsulMeshGateway&) = default;
};

struct ConsulUpstream {
  std::string destination_name;
  std::string destination_namespace;
  std::string destination_partition;
  std::string destination_peer;
  std::string destination_type;
  std::int64_t local_bind_port = 0;
  std::string datacenter;
  std::string local_bind_address;
  std::string local_bind_socket_path;
  std::string local_bind_socket_mode;
  ConsulMeshGateway mesh_gateway;
  Any config;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("DestinationName", self.destination_name);
    v("DestinationNamespace", self.destination_namespace);
    v("DestinationPartition", self.destination_partition);
    v("DestinationPeer", self.destination_peer);
    v("DestinationType", self.destination_type);
    v("LocalBindPort", self.local_bind_port);
    v("Datacenter", self.datacenter);
    v("LocalBindAddress", self.local_bind_address);
    v("LocalBindSocketPath", self.local_bind_socket_path);
    v("LocalBindSocketMode", self.local_bind_socket_mode);
    v("MeshGateway", self.mesh_gateway);
    v("Config", self.config);
  }
  friend bool operator==(const ConsulUpstream&, const ConsulUpstream&) = default;
};

struct ConsulLinkedService {
  std::string name;
  std::string ca_file;
  std::string cert_file;
  std::string key_file;
  std::string sni;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Name", self.name);
    v("CAFile", self.ca_file);
    v("CertFile", self.cert_file);
    v("KeyFile", self.key_file);
    v("SNI", self.sni);
  }
  friend bool operator==(const ConsulLinkedService&, const ConsulLinkedService&) = default;
};

struct ConsulTerminatingConfigEntry {
  List<ConsulLinkedService> services;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Services", self.services);
  }
  friend bool operator==(const ConsulTerminatingConfigEntry&, const ConsulTerminatingConfigEntry&) = default;
};

struct ConsulGatewayTLSSDSConfig {
  std::string cluster_name;
  std::string cert_resource;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("ClusterName", self.cluster_name);
    v("CertResource", self.cert_resource);
  }
  friend bool operator==(const ConsulGatewayTLSSDSConfig&, const ConsulGatewayTLSSDSConfig&) = default;
};

struct ConsulGatewayTLSConfig {
  bool enabled = false;
  std::string tls_min_version;
  std::string tls_max_version;
  List<std::string> cipher_suites;
  Box<ConsulGatewayTLSSDSConfig> sds;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Enabled", self.enabled);
    v("TLSMinVersion", self.tls_min_version);
    v("TLSMaxVersion", self.tls_max_version);
    v("CipherSuites", self.cipher_suites);
    v("SDS", self.sds);
  }
  friend bool operator==(const ConsulGatewayTLSConfig&, const ConsulGatewayTLSConfig&) = default;
};

struct ConsulHTTPHeaderModifiers {
  Map<std::string> add;
  Map<std::string> set;
  List<std::string> remove;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Add", self.add);
    v("Set", self.set);
    v("Remove", self.remove);
  }
  friend bool operator==(const ConsulHTTPHeaderModifiers&, const ConsulHTTPHeaderModifiers&) = default;
};

struct ConsulIngressService {
  std::string name;
  List<std::string> hosts;
  Box<ConsulGatewayTLSConfig> tls;
  Box<ConsulHTTPHeaderModifiers> request_headers;
  Box<ConsulHTTPHeaderModifiers> response_headers;
  std::optional<std::uint32_t> max_connections;
  std::optional<std::uint32_t> max_pending_requests;
  std::optional<std::uint32_t> max_concurrent_requests;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Name", self.name);
    v("Hosts", self.hosts);
    v("TLS", self.tls);
    v("RequestHeaders", self.request_headers);
    v("ResponseHeaders", self.response_headers);
    v("MaxConnections", self.max_connections);
    v("MaxPendingRequests", self.max_pending_requests);
    v("MaxConcurrentRequests", self.max_concurrent_requests);
  }
  friend bool operator==(const ConsulIngressService&, const ConsulIngressService&) = default;
};

struct ConsulExposePath {
  std::string path;
  std::string protocol;
  std::int64_t local_path_port = 0;
  std::string listener_port;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Path", self.path);
    v("Protocol", self.protocol);
    v("LocalPathPort", self.local_path_port);
    v("ListenerPort", self.listener_port);
  }
  friend bool operator==(const ConsulExposePath&, const ConsulExposePath&) = default;
};

struct ConsulExposeConfig {
  List<ConsulExposePath> paths;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Paths", self.paths);
  }
  friend bool operator==(const ConsulExposeConfig&, const ConsulExposeConfig&) = default;
};

struct ConsulIngressListener {
  std::int64_t port = 0;
  std::string protocol;
  List<ConsulIngressService> services;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Port", self.port);
    v("Protocol", self.protocol);
    v("Services", self.services);
  }
  friend bool operator==(const ConsulIngressListener&, const ConsulIngressListener&) = default;
};

struct ConsulIngressConfigEntry {
  Box<ConsulGatewayTLSConfig> tls;
  List<ConsulIngressListener> listeners;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("TLS", self.tls);
    v("Listeners", self.listeners);
  }
  friend bool operator==(const ConsulIngressConfigEntry&, const ConsulIngressConfigEntry&) = default;
};

struct ConsulTransparentProxy {
  std::string uid;
  std::uint16_t outbound_port = 0;
  List<std::string> exclude_inbound_ports;
  List<std::uint16_t> exclude_outbound_ports;
  List<std::string> exclude_outbound_cidrs;
  List<std::string> exclude_u_ids;
  bool no_dns = false;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("UID", self.uid);
    v("OutboundPort", self.outbound_port);
    v("ExcludeInboundPorts", self.exclude_inbound_ports);
    v("ExcludeOutboundPorts", self.exclude_outbound_ports);
    v("ExcludeOutboundCIDRs", self.exclude_outbound_cidrs);
    v("ExcludeUIDs", self.exclude_u_ids);
    v("NoDNS", self.no_dns);
  }
  friend bool operator==(const ConsulTransparentProxy&, const ConsulTransparentProxy&) = default;
};

struct ConsulProxy {
  std::string local_service_address;
  std::int64_t local_service_port = 0;
  List<ConsulUpstream> upstreams;
  Box<ConsulExposeConfig> expose;
  Box<ConsulTransparentProxy> transparent_proxy;
  Any config;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("LocalServiceAddress", self.local_service_address);
    v("LocalServicePort", self.local_service_port);
    v("Upstreams", self.upstreams);
    v("Expose", self.expose);
    v("TransparentProxy", self.transparent_proxy);
    v("Config", self.config);
  }
  friend bool operator==(const ConsulProxy&, const ConsulProxy&) = default;
};

struct ConsulSidecarService {
  List<std::string> tags;
  std::string port;
  Box<ConsulProxy> proxy;
  bool disable_default_tcp_check = false;
  Map<std::string> meta;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Tags", self.tags);
    v("Port", self.port);
    v("Proxy", self.proxy);
    v("DisableDefaultTCPCheck", self.disable_default_tcp_check);
    v("Meta", self.meta);
  }
  friend bool operator==(const ConsulSidecarService&, const ConsulSidecarService&) = default;
};

struct ConsulGatewayProxy {
  std::optional<Duration> connect_timeout;
  bool envoy_gateway_bind_tagged_addresses = false;
  Map<ConsulGatewayBindAddress> envoy_gateway_bind_addresses;
  bool envoy_gateway_no_default_bind = false;
  std::string envoy_dns_discovery_type;
  Any config;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("ConnectTimeout", self.connect_timeout);
    v("EnvoyGatewayBindTaggedAddresses", self.envoy_gateway_bind_tagged_addresses);
    v("EnvoyGatewayBindAddresses", self.envoy_gateway_bind_addresses);
    v("EnvoyGatewayNoDefaultBind", self.envoy_gateway_no_default_bind);
    v("EnvoyDNSDiscoveryType", self.envoy_dns_discovery_type);
    v("Config", self.config);
  }
  friend bool operator==(const ConsulGatewayProxy&, const ConsulGatewayProxy&) = default;
};

struct Consul {
  std::string namespace_;
  std::string cluster;
  std::string partition;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Namespace", self.namespace_);
    v("Cluster", self.cluster);
    v("Partition", self.partition);
  }
  friend bool operator==(const Consul&, const Consul&) = default;
};

struct ConsulMeshConfigEntry {

  template <class Self, class V>
  static void describe([[maybe_unused]] Self& self, [[maybe_unused]] V& v) {
  }
  friend bool operator==(const ConsulMeshConfigEntry&, const ConsulMeshConfigEntry&) = default;
};

struct ConsulGateway {
  Box<ConsulGatewayProxy> proxy;
  Box<ConsulIngressConfigEntry> ingress;
  Box<ConsulTerminatingConfigEntry> terminating;
  Box<ConsulMeshConfigEntry> mesh;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Proxy", self.proxy);
    v("Ingress", self.ingress);
    v("Terminating", self.terminating);
    v("Mesh", self.mesh);
  }
  friend bool operator==(const ConsulGateway&, const ConsulGateway&) = default;
};

}  // namespace drover::model
