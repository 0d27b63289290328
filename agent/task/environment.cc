#include "agent/task/environment.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "sdk/base/text.h"

namespace drover::agent {
namespace {

constexpr std::string_view default_denylist =
    "CONSUL_TOKEN,CONSUL_HTTP_TOKEN,CONSUL_HTTP_TOKEN_FILE,NOMAD_TOKEN,VAULT_TOKEN,CONSUL_LICENSE,NOMAD_LICENSE,VAULT_LICENSE,"
    "CONSUL_LICENSE_PATH,NOMAD_LICENSE_PATH,VAULT_LICENSE_PATH,AWS_ACCESS_KEY_ID,AWS_SECRET_ACCESS_KEY,AWS_SESSION_TOKEN,"
    "AWS_METADATA_URL,GOOGLE_APPLICATION_CREDENTIALS,GOOGLE_OAUTH_ACCESS_TOKEN";
constexpr std::string_view cleaned_prefixes[] = {"NOMAD_ADDR_", "NOMAD_IP_", "NOMAD_PORT_", "NOMAD_HOST_PORT_", "NOMAD_META_"};

std::string address(const std::string& ip, std::int64_t port) {
  return ip.find(':') == std::string::npos ? fmt::format("{}:{}", ip, port) : fmt::format("[{}]:{}", ip, port);
}

std::string core_list(const model::List<std::uint16_t>& cores) {
  std::vector<std::uint16_t> sorted(cores.begin(), cores.end());
  std::sort(sorted.begin(), sorted.end());
  std::string out;
  for (std::size_t i = 0; i < sorted.size();) {
    std::size_t j = i;
    while (j + 1 < sorted.size() && sorted[j + 1] == sorted[j] + 1) ++j;
    if (!out.empty()) out += ',';
    out += i == j ? std::to_string(sorted[i]) : fmt::format("{}-{}", sorted[i], sorted[j]);
    i = j + 1;
  }
  return out;
}

class Builder {
 public:
  explicit Builder(const EnvironmentInput& input) : in_(input) {}

  Variables build() {
    basics();
    networks();
    meta();
    clean();
    for (const auto& [key, value] : in_.host) env_.emplace(key, value);
    const Variables node = node_variables(in_.node, in_.region);
    // Entries of the env block see everything built before them, not each other.
    const Variables before = env_;
    for (const auto& [key, value] : in_.task.env) env_[interpolate(key, before, node)] = interpolate(value, before, node);
    return std::move(env_);
  }

 private:
  void set(std::string key, std::string value) { if (!value.empty()) env_[std::move(key)] = std::move(value); }

  void basics() {
    const auto& alloc = in_.alloc;
    set("NOMAD_ALLOC_DIR", in_.directories.alloc);
    set("NOMAD_TASK_DIR", in_.directories.task);
    set("NOMAD_SECRETS_DIR", in_.directories.secrets);
    if (const auto* resources = task_resources(); resources != nullptr) {
      if (resources->memory.memory_mb != 0) set("NOMAD_MEMORY_LIMIT", std::to_string(resources->memory.memory_mb));
      if (resources->memory.memory_max_mb != 0) set("NOMAD_MEMORY_MAX_LIMIT", std::to_string(resources->memory.memory_max_mb));
      if (resources->cpu.cpu_shares != 0) set("NOMAD_CPU_LIMIT", std::to_string(resources->cpu.cpu_shares));
      set("NOMAD_CPU_CORES", core_list(resources->cpu.reserved_cores));
    }
    set("NOMAD_ALLOC_ID", alloc.id);
    set("NOMAD_SHORT_ALLOC_ID", alloc.id.substr(0, 8));
    set("NOMAD_ALLOC_NAME", alloc.name);
    set("NOMAD_ALLOC_INDEX", alloc_index(alloc.name));
    set("NOMAD_TASK_NAME", in_.task.name);
    set("NOMAD_GROUP_NAME", in_.group.name);
    set("NOMAD_JOB_ID", alloc.job ? alloc.job->id : alloc.job_id);
    if (alloc.job) {
      set("NOMAD_JOB_NAME", alloc.job->name);
      set("NOMAD_JOB_PARENT_ID", alloc.job->parent_id);
    }
    set("NOMAD_DC", in_.node.datacenter);
    set("NOMAD_REGION", in_.region);
    set("NOMAD_NAMESPACE", alloc.namespace_);
    set("NOMAD_PARENT_CGROUP", in_.node.cgroup_parent);
  }

  [[nodiscard]] const model::AllocatedTaskResources* task_resources() const {
    return in_.alloc.allocated_resources ? in_.alloc.allocated_resources->tasks.get(in_.task.name) : nullptr;
  }

