#include <algorithm>

#include "agent/task/hooks/hook.h"

namespace drover::agent {
namespace {

driver::Port to_driver(const model::Port& port) {
  return {port.label, static_cast<std::int32_t>(port.value), static_cast<std::int32_t>(port.to), {}};
}

// Names, limits, ports and DNS of the TaskConfig (client.md 3.3).
class ResourcesHook final : public TaskHook {
 public:
  [[nodiscard]] std::string_view name() const override { return "resources"; }
  Async<Result<>> prestart(TaskStart& start) override {
    auto& config = start.config;
    const auto& alloc = *start.alloc;
    config.name = start.task.name;
    config.job_id = alloc.job_id;
    config.job_name = alloc.job ? alloc.job->name : alloc.job_id;
    config.parent_job_id = alloc.job ? alloc.job->parent_id : std::string();
    config.task_group_name = start.group.name;
    config.alloc_id = alloc.id;
    config.namespace_ = alloc.namespace_;
    config.node_name = start.context.node.name;
    config.node_id = start.context.node.id;
    config.user = start.task.user;
    config.alloc_dir = start.paths.root;
    config.resources = resources(start);
    if (!start.group.networks.empty() && start.group.networks.front().dns) {
      const auto& dns = *start.group.networks.front().dns;
      config.dns = driver::DnsConfig{dns.servers, dns.searches, dns.options};
    }
    co_return Result<>{};
  }

 private:
  static driver::Resources resources(const TaskStart& start) {
    driver::Resources out;
    const auto& allocated = start.alloc->allocated_resources;
    if (!allocated) return out;
    for (const auto& port : allocated->shared.ports)
      out.ports.push_back({port.label, static_cast<std::int32_t>(port.value), static_cast<std::int32_t>(port.to), port.host_ip});
    const auto* task = allocated->tasks.get(start.task.name);
    if (task == nullptr) return out;
    out.cpu_shares = task->cpu.cpu_shares;
    out.memory_mb = task->memory.memory_mb;
    out.memory_max_mb = task->memory.memory_max_mb;
    out.reserved_cores.assign(task->cpu.reserved_cores.begin(), task->cpu.reserved_cores.end());
    for (const auto& network : task->networks) {
      driver::NetworkResource made;
      made.device = network.device;
      made.cidr = network.cidr;
      made.ip = network.ip;
      made.mbits = static_cast<std::int32_t>(network.m_bits);
      for (const auto& port : network.reserved_ports) made.reserved_ports.push_back(to_driver(port));
      for (const auto& port : network.dynamic_ports) made.dynamic_ports.push_back(to_driver(port));
      out.networks.push_back(std::move(made));
    }
    auto& linux_resources = out.linux_resources;
    linux_resources.cpu_shares = task->cpu.cpu_shares;
    linux_resources.memory_limit_bytes = std::max(task->memory.memory_mb, task->memory.memory_max_mb) * 1024 * 1024;
    for (const auto core : out.reserved_cores)
      linux_resources.cpuset_cpus += (linux_resources.cpuset_cpus.empty() ? "" : ",") + std::to_string(core);
    linux_resources.cpuset_cgroup = fmt::format("/sys/fs/cgroup/nomad.slice/{}/{}.{}.scope", out.reserved_cores.empty() ? "share.slice" : "reserve.slice",
                                                start.alloc->id, start.task.name);
    if (const auto& node = start.context.node.node_resources; node && node->cpu.cpu_shares > 0)
      linux_resources.percent_ticks = static_cast<double>(task->cpu.cpu_shares) / static_cast<double>(node->cpu.cpu_shares);
    return out;
  }
};

}  // namespace

std::unique_ptr<TaskHook> make_resources_hook() { return std::make_unique<ResourcesHook>(); }

}  // namespace drover::agent
