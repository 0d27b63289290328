// What makes a service's connect block, or a task's schedule, unfit.
#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include "lib/jobspec/problems.h"

namespace drover::jobspec {

namespace {

// Why a text is no prefix such as 10.0.0.0/8, in the words of Go's netip; empty when it is one.
std::string prefix_problem(const std::string& text) {
  const auto wrong = [&](const std::string& why) { return fmt::format("netip.ParsePrefix({}): {}", quote(text), why); };
  const std::size_t slash = text.rfind('/');
  if (slash == std::string::npos) return wrong("no '/'");
  const std::string address = text.substr(0, slash);
  const std::string bits = text.substr(slash + 1);
  in6_addr bytes{};
  const bool four = inet_pton(AF_INET, address.c_str(), &bytes) == 1;
  if (!four && inet_pton(AF_INET6, address.c_str(), &bytes) != 1) return wrong(fmt::format("ParseAddr({}): unable to parse IP", quote(address)));
  int count = -1;
  const auto [end, error] = std::from_chars(bits.data(), bits.data() + bits.size(), count);
  if (error != std::errc() || end != bits.data() + bits.size() || count < 0) return wrong(fmt::format("bad bits after slash: {}", quote(bits)));
  return count > (four ? 32 : 128) ? wrong("prefix length out of range") : "";
}

std::string user_id_problem(const std::string& text) {
  std::uint16_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error == std::errc::result_out_of_range) return fmt::format("invalid user ID {}: value out of range", quote(text));
  return error != std::errc() || end != text.data() + text.size() ? fmt::format("invalid user ID {}: invalid syntax", quote(text)) : "";
}

void check_transparent_proxy(const model::ConsulTransparentProxy& proxy, Problems& out) {
  for (const std::string& prefix : proxy.exclude_outbound_cidrs) {
    if (const std::string why = prefix_problem(prefix); !why.empty()) out.add("could not parse transparent proxy excluded outbound CIDR as network prefix: {}", why);
  }
  if (!proxy.uid.empty()) {
    if (const std::string why = user_id_problem(proxy.uid); !why.empty()) out.add("transparent proxy block has invalid UID field: {}", why);
  }
  for (const std::string& id : proxy.exclude_u_ids) {
    if (const std::string why = user_id_problem(id); !why.empty()) out.add("transparent proxy block has invalid ExcludeUIDs field: {}", why);
  }
}

std::string gateway_proxy_problem(const model::ConsulGatewayProxy& proxy) {
  if (!proxy.connect_timeout) return "Consul Gateway Proxy connection_timeout must be set";
  const std::string& discovery = proxy.envoy_dns_discovery_type;
  if (!discovery.empty() && discovery != "STRICT_DNS" && discovery != "LOGICAL_DNS") return "Consul Gateway Proxy Envoy DNS Discovery type must be STRICT_DNS or LOGICAL_DNS";
  for (const auto& [name, bind] : proxy.envoy_gateway_bind_addresses) {
    if (bind.address.empty()) return "Consul Gateway Bind Address must be set";
    if (bind.port <= 0 && bind.port != -1) return "Consul Gateway Bind Address must set valid Port";
  }
  return {};
}

std::string ingress_service_problem(const model::ConsulIngressService& service, const std::string& protocol) {
  if (service.name.empty()) return "Consul Ingress Service requires a name";
  const bool wildcard = service.name == "*";
  if (protocol == "tcp") {
    if (wildcard) return "Consul Ingress Service doesn't support wildcard name for \"tcp\" protocol";
    if (!service.hosts.empty()) return "Consul Ingress Service doesn't support associating hosts to a service for the \"tcp\" protocol";
  } else if (wildcard && !service.hosts.empty()) {
    return "Consul Ingress Service with a wildcard \"*\" service name can not also specify hosts";
  }
  return {};
}

std::string ingress_problem(const model::ConsulIngressConfigEntry& ingress) {
  if (ingress.listeners.empty()) return "Consul Ingress Gateway requires at least one listener";
  for (const model::ConsulIngressListener& listener : ingress.listeners) {
    if (listener.port <= 0) return "Consul Ingress Listener requires valid Port";
    const std::string& protocol = listener.protocol;
    if (protocol != "tcp" && protocol != "http" && protocol != "http2" && protocol != "grpc") {
      return fmt::format("Consul Ingress Listener requires protocol of tcp, http, http2, grpc, got {}", quote(protocol));
    }
    if (listener.services.empty()) return "Consul Ingress Listener requires one or more services";
    for (const model::ConsulIngressService& service : listener.services) {
      if (std::string why = ingress_service_problem(service, protocol); !why.empty()) return why;
    }
  }
  return {};
}

std::string terminating_problem(const model::ConsulTerminatingConfigEntry& terminating) {
  if (terminating.services.empty()) return "Consul Terminating Gateway requires at least one service";
  for (const model::ConsulLinkedService& service : terminating.services) {
    if (service.name.empty()) return "Consul Linked Service requires Name";
    const bool authority = !service.ca_file.empty();
    if ((!service.cert_file.empty() || !service.key_file.empty()) && !authority) return "Consul Linked Service TLS requires CAFile";
    if (service.cert_file.empty() != service.key_file.empty()) return "Consul Linked Service TLS Cert and Key must both be set";
    if (!service.sni.empty() && !authority) return "Consul Linked Service TLS SNI requires CAFile";
  }
  return {};
}

std::string gateway_problem(const model::ConsulGateway& gateway) {
  std::string why;
  if (gateway.proxy) why = gateway_proxy_problem(*gateway.proxy);
  if (why.empty() && gateway.ingress) why = ingress_problem(*gateway.ingress);
  if (why.empty() && gateway.terminating) why = terminating_problem(*gateway.terminating);
  const int kinds = (gateway.ingress ? 1 : 0) + (gateway.terminating ? 1 : 0) + (gateway.mesh ? 1 : 0);
  return why.empty() && kinds != 1 ? "One Consul Gateway Configuration must be set" : why;
}

}  // namespace