  void networks() {
    if (!in_.alloc.allocated_resources) return;
    for (const auto& port : in_.alloc.allocated_resources->shared.ports) group_port(port);
    for (const auto& [task, resources] : in_.alloc.allocated_resources->tasks) {
      for (const auto& network : resources.networks) {
        for (const auto* list : {&network.reserved_ports, &network.dynamic_ports})
          for (const auto& port : *list) legacy_port(task, network.ip, port);
      }
    }
  }
  void group_port(const model::AllocatedPortMapping& port) {
    const auto inner = port.to > 0 ? port.to : port.value;
    set("NOMAD_IP_" + port.label, port.host_ip);
    set("NOMAD_HOST_IP_" + port.label, port.host_ip);
    set("NOMAD_PORT_" + port.label, std::to_string(inner));
    set("NOMAD_ALLOC_PORT_" + port.label, std::to_string(inner));
    set("NOMAD_HOST_PORT_" + port.label, std::to_string(port.value));
    set("NOMAD_ADDR_" + port.label, address(port.host_ip, port.value));
    set("NOMAD_HOST_ADDR_" + port.label, address(port.host_ip, port.value));
    if (!in_.alloc.network_status) return;
    const auto& status = *in_.alloc.network_status;
    set("NOMAD_ALLOC_INTERFACE_" + port.label, status.interface_name);
    set("NOMAD_ALLOC_IP_" + port.label, status.address);
    if (!status.address.empty()) set("NOMAD_ALLOC_ADDR_" + port.label, address(status.address, inner));
  }
  void legacy_port(const std::string& task, const std::string& ip, const model::Port& port) {
    const auto inner = port.to > 0 ? port.to : port.value;
    if (task == in_.task.name) {
      set("NOMAD_IP_" + port.label, ip);
      set("NOMAD_PORT_" + port.label, std::to_string(inner));
      set("NOMAD_ADDR_" + port.label, address(ip, port.value));
      set("NOMAD_HOST_PORT_" + port.label, std::to_string(port.value));
    } else {
      const std::string suffix = task + "_" + port.label;
      set("NOMAD_IP_" + suffix, ip);
      set("NOMAD_PORT_" + suffix, std::to_string(port.value));
      set("NOMAD_ADDR_" + suffix, address(ip, port.value));
    }
  }

  void meta() {
    Variables merged;
    if (in_.alloc.job) {
      for (const auto& [key, value] : in_.alloc.job->meta) merged[key] = value;
      if (in_.alloc.job->parameterized_job)
        for (const auto& key : in_.alloc.job->parameterized_job->meta_optional) merged.emplace(key, "");
    }
    for (const auto& [key, value] : in_.group.meta) merged[key] = value;
    for (const auto& [key, value] : in_.task.meta) merged[key] = value;
    const Variables node = node_variables(in_.node, in_.region);
    const Variables before = env_;
    for (const auto& [key, value] : merged) {
      const std::string text = interpolate(value, before, node);
      std::string upper = key;
      std::transform(upper.begin(), upper.end(), upper.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
      env_["NOMAD_META_" + upper] = text;
      env_["NOMAD_META_" + key] = text;
    }
  }

  void clean() {
    Variables out;
    for (auto& [key, value] : env_) {
      const bool cleaned = std::any_of(std::begin(cleaned_prefixes), std::end(cleaned_prefixes), [&](std::string_view p) { return key.starts_with(p); });
      out[cleaned ? clean_variable_name(key) : key] = std::move(value);
    }
    env_ = std::move(out);
  }

  const EnvironmentInput& in_;
  Variables env_;
};

}  // namespace

std::string clean_variable_name(std::string_view name) {
  std::string out(name);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto c = static_cast<unsigned char>(out[i]);
    if (std::isalpha(c) || c == '_' || c == '.' || (std::isdigit(c) && i > 0)) continue;
    out[i] = '_';
  }
  return out;
}

std::string alloc_index(std::string_view name) {
  const auto open = name.rfind('[');
  if (open == std::string_view::npos || !name.ends_with(']')) return {};
  return std::string(name.substr(open + 1, name.size() - open - 2));
}

Variables node_variables(const model::Node& node, const std::string& region) {
  Variables out;
  out["node.unique.id"] = node.id;
  out["node.unique.name"] = node.name;
  out["node.datacenter"] = node.datacenter;
  out["node.region"] = region;
  out["node.class"] = node.node_class;
  out["node.pool"] = node.node_pool;
  for (const auto& [key, value] : node.attributes) out["attr." + key] = value;
  for (const auto& [key, value] : node.meta) out["meta." + key] = value;
  return out;
}

Variables task_environment(const EnvironmentInput& input) { return Builder(input).build(); }

Variables filter_host_environment(const Variables& environment, const std::string& denylist) {
  std::set<std::string, std::less<>> denied;
  for (const auto& name : split(denylist.empty() ? default_denylist : std::string_view(denylist), ',')) denied.insert(std::string(trim(name)));
  Variables out;
  for (const auto& [key, value] : environment) {
    // NOTIFY_SOCKET would let a task speak to the service manager for us.
    if (denied.contains(key) || key == "NOTIFY_SOCKET" || key == "NOMAD_CLIENT_INTRO_TOKEN") continue;
    out.emplace(key, value);
  }
  return out;
}

}  // namespace drover::agent
