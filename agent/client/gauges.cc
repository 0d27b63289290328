#include "agent/client/gauges.h"

#include <algorithm>

namespace drover::agent {
namespace {

double whole(auto value) { return static_cast<double>(value); }

metrics::Labels with(metrics::Labels labels, std::string_view name, const std::string& value) {
  labels.emplace_back(name, value);
  return labels;
}

struct Amount {
  std::int64_t cpu = 0;         // MHz
  std::int64_t memory = 0;      // MiB
  std::int64_t max_memory = 0;  // MiB
  std::int64_t disk = 0;        // MiB
};

void add(Amount& sum, const model::AllocatedResources& resources) {
  for (const auto& [name, task] : resources.tasks) {
    sum.cpu += task.cpu.cpu_shares;
    sum.memory += task.memory.memory_mb;
    sum.max_memory += task.memory.memory_max_mb > 0 ? task.memory.memory_max_mb : task.memory.memory_mb;
  }
  sum.disk += resources.shared.disk_mb;
}

void set_amounts(const metrics::Meter& meter, const model::Node& node, const Amount& taken, const metrics::Labels& labels) {
  meter.gauge("client.allocated.cpu", whole(taken.cpu), labels);
  meter.gauge("client.allocated.memory", whole(taken.memory), labels);
  meter.gauge("client.allocated.max_memory", whole(taken.max_memory), labels);
  meter.gauge("client.allocated.disk", whole(taken.disk), labels);
  if (!node.node_resources) return;
  const model::NodeResources& there = *node.node_resources;
  const model::NodeReservedResources reserved = node.reserved_resources ? *node.reserved_resources : model::NodeReservedResources{};
  meter.gauge("client.unallocated.cpu", whole(there.cpu.cpu_shares - reserved.cpu.cpu_shares - taken.cpu), labels);
  meter.gauge("client.unallocated.memory", whole(there.memory.memory_mb - reserved.memory.memory_mb - taken.memory), labels);
  meter.gauge("client.unallocated.disk", whole(there.disk.disk_mb - reserved.disk.disk_mb - taken.disk), labels);
  for (const auto& network : there.networks) {
    meter.gauge("client.unallocated.network", whole(network.m_bits), with(labels, "device", network.device));
  }
}

void set_cpu(const metrics::Meter& meter, const driver::CpuUsage& cpu, const model::AllocatedTaskResources* resources, const metrics::Labels& labels) {
  meter.gauge("client.allocs.cpu.total_percent", cpu.percent, labels);
  meter.gauge("client.allocs.cpu.system", cpu.system_mode, labels);
  meter.gauge("client.allocs.cpu.user", cpu.user_mode, labels);
  meter.gauge("client.allocs.cpu.throttled_time", whole(cpu.throttled_time), labels);
  meter.gauge("client.allocs.cpu.throttled_periods", whole(cpu.throttled_periods), labels);
  meter.gauge("client.allocs.cpu.total_ticks", cpu.total_ticks, labels);
  meter.count("client.allocs.cpu.total_ticks_count", cpu.total_ticks, labels);
  if (resources != nullptr) meter.gauge("client.allocs.cpu.allocated", whole(resources->cpu.cpu_shares), labels);
}

// Only what the driver measures.
void set_measured_memory(const metrics::Meter& meter, const driver::MemoryUsage& memory, const metrics::Labels& labels) {
  for (const std::string& name : memory.measured) {
    if (name == "RSS") meter.gauge("client.allocs.memory.rss", whole(memory.rss), labels);
    else if (name == "Cache") meter.gauge("client.allocs.memory.cache", whole(memory.cache), labels);
    else if (name == "Swap") meter.gauge("client.allocs.memory.swap", whole(memory.swap), labels);
    else if (name == "Usage") meter.gauge("client.allocs.memory.usage", whole(memory.usage), labels);
    else if (name == "Max Usage") meter.gauge("client.allocs.memory.max_usage", whole(memory.max_usage), labels);
    else if (name == "Kernel Usage") meter.gauge("client.allocs.memory.kernel_usage", whole(memory.kernel_usage), labels);
    else if (name == "Kernel Max Usage") meter.gauge("client.allocs.memory.kernel_max_usage", whole(memory.kernel_max_usage), labels);
    else if (name == "Mapped File") meter.gauge("client.allocs.memory.mapped_file", whole(memory.mapped_file), labels);
  }
}

}  // namespace

metrics::Labels node_labels(const model::Node& node) {
  return {{"node_id", node.id},
          {"datacenter", node.datacenter},
          {"node_class", node.node_class.empty() ? "none" : node.node_class},
          {"node_pool", node.node_pool},
          {"node_status", node.status},
          {"node_scheduling_eligibility", node.scheduling_eligibility}};
}

void set_host_gauges(const metrics::Meter& meter, const model::Node& node, const model::HostStats& stats) {
  const metrics::Labels labels = node_labels(node);
  meter.gauge("client.uptime", whole(stats.uptime), labels);
  if (stats.memory) {
    meter.gauge("client.host.memory.total", whole(stats.memory->total), labels);
    meter.gauge("client.host.memory.available", whole(stats.memory->available), labels);
    meter.gauge("client.host.memory.used", whole(stats.memory->used), labels);
    meter.gauge("client.host.memory.free", whole(stats.memory->free), labels);
  }
  for (const auto& core : stats.cpu) {
    const metrics::Labels of_core = with(labels, "cpu", core.cpu);
    meter.gauge("client.host.cpu.total", core.total_percent, of_core);
    meter.gauge("client.host.cpu.total_percent", core.total_percent, of_core);
    meter.gauge("client.host.cpu.user", core.user, of_core);
    meter.gauge("client.host.cpu.system", core.system, of_core);
    meter.gauge("client.host.cpu.idle", core.idle, of_core);
    meter.gauge("client.host.cpu.total_ticks", core.total_ticks, of_core);
    meter.count("client.host.cpu.total_ticks_count", core.total_ticks, of_core);
  }
  for (const auto& disk : stats.disk_stats) {
    const metrics::Labels of_disk = with(labels, "disk", disk.device);
    meter.gauge("client.host.disk.size", whole(disk.size), of_disk);
    meter.gauge("client.host.disk.used", whole(disk.used), of_disk);
    meter.gauge("client.host.disk.available", whole(disk.available), of_disk);
    meter.gauge("client.host.disk.used_percent", disk.used_percent, of_disk);
    meter.gauge("client.host.disk.inodes_percent", disk.inodes_used_percent, of_disk);
  }
}

void set_allocation_gauges(const metrics::Meter& meter, const model::Node& node, const std::vector<const AllocRunner*>& runners) {
  std::size_t pending = 0, running = 0, terminal = 0;
  std::size_t tasks_pending = 0, tasks_running = 0, tasks_dead = 0;
  Amount taken;
  for (const AllocRunner* runner : runners) {
    const auto& tasks = runner->tasks();
    const bool runs = std::any_of(tasks.begin(), tasks.end(), [](const auto& task) { return task->state().state == "running"; });
    if (runner->terminal()) ++terminal;
    else if (runs) ++running;
    else ++pending;
    if (!runner->terminal() && runner->alloc().allocated_resources) add(taken, *runner->alloc().allocated_resources);
    for (const auto& task : tasks) {
      const std::string& state = task->state().state;
      if (state == "running") ++tasks_running;
      else if (state == "dead") ++tasks_dead;
      else ++tasks_pending;
    }
  }
  const metrics::Labels labels = node_labels(node);
  // No allocation waits for an earlier one or brings its disk.
  meter.gauge("client.allocations.blocked", 0, labels);
  meter.gauge("client.allocations.migrating", 0, labels);
  meter.gauge("client.allocations.pending", whole(pending), labels);
  meter.gauge("client.allocations.running", whole(running), labels);
  meter.gauge("client.allocations.terminal", whole(terminal), labels);
  meter.gauge("client.tasks.pending", whole(tasks_pending), labels);
  meter.gauge("client.tasks.running", whole(tasks_running), labels);
  meter.gauge("client.tasks.dead", whole(tasks_dead), labels);
  set_amounts(meter, node, taken, labels);
}

void set_plugin_gauges(const metrics::Meter& meter, const model::Node& node, const std::vector<model::AgentPlugin>& plugins) {
  const metrics::Labels labels = node_labels(node);
  for (const model::AgentPlugin& plugin : plugins) {
    if (plugin.phase == "skipped") continue;
    const auto of_plugin = with(labels, "plugin", plugin.name);
    meter.gauge("client.plugin.up", plugin.phase == "running" ? 1 : 0, of_plugin);
    meter.gauge("client.plugin.restarts", whole(plugin.restarts), of_plugin);
    meter.gauge("client.plugin.tasks", whole(plugin.tasks), of_plugin);
    meter.gauge("client.plugin.memory_bytes", whole(plugin.memory_bytes), of_plugin);
    meter.gauge("client.plugin.threads", whole(plugin.threads), of_plugin);
    meter.gauge("client.plugin.open_files", whole(plugin.open_files), of_plugin);
  }
}

void set_task_gauges(const metrics::Meter& meter, const AllocRunner& runner) {
  for (const auto& task : runner.tasks()) {
    const driver::TaskStats* sample = task->stats();
    if (sample == nullptr) continue;
    const metrics::Labels labels = task->metric_labels();
    const driver::ResourceUsage& usage = sample->total;
    const auto& allocated = runner.alloc().allocated_resources;
    const auto* resources = allocated ? allocated->tasks.get(task->task().name) : nullptr;
    if (!usage.cpu.measured.empty()) set_cpu(meter, usage.cpu, resources, labels);
    set_measured_memory(meter, usage.memory, labels);
    if (resources == nullptr) continue;
    meter.gauge("client.allocs.memory.allocated", whole(resources->memory.memory_mb) * 1024 * 1024, labels);
    meter.gauge("client.allocs.memory.max_allocated", whole(resources->memory.memory_max_mb) * 1024 * 1024, labels);
  }
}

}  // namespace drover::agent
