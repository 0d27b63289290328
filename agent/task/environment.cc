#include "agent/task/environment.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace drover::agent {
namespace {
std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

// "0-1,4" of a sorted list.
std::string core_ranges(const model::List<std::uint16_t>& cores) {
  std::string out;
  for (std::size_t i = 0; i < cores.size();) {
    std::size_t end = i;
    while (end + 1 < cores.size() && cores[end + 1] == cores[end] + 1) ++end;
    out += fmt::format("{}{}", out.empty() ? "" : ",", cores[i]);
    if (end > i) out += fmt::format("-{}", cores[end]);
    i = end + 1;
  }
  return out;
}

std::string address(const std::string& ip, std::int64_t port) {
  return ip.find(':') == std::string::npos ? fmt::format("{}:{}", ip, port) : fmt::format("[{}]:{}", ip, port);
}

template <class Use>
void each_port(const model::List<model::NetworkResource>& networks, Use use) {
  for (const auto& network : networks) {
    for (const auto* ports : {&network.reserved_ports, &network.dynamic_ports}) {
      for (const auto& port : *ports) use(network.ip, port);
    }
  }
}

// Ports of a network block of a task itself, the form before group networks. What the driver maps is only for these: a label of the
// group has its `to`.
void add_task_ports(Environment& out, const EnvironmentInput& input) {
  const auto& tasks = input.alloc.allocated_resources->tasks;
  if (const auto* own = tasks.get(input.task.name); own != nullptr) {
    each_port(own->networks, [&](const std::string& ip, const model::Port& port) {
      const auto set = [&](const char* prefix, std::string value) { out[clean_key(fmt::format("{}{}", prefix, port.label))] = std::move(value); };
      const auto* mapped = input.driver_ports.get(port.label);
      set("NOMAD_IP_", ip);
      set(ip.find(':') == std::string::npos ? "NOMAD_IPv4_" : "NOMAD_IPv6_", ip);
      set("NOMAD_HOST_PORT_", std::to_string(port.value));
      set("NOMAD_ADDR_", address(ip, port.value));
      set("NOMAD_PORT_", std::to_string(mapped != nullptr ? *mapped : port.value));
    });
  }
  for (const auto& [name, other] : tasks) {
    if (name == input.task.name) continue;
    each_port(other.networks, [&, &task = name](const std::string& ip, const model::Port& port) {
      const auto set = [&](const char* prefix, std::string value) { out[clean_key(fmt::format("{}{}_{}", prefix, task, port.label))] = std::move(value); };
      set("NOMAD_ADDR_", address(ip, port.value));
      set("NOMAD_IP_", ip);
      set("NOMAD_PORT_", std::to_string(port.value));
    });
  }
}

void add_ports(Environment& out, const EnvironmentInput& input) {
  if (!input.alloc.allocated_resources) return;
  add_task_ports(out, input);
  for (const auto& port : input.alloc.allocated_resources->shared.ports) {
    const std::int64_t inside = port.to > 0 ? port.to : port.value;
    const auto set = [&](const char* prefix, std::string value) { out[clean_key(fmt::format("{}{}", prefix, port.label))] = std::move(value); };
    set("NOMAD_IP_", port.host_ip);
    set("NOMAD_ADDR_", address(port.host_ip, port.value));
    set("NOMAD_PORT_", std::to_string(inside));
    set("NOMAD_ALLOC_PORT_", std::to_string(inside));
    set("NOMAD_HOST_IP_", port.host_ip);
    set("NOMAD_HOST_PORT_", std::to_string(port.value));
    set("NOMAD_HOST_ADDR_", address(port.host_ip, port.value));
  }
}

void add_meta(Environment& out, const EnvironmentInput& input) {
  std::map<std::string, std::string> meta;
  if (input.alloc.job) {
    for (const auto& [key, value] : input.alloc.job->meta) meta[key] = value;
    if (input.alloc.job->parameterized_job) {
      for (const auto& key : input.alloc.job->parameterized_job->meta_optional) meta.try_emplace(key, "");
    }
  }
  for (const auto& [key, value] : input.group.meta) meta[key] = value;
  for (const auto& [key, value] : input.task.meta) meta[key] = value;
  for (const auto& [key, value] : meta) {
    out[clean_key("NOMAD_META_" + key)] = value;
    out[clean_key("NOMAD_META_" + upper(key))] = value;
  }
}
}  // namespace

std::string clean_key(std::string_view key) {
  constexpr std::array<std::string_view, 5> prefixes{"NOMAD_ADDR_", "NOMAD_IP_", "NOMAD_PORT_", "NOMAD_HOST_PORT_", "NOMAD_META_"};
  if (std::none_of(prefixes.begin(), prefixes.end(), [&](std::string_view prefix) { return key.starts_with(prefix); })) return std::string(key);
  std::string out(key);
  for (char& c : out) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_' && c != '.') c = '_';
  }
  return out;
}

