#include "lib/jobspec/schema_common.h"

namespace drover::jobspec {

using namespace table;

const Schema& check_restart_schema() {
  static const Schema schema{{}, {}, Special::none,
                             {plain("limit", "Limit", Shape::integer), maybe("grace", "Grace", Shape::duration),
                              plain("ignore_warnings", "IgnoreWarnings", Shape::boolean)}};
  return schema;
}

namespace {

const Schema& check_schema() {
  static const Schema schema{{}, {}, Special::none,
                             {plain("name", "Name"), plain("type", "Type"), plain("command", "Command"), list("args", "Args"), plain("path", "Path"),
                              plain("protocol", "Protocol"), plain("port", "PortLabel"), plain("expose", "Expose", Shape::boolean),
                              plain("address_mode", "AddressMode"), plain("advertise", "Advertise"), plain("interval", "Interval", Shape::duration),
                              plain("timeout", "Timeout", Shape::duration), plain("initial_status", "InitialStatus"), plain("notes", "Notes"),
                              plain("tls_server_name", "TLSServerName"), plain("tls_skip_verify", "TLSSkipVerify", Shape::boolean),
                              Field{"header", "Header", Shape::text_list_map, true}, plain("method", "Method"),
                              one("check_restart", "CheckRestart", check_restart_schema()), plain("grpc_service", "GRPCService"),
                              plain("grpc_use_tls", "GRPCUseTLS", Shape::boolean), plain("task", "TaskName"),
                              plain("success_before_passing", "SuccessBeforePassing", Shape::integer),
                              plain("failures_before_critical", "FailuresBeforeCritical", Shape::integer),
                              plain("failures_before_warning", "FailuresBeforeWarning", Shape::integer), plain("body", "Body"),
                              plain("on_update", "OnUpdate")}};
  return schema;
}

const Schema& proxy_schema() {
  static const Schema path{{}, {}, Special::none,
                           {plain("path", "Path"), plain("protocol", "Protocol"), plain("local_path_port", "LocalPathPort", Shape::integer),
                            plain("listener_port", "ListenerPort")}};
  static const Schema expose{{}, {}, Special::none, {many("path", "Paths", path), many("", "Path", path)}};
  static const Schema mesh_gateway{{}, {}, Special::none, {plain("mode", "Mode")}};
  static const Schema upstream{{}, {}, Special::none,
                               {plain("destination_name", "DestinationName"), plain("destination_namespace", "DestinationNamespace"),
                                plain("destination_peer", "DestinationPeer"), plain("destination_partition", "DestinationPartition"),
                                plain("destination_type", "DestinationType"), plain("local_bind_port", "LocalBindPort", Shape::integer),
                                plain("datacenter", "Datacenter"), plain("local_bind_address", "LocalBindAddress"),
                                plain("local_bind_socket_path", "LocalBindSocketPath"), plain("local_bind_socket_mode", "LocalBindSocketMode"),
                                one("mesh_gateway", "MeshGateway", mesh_gateway), free_map("config", "Config")}};
  static const Schema transparent{{}, {}, Special::none,
                                  {plain("uid", "UID"), plain("outbound_port", "OutboundPort", Shape::uint16),
                                   list("exclude_inbound_ports", "ExcludeInboundPorts"),
                                   Field{"exclude_outbound_ports", "ExcludeOutboundPorts", Shape::uint16_list, true},
                                   list("exclude_outbound_cidrs", "ExcludeOutboundCIDRs"), list("exclude_uids", "ExcludeUIDs"),
                                   plain("no_dns", "NoDNS", Shape::boolean)}};
  static const Schema schema{{}, {}, Special::none,
                             {plain("local_service_address", "LocalServiceAddress"), plain("local_service_port", "LocalServicePort", Shape::integer),
                              one("expose", "Expose", expose), one("", "ExposeConfig", expose), many("upstreams", "Upstreams", upstream),
                              one("transparent_proxy", "TransparentProxy", transparent), free_map("config", "Config")}};
  return schema;
}

const Schema& sidecar_service_schema() {
  static const Schema schema{{}, {}, Special::none,
                             {list("tags", "Tags"), plain("port", "Port"), one("proxy", "Proxy", proxy_schema()),
                              plain("disable_default_tcp_check", "DisableDefaultTCPCheck", Shape::boolean), map("meta", "Meta")}};
  return schema;
}

const Schema& sidecar_task_schema() {
  static const Schema schema{{}, {}, Special::none,
                             {plain("name", "Name"), plain("driver", "Driver"), plain("user", "User"), free_map("config", "Config"), map("env", "Env"),
                              one("resources", "Resources", resources_schema()), map("meta", "Meta"),
                              maybe("kill_timeout", "KillTimeout", Shape::duration), one("logs", "LogConfig", logs_schema()),
                              maybe("shutdown_delay", "ShutdownDelay", Shape::duration), plain("kill_signal", "KillSignal"),
                              many("volume_mount", "VolumeMounts", volume_mount_schema()), many("identity", "Identities", identity_schema())}};
  return schema;
}

const Schema& gateway_tls_schema() {
  static const Schema sds{{}, {}, Special::none, {plain("cluster_name", "ClusterName"), plain("cert_resource", "CertResource")}};
  static const Schema schema{{}, {}, Special::none,
                             {plain("enabled", "Enabled", Shape::boolean), plain("tls_min_version", "TLSMinVersion"),
                              plain("tls_max_version", "TLSMaxVersion"), list("cipher_suites", "CipherSuites"), one("sds", "SDS", sds)}};
  return schema;
}

const Schema& ingress_schema() {
  static const Schema headers{{}, {}, Special::none, {map("add", "Add"), map("set", "Set"), list("remove", "Remove")}};
  static const Schema service{{}, {}, Special::none,
                              {plain("name", "Name"), list("hosts", "Hosts"), one("tls", "TLS", gateway_tls_schema()),
                               one("request_headers", "RequestHeaders", headers), one("response_headers", "ResponseHeaders", headers),
                               maybe("max_connections", "MaxConnections", Shape::uint32),
                               maybe("max_pending_requests", "MaxPendingRequests", Shape::uint32),
                               maybe("max_concurrent_requests", "MaxConcurrentRequests", Shape::uint32)}};
  static const Schema listener{{}, {}, Special::none,
                               {plain("port", "Port", Shape::integer), plain("protocol", "Protocol"), many("service", "Services", service)}};
  static const Schema schema{{}, {}, Special::none, {one("tls", "TLS", gateway_tls_schema()), many("listener", "Listeners", listener)}};
  return schema;
}

const Schema& gateway_schema() {
  static const Schema bind{"Name", "name", Special::none, {plain("address", "Address"), plain("port", "Port", Shape::integer)}};
  static const Schema proxy{{}, {}, Special::none,
                            {maybe("connect_timeout", "ConnectTimeout", Shape::duration),
                             plain("envoy_gateway_bind_tagged_addresses", "EnvoyGatewayBindTaggedAddresses", Shape::boolean),
                             keyed("envoy_gateway_bind_addresses", "EnvoyGatewayBindAddresses", bind),
                             plain("envoy_gateway_no_default_bind", "EnvoyGatewayNoDefaultBind", Shape::boolean),
                             plain("envoy_dns_discovery_type", "EnvoyDNSDiscoveryType"), free_map("config", "Config")}};
  static const Schema linked{{}, {}, Special::none,
                             {plain("name", "Name"), plain("ca_file", "CAFile"), plain("cert_file", "CertFile"), plain("key_file", "KeyFile"),
                              plain("sni", "SNI")}};
  static const Schema terminating{{}, {}, Special::none, {many("service", "Services", linked)}};
  static const Schema mesh{{}, {}, Special::none, {}};
  static const Schema schema{{}, {}, Special::none,
                             {one("proxy", "Proxy", proxy), one("ingress", "Ingress", ingress_schema()), one("terminating", "Terminating", terminating),
                              one("mesh", "Mesh", mesh)}};
  return schema;
}

}  // namespace

const Schema& connect_schema() {
  static const Schema schema{{}, {}, Special::none,
                             {plain("native", "Native", Shape::boolean), one("gateway", "Gateway", gateway_schema()),
                              one("sidecar_service", "SidecarService", sidecar_service_schema()),
                              one("sidecar_task", "SidecarTask", sidecar_task_schema())}};
  return schema;
}

const Schema& service_schema() {
  static const Schema weights{{}, {}, Special::none, {plain("passing", "Passing", Shape::integer), plain("warning", "Warning", Shape::integer)}};
  static const Schema schema{{}, {}, Special::none,
                             {plain("name", "Name"), list("tags", "Tags"), list("canary_tags", "CanaryTags"),
                              plain("enable_tag_override", "EnableTagOverride", Shape::boolean), plain("port", "PortLabel"),
                              plain("address_mode", "AddressMode"), plain("address", "Address"), many("check", "Checks", check_schema()),
                              one("check_restart", "CheckRestart", check_restart_schema()), one("connect", "Connect", connect_schema()),
                              map("meta", "Meta"), map("canary_meta", "CanaryMeta"), map("tagged_addresses", "TaggedAddresses"),
                              plain("task", "TaskName"), plain("on_update", "OnUpdate"), one("identity", "Identity", identity_schema()),
                              one("weights", "Weights", weights), plain("provider", "Provider"), plain("cluster", "Cluster"),
                              plain("kind", "Kind")}};
  return schema;
}

}  // namespace drover::jobspec