Problems check_connect(const model::Service& service) {
  Problems out;
  const auto& connect = *service.connect;
  const int ways = (connect.native ? 1 : 0) + (connect.sidecar_service ? 1 : 0) + (connect.gateway ? 1 : 0);
  if (ways != 1) {
    out.add("Consul Connect must be exclusively native, make use of a sidecar, or represent a Gateway");
  } else if (connect.gateway) {
    if (std::string why = gateway_problem(*connect.gateway); !why.empty()) out.add_text(std::move(why));
  }
  if (connect.native) {
    if (service.task_name.empty()) out.add("Service {} is Connect Native and requires setting the task", service.name);
    if (service.port_label.empty()) out.add("Service {} is Connect Native and requires setting the port", service.name);
  }
  if (connect.sidecar_service && connect.sidecar_service->proxy) {
    const model::ConsulProxy& proxy = *connect.sidecar_service->proxy;
    for (const model::ConsulUpstream& upstream : proxy.upstreams) {
      const std::string& mode = upstream.mesh_gateway.mode;
      if (!mode.empty() && mode != "none" && mode != "local" && mode != "remote") out.add("Connect mesh_gateway mode {} not supported", quote(mode));
    }
    if (proxy.transparent_proxy) check_transparent_proxy(*proxy.transparent_proxy, out);
  }
  return out;
}

Problems check_connect_proxy(const model::Task& task, const model::TaskGroup& group) {
  Problems out;
  constexpr std::string_view kind = "connect-proxy:";
  if (!task.kind.starts_with(kind)) return out;
  if (!task.services.empty()) out.add("Connect proxy task must not have a service block");
  if (task.leader) out.add("Connect proxy task must not have leader set");
  const std::string wanted = task.kind.substr(kind.size());
  std::vector<std::string> others;
  for (const model::Service& service : group.services) {
    if (!service.connect || !service.connect->sidecar_service) continue;
    if (service.name == wanted) return out;
    others.push_back(service.name);
  }
  if (others.empty()) out.add("No Connect services in task group with Connect proxy ({})", quote(wanted));
  else out.add("Connect proxy service name ({}) not found in Connect services from task group: [{}]", quote(wanted), join(others, " "));
  return out;
}

Problems check_schedule(const model::TaskSchedule& schedule) {
  Problems out;
  if (!schedule.cron) {
    out.add("must specify cron block");
    return out;
  }
  const auto fields = [](const std::string& text) {
    std::size_t count = 0;
    bool blank = true;
    for (const char c : text) {
      if (blank && c != ' ') count++;
      blank = c == ' ';
    }
    return count;
  };
  struct Part { const char* name; const std::string& text; std::size_t wanted; };
  for (const Part& part : {Part{"cron.start", schedule.cron->start, 6}, Part{"cron.end", schedule.cron->end, 2}}) {
    if (fields(part.text) != part.wanted) out.add("{} must contain {} fields", part.name, part.wanted);
    for (const char* bad : {"/", ","}) {
      if (part.text.find(bad) != std::string::npos) out.add("{} must not contain {}", part.name, quote(bad));
    }
  }
  return out;
}

}  // namespace drover::jobspec