Environment build_environment(const EnvironmentInput& input) {
  Environment out;
  const auto set = [&](const char* name, std::string value) {
    if (!value.empty()) out[name] = std::move(value);
  };
  set("NOMAD_ALLOC_DIR", input.alloc_dir);
  set("NOMAD_TASK_DIR", input.task_dir);
  set("NOMAD_SECRETS_DIR", input.secrets_dir);
  if (input.alloc.allocated_resources) {
    if (const auto* resources = input.alloc.allocated_resources->tasks.get(input.task.name); resources != nullptr) {
      if (resources->memory.memory_mb != 0) set("NOMAD_MEMORY_LIMIT", std::to_string(resources->memory.memory_mb));
      if (resources->memory.memory_max_mb != 0) set("NOMAD_MEMORY_MAX_LIMIT", std::to_string(resources->memory.memory_max_mb));
      if (resources->cpu.cpu_shares != 0) set("NOMAD_CPU_LIMIT", std::to_string(resources->cpu.cpu_shares));
      set("NOMAD_CPU_CORES", core_ranges(resources->cpu.reserved_cores));
    }
  }
  set("NOMAD_ALLOC_ID", input.alloc.id);
  set("NOMAD_SHORT_ALLOC_ID", input.alloc.id.substr(0, 8));
  set("NOMAD_ALLOC_NAME", input.alloc.name);
  if (const std::size_t open = input.alloc.name.rfind('['); open != std::string::npos && input.alloc.name.ends_with(']')) {
    set("NOMAD_ALLOC_INDEX", input.alloc.name.substr(open + 1, input.alloc.name.size() - open - 2));
  }
  set("NOMAD_TASK_NAME", input.task.name);
  set("NOMAD_GROUP_NAME", input.group.name);
  set("NOMAD_JOB_ID", input.alloc.job_id);
  if (input.alloc.job) {
    set("NOMAD_JOB_NAME", input.alloc.job->name);
    set("NOMAD_JOB_PARENT_ID", input.alloc.job->parent_id);
  }
  set("NOMAD_DC", input.node.datacenter);
  set("NOMAD_REGION", input.region);
  set("NOMAD_NAMESPACE", input.alloc.namespace_);
  set("NOMAD_PARENT_CGROUP", "nomad.slice");
  add_ports(out, input);
  add_meta(out, input);
  for (const auto& [key, value] : input.host) out.try_emplace(key, value);

  const auto variables = interpolation_variables(out, input.node, input.region);
  for (const auto& [key, value] : input.task.env) out[clean_key(key)] = interpolate(value, variables);
  return out;
}

std::map<std::string, std::string> interpolation_variables(const Environment& environment, const model::Node& node, const std::string& region) {
  std::map<std::string, std::string> out(environment.begin(), environment.end());
  for (const auto& [key, value] : environment) out["env." + key] = value;
  out["node.unique.id"] = node.id;
  out["node.unique.name"] = node.name;
  out["node.datacenter"] = node.datacenter;
  out["node.class"] = node.node_class;
  out["node.pool"] = node.node_pool;
  out["node.region"] = region;
  for (const auto& [key, value] : node.attributes) out["attr." + key] = value;
  for (const auto& [key, value] : node.meta) out["meta." + key] = value;
  return out;
}

std::string interpolate(std::string_view text, const std::map<std::string, std::string>& variables) {
  std::string out;
  while (true) {
    const std::size_t start = text.find("${");
    const std::size_t end = start == std::string_view::npos ? start : text.find('}', start);
    if (end == std::string_view::npos) return out.append(text);
    const std::string_view name = text.substr(start + 2, end - start - 2);
    out.append(text.substr(0, start));
    const auto at = variables.find(std::string(name));
    out.append(at != variables.end() ? std::string_view(at->second) : text.substr(start, end - start + 1));
    text.remove_prefix(end + 1);
  }
}

Environment filter_host_environment(const Environment& host) {
  constexpr std::array<std::string_view, 17> denied{
      "CONSUL_TOKEN", "CONSUL_HTTP_TOKEN", "CONSUL_HTTP_TOKEN_FILE", "NOMAD_TOKEN", "VAULT_TOKEN", "CONSUL_LICENSE", "NOMAD_LICENSE",
      "VAULT_LICENSE", "CONSUL_LICENSE_PATH", "NOMAD_LICENSE_PATH", "VAULT_LICENSE_PATH", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
      "AWS_SESSION_TOKEN", "AWS_METADATA_URL", "GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_OAUTH_ACCESS_TOKEN"};
  Environment out;
  for (const auto& [key, value] : host) {
    // They would let a task speak to the service manager in the agent's name.
    if (key != "NOTIFY_SOCKET" && !key.starts_with("WATCHDOG_") && std::find(denied.begin(), denied.end(), key) == denied.end()) out[key] = value;
  }
  return out;
}

}  // namespace drover::agent
