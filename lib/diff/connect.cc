// Consul Connect: sidecars, proxies and gateways.
#include "lib/diff/rules_declared.h"

namespace drover::diff {

template <>
struct Rules<model::ConsulUpstream> : PlainRules {
  static void nested(Nested<model::ConsulUpstream>& n) {
    n.value("MeshGateway", &model::ConsulUpstream::mesh_gateway);
    n.json("Config", &model::ConsulUpstream::config);
  }
};
template <>
struct Rules<model::ConsulExposeConfig> : PlainRules {
  static void nested(Nested<model::ConsulExposeConfig>& n) { n.set("Path", &model::ConsulExposeConfig::paths); }
};

namespace {

using model::ConsulTransparentProxy;

List<std::string> texts_of(const List<std::uint16_t>& ports) {
  List<std::string> out;
  for (const std::uint16_t port : ports) out.push_back(fmt::format("{}", port));
  return out;
}

Flat addresses(const model::Map<model::ConsulGatewayBindAddress>& map) {
  Flat out;
  for (const auto& [name, bind] : map) {
    const bool six = bind.address.find(':') != std::string::npos;
    out[name] = fmt::format("{}{}{}:{}", six ? "[" : "", bind.address, six ? "]" : "", bind.port);
  }
  return out;
}

}  // namespace

template <>
struct Rules<ConsulTransparentProxy> : PlainRules {
  static void nested(Nested<ConsulTransparentProxy>& n) {
    n.texts("ExcludeInboundPorts", &ConsulTransparentProxy::exclude_inbound_ports);
    n.add(text_set("ExcludeOutboundPorts", texts_of(n.before().exclude_outbound_ports), texts_of(n.after().exclude_outbound_ports), n.contextual()));
    n.texts("ExcludeOutboundCIDRs", &ConsulTransparentProxy::exclude_outbound_cidrs);
    n.texts("ExcludeUIDs", &ConsulTransparentProxy::exclude_u_ids);
  }
};
template <>
struct Rules<model::ConsulProxy> : PlainRules {
  static void nested(Nested<model::ConsulProxy>& n) {
    n.keyed("ConsulUpstreams", &model::ConsulProxy::upstreams,
            [](const auto& a, const auto& b) { return a.datacenter == b.datacenter && a.destination_name == b.destination_name; });
    n.json("Config", &model::ConsulProxy::config);
    n.object("Expose", &model::ConsulProxy::expose);
    n.object("TransparentProxy", &model::ConsulProxy::transparent_proxy);
  }
};
template <>
struct Rules<model::ConsulSidecarService> : PlainRules {
  static void nested(Nested<model::ConsulSidecarService>& n) {
    n.object("ConsulProxy", &model::ConsulSidecarService::proxy);
    n.texts("Tags", &model::ConsulSidecarService::tags);
  }
};
template <>
struct Rules<model::SidecarTask> : PlainRules {
  static constexpr bool shows_unchanged = false;
  static void nested(Nested<model::SidecarTask>& n) {
    n.json("Config", &model::SidecarTask::config);
    n.object("Resources", &model::SidecarTask::resources);
    n.fields("LogConfig", &model::SidecarTask::log_config);
    n.set("VolumeMount", &model::SidecarTask::volume_mounts);
    n.keyed("Identity", &model::SidecarTask::identities, [](const auto& a, const auto& b) { return a.name == b.name; });
  }
};
template <>
struct Rules<model::ConsulGatewayProxy> : PlainRules {
  static constexpr bool pointers = true;
  static void nested(Nested<model::ConsulGatewayProxy>& n) {
    n.flat("EnvoyGatewayBindAddresses", addresses(n.before().envoy_gateway_bind_addresses), addresses(n.after().envoy_gateway_bind_addresses));
    n.json("Config", &model::ConsulGatewayProxy::config);
  }
};
template <>
struct Rules<model::ConsulGatewayTLSConfig> : PlainRules {
  static void nested(Nested<model::ConsulGatewayTLSConfig>& n) {
    n.texts("CipherSuites", &model::ConsulGatewayTLSConfig::cipher_suites);
    n.fields("SDS", &model::ConsulGatewayTLSConfig::sds);
  }
};
template <>
struct Rules<model::ConsulIngressService> : PlainRules {
  static constexpr bool pointers = true;
  static void nested(Nested<model::ConsulIngressService>& n) {
    n.texts("Hosts", &model::ConsulIngressService::hosts);
    n.object("TLS", &model::ConsulIngressService::tls);
  }
};
template <>
struct Rules<model::ConsulIngressListener> : PlainRules {
  static void nested(Nested<model::ConsulIngressListener>& n) {
    n.keyed("ConsulIngressService", &model::ConsulIngressListener::services, [](const auto& a, const auto& b) { return a.name == b.name; });
  }
};
template <>
struct Rules<model::ConsulIngressConfigEntry> : PlainRules {
  static void nested(Nested<model::ConsulIngressConfigEntry>& n) {
    n.object("TLS", &model::ConsulIngressConfigEntry::tls);
    n.keyed("Listener", &model::ConsulIngressConfigEntry::listeners, [](const auto& a, const auto& b) { return a.protocol == b.protocol && a.port == b.port; });
  }
};
template <>
struct Rules<model::ConsulTerminatingConfigEntry> : PlainRules {
  static void nested(Nested<model::ConsulTerminatingConfigEntry>& n) {
    n.keyed("Service", &model::ConsulTerminatingConfigEntry::services, [](const auto& a, const auto& b) { return a.name == b.name; });
  }
};
template <>
struct Rules<model::ConsulGateway> : PlainRules {
  static void nested(Nested<model::ConsulGateway>& n) {
    n.object("Proxy", &model::ConsulGateway::proxy);
    n.object("Ingress", &model::ConsulGateway::ingress);
    n.object("Terminating", &model::ConsulGateway::terminating);
    n.object("Mesh", &model::ConsulGateway::mesh);
  }
};

void Rules<model::ConsulConnect>::nested(Nested<model::ConsulConnect>& n) {
  n.object("SidecarService", &model::ConsulConnect::sidecar_service);
  n.object("SidecarTask", &model::ConsulConnect::sidecar_task);
  n.object("Gateway", &model::ConsulConnect::gateway);
}

}  // namespace drover::diff
