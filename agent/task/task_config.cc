#include "agent/task/task_config.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sdk/base/text.h"

namespace drover::agent {

namespace {
std::vector<driver::Port> ports_of(const model::List<model::Port>& ports) {
  std::vector<driver::Port> out;
  for (const auto& port : ports) out.push_back({.label = port.label, .value = static_cast<std::int32_t>(port.value), .to = 0, .host_ip = {}});
  return out;
}
}  // namespace

driver::TaskConfig make_task_config(const TaskConfigInput& input) {
  driver::TaskConfig out;
  out.id = input.driver_task_id;
  out.name = input.task.name;
  out.task_group_name = input.group.name;
  out.alloc_id = input.alloc.id;
  out.namespace_ = input.alloc.namespace_;
  out.job_id = input.alloc.job_id;
  if (input.alloc.job) {
    out.job_name = input.alloc.job->name;
    out.parent_job_id = input.alloc.job->parent_id;
  }
  out.node_id = input.node.id;
  out.node_name = input.node.name;
  out.driver_config = input.driver_config;
  out.env = input.environment;
  for (const auto& [name, value] : input.devices.envs) out.env[name] = value;
  out.device_env = input.devices.envs;
  for (const auto& mount : input.devices.mounts) {
    out.mounts.push_back({.task_path = mount.task_path, .host_path = mount.host_path, .readonly = mount.read_only, .propagation_mode = {}, .selinux_label = {}});
  }
  for (const auto& node : input.devices.devices) out.devices.push_back({node.task_path, node.host_path, node.permissions});
  out.user = input.task.user;
  out.alloc_dir = input.alloc_dir;
  out.stdout_path = fmt::format("{}/alloc/logs/.{}.stdout.fifo", input.alloc_dir, input.task.name);
  out.stderr_path = fmt::format("{}/alloc/logs/.{}.stderr.fifo", input.alloc_dir, input.task.name);

  driver::Resources resources;
  if (input.alloc.allocated_resources) {
    const auto& allocated = *input.alloc.allocated_resources;
    if (const auto* task = allocated.tasks.get(input.task.name); task != nullptr) {
      resources.cpu_shares = task->cpu.cpu_shares;
      resources.reserved_cores.assign(task->cpu.reserved_cores.begin(), task->cpu.reserved_cores.end());
      resources.memory_mb = task->memory.memory_mb;
      resources.memory_max_mb = task->memory.memory_max_mb;
      for (const auto& network : task->networks) {
        resources.networks.push_back({.device = network.device, .cidr = network.cidr, .ip = network.ip, .mbits = static_cast<std::int32_t>(network.m_bits),
                                      .reserved_ports = ports_of(network.reserved_ports), .dynamic_ports = ports_of(network.dynamic_ports)});
      }
    }
    for (const auto& port : allocated.shared.ports) {
      resources.ports.push_back({port.label, static_cast<std::int32_t>(port.value), static_cast<std::int32_t>(port.to), port.host_ip});
    }
  }
  auto& linux_resources = resources.linux_resources;
  linux_resources.cpu_shares = resources.cpu_shares;
  linux_resources.memory_limit_bytes = std::max(resources.memory_mb, resources.memory_max_mb) << 20;
  std::vector<std::string> cores;
  for (const auto core : resources.reserved_cores) cores.push_back(std::to_string(core));
  linux_resources.cpuset_cpus = join(cores, ",");
  if (input.node.node_resources && input.node.node_resources->cpu.cpu_shares > 0) {
    linux_resources.percent_ticks = static_cast<double>(resources.cpu_shares) / static_cast<double>(input.node.node_resources->cpu.cpu_shares);
  }
  linux_resources.cpuset_cgroup = fmt::format("/sys/fs/cgroup/nomad.slice/{}.slice/{}.{}.scope", cores.empty() ? "share" : "reserve",
                                              input.alloc.id, input.task.name);
  out.resources = std::move(resources);
  return out;
}

std::string config_variables_json(const Environment& environment, const model::Node& node, const std::string& region) {
  nlohmann::json out = nlohmann::json::object();
  for (const auto& [key, value] : interpolation_variables(environment, node, region)) out[key] = value;
  return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace drover::agent
