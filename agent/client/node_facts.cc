#include "agent/client/node_facts.h"

#include "agent/fingerprint/fingerprint.h"
#include "sdk/base/text.h"

namespace drover::agent {
namespace {
std::string to_text(const driver::Attribute& attribute) {
  std::string out;
  if (const bool* flag = std::get_if<bool>(&attribute.value)) out = *flag ? "true" : "false";
  else if (const auto* integer = std::get_if<std::int64_t>(&attribute.value)) out = std::to_string(*integer);
  else if (const double* number = std::get_if<double>(&attribute.value)) out = fmt::format("{}", *number);
  else out = std::get<std::string>(attribute.value);
  return out + attribute.unit;
}
}  // namespace

model::Node gather_node_facts(const ClientOptions& options, const std::string& node_id, const std::string& secret_id) {
  const Config& config = options.config;
  model::Node node;
  node.id = node_id;
  node.secret_id = secret_id;
  node.datacenter = config.datacenter;
  node.name = config.name;
  node.http_addr = options.http_address;
  node.tls_enabled = config.tls.http;
  node.node_class = config.client.node_class;
  node.node_pool = config.client.node_pool.empty() ? "default" : config.client.node_pool;
  node.cgroup_parent = config.client.cgroup_parent.empty() ? "nomad.slice" : config.client.cgroup_parent;
  node.scheduling_eligibility = config.client.default_ineligible ? "ineligible" : "eligible";
  node.status = "initializing";
  node.node_max_allocs = config.client.node_max_allocs;
  node.links.allocate();
  node.meta.allocate();
  node.attributes.allocate();
  node.drivers.allocate();
  const std::pair<const char*, const char*> defaults[] = {{"connect.sidecar_image", "docker.io/envoyproxy/envoy:v${NOMAD_envoy_version}"},
                                                          {"connect.gateway_image", "docker.io/envoyproxy/envoy:v${NOMAD_envoy_version}"},
                                                          {"connect.log_level", "info"},
                                                          {"connect.proxy_concurrency", "1"},
                                                          {"connect.transparent_proxy.default_uid", "101"},
                                                          {"connect.transparent_proxy.default_outbound_port", "15001"}};
  for (const auto& [key, value] : defaults) node.meta[key] = value;
  for (const auto& [key, value] : config.client.meta) node.meta[key] = value;
  for (const auto& [name, volume] : config.client.host_volumes) {
    model::ClientHostVolumeConfig entry;
    entry.name = name;
    entry.path = volume.path;
    entry.read_only = volume.read_only;
    node.host_volumes[name] = std::move(entry);
  }
  auto& reserved = node.reserved_resources.ensure();
  reserved.cpu.cpu_shares = config.client.reserved.cpu;
  reserved.memory.memory_mb = config.client.reserved.memory;
  reserved.disk.disk_mb = config.client.reserved.disk;
  reserved.networks.reserved_host_ports = config.client.reserved.reserved_ports;
  const Host host = read_host(config.client.alloc_dir);
  run_fingerprints({host, config, options.version, ""}, node);
  return node;
}

void refresh_node_facts(const ClientOptions& options, model::Node& node) {
  const Host host = read_host(options.config.client.alloc_dir);
  rerun_fingerprints({host, options.config, options.version, ""}, node);
}

void add_driver_facts(model::Node& node, const pluginhost::DriverManager& manager, DriverUpdateTimes& times, UnixNanos now) {
  for (const std::string& name : manager.drivers()) {
    const driver::Fingerprint fingerprint = manager.fingerprint(name);
    model::DriverInfo info;
    info.detected = fingerprint.health != driver::Health::undetected;
    info.healthy = fingerprint.health == driver::Health::healthy;
    info.health_description = fingerprint.description;
    info.attributes.allocate();
    const std::string prefix = "driver." + name;
    for (const auto& [key, value] : fingerprint.attributes) info.attributes[key] = to_text(value);
    auto& seen = times.drivers[name];
    if (seen.changed == 0 || !(seen.info == info)) {
      seen.info = info;
      seen.changed = now;
    }
    info.update_time = model::Time(seen.changed);
    if (info.detected) node.attributes[prefix] = "1";
    for (const auto& [key, value] : info.attributes) {
      if (key != prefix && !value.empty()) node.attributes[key] = value;
    }
    node.drivers[name] = std::move(info);
  }
}

}  // namespace drover::agent
