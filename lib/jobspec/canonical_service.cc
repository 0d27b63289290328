#include <fmt/format.h>

#include "lib/jobspec/canonical_parts.h"

namespace drover::jobspec {

namespace {

void canonicalize_check_restart(Json& restart) {
  if (restart.is_null()) return;
  fill(restart, "Grace", second_ns);
}

// The service's settings, over which the check's own stand where they are not zero.
Json merged_check_restart(const Json& service, const Json& check) {
  if (service.is_null()) return check;
  if (check.is_null()) return service;
  Json out = check;
  if (out["Limit"] == 0) out["Limit"] = service.at("Limit");
  fill(out, "Grace", service.at("Grace"));
  if (out["IgnoreWarnings"] == false) out["IgnoreWarnings"] = service.at("IgnoreWarnings");
  return out;
}

void canonicalize_upstreams(Json& proxy) {
  null_when_empty(proxy, "Upstreams");
  null_when_empty(proxy, "Config");
  if (!proxy["Upstreams"].is_array()) return;
  for (Json& upstream : proxy["Upstreams"]) null_when_empty(upstream, "Config");
}

void canonicalize_sidecar_service(Json& sidecar) {
  if (sidecar.is_null()) return;
  null_when_empty(sidecar, "Tags");
  null_when_empty(sidecar, "Meta");
  if (Json& proxy = sidecar["Proxy"]; !proxy.is_null()) {
    canonicalize_upstreams(proxy);
    if (Json& expose = proxy["Expose"]; !expose.is_null()) {
      null_when_empty(expose, "Paths");
      null_when_empty(expose, "Path");
    }
  }
}

void canonicalize_sidecar_task(Json& task) {
  if (task.is_null()) return;
  null_when_empty(task, "Config");
  null_when_empty(task, "Env");
  null_when_empty(task, "Meta");
  canonicalize_resources(task["Resources"]);
  fill(task, "KillTimeout", 5 * second_ns);
  fill(task, "ShutdownDelay", 0);
  if (!task["LogConfig"].is_null()) canonicalize_logs(task["LogConfig"]);
  canonicalize_volume_mounts(task["VolumeMounts"]);
}

void canonicalize_gateway(Json& gateway) {
  if (gateway.is_null()) return;
  if (Json& proxy = gateway["Proxy"]; !proxy.is_null()) {
    fill(proxy, "ConnectTimeout", 5 * second_ns);
    null_when_empty(proxy, "EnvoyGatewayBindAddresses");
    null_when_empty(proxy, "Config");
  }
  if (Json& ingress = gateway["Ingress"]; !ingress.is_null() && ingress["Listeners"].is_array()) {
    for (Json& listener : ingress["Listeners"]) {
      fill_text(listener, "Protocol", "tcp");
      null_when_empty(listener, "Services");
      if (!listener["Services"].is_array()) continue;
      for (Json& service : listener["Services"]) null_when_empty(service, "Hosts");
    }
  }
  if (Json& terminating = gateway["Terminating"]; !terminating.is_null()) null_when_empty(terminating, "Services");
}

}  // namespace

void canonicalize_service(Json& service, const Json* task, const Json& group, const Json& job) {
  const auto text = [](const Json& object, const char* name) { return object.at(name).get<std::string>(); };
  if (service["Name"] == "") {
    std::string name = fmt::format("{}-{}", text(job, "Name"), text(group, "Name"));
    if (task != nullptr) name += "-" + text(*task, "Name");
    service["Name"] = name;
  }
  fill_text(service, "AddressMode", "auto");
  fill_text(service, "OnUpdate", "require_healthy");
  fill_text(service, "Provider", "consul");
  if (service["Provider"] == "consul") fill_text(service, "Cluster", "default");
  for (const char* name : {"Meta", "CanaryMeta", "TaggedAddresses"}) null_when_empty(service, name);
  if (Json& connect = service["Connect"]; !connect.is_null()) {
    canonicalize_sidecar_service(connect["SidecarService"]);
    canonicalize_sidecar_task(connect["SidecarTask"]);
    canonicalize_gateway(connect["Gateway"]);
  }
  canonicalize_check_restart(service["CheckRestart"]);
  if (!service["Checks"].is_array()) return;
  for (Json& check : service["Checks"]) {
    check["CheckRestart"] = merged_check_restart(service["CheckRestart"], check["CheckRestart"]);
    canonicalize_check_restart(check["CheckRestart"]);
    fill_text(check, "OnUpdate", text(service, "OnUpdate"));
  }
}

}  // namespace drover::jobspec
