#include "cli/agent/host_gauges.h"

#include "sdk/async/asio.h"

namespace drover::cli {
namespace {

metrics::Labels with(metrics::Labels labels, std::string_view name, const std::string& value) {
  labels.emplace_back(name, value);
  return labels;
}

}  // namespace

void set_host_gauges(metrics::Registry& metrics, const model::Node& node, const model::HostStats& stats) {
  const metrics::Labels labels{{"node_id", node.id},
                               {"datacenter", node.datacenter},
                               {"node_class", node.node_class.empty() ? "none" : node.node_class},
                               {"node_pool", node.node_pool},
                               {"node_status", node.status},
                               {"node_scheduling_eligibility", node.scheduling_eligibility}};
  const auto whole = [](std::uint64_t value) { return static_cast<double>(value); };
  metrics.set_gauge("client.uptime", whole(stats.uptime), labels);
  if (stats.memory) {
    metrics.set_gauge("client.host.memory.total", whole(stats.memory->total), labels);
    metrics.set_gauge("client.host.memory.available", whole(stats.memory->available), labels);
    metrics.set_gauge("client.host.memory.used", whole(stats.memory->used), labels);
    metrics.set_gauge("client.host.memory.free", whole(stats.memory->free), labels);
  }
  for (const auto& core : stats.cpu) {
    const metrics::Labels of_core = with(labels, "cpu", core.cpu);
    metrics.set_gauge("client.host.cpu.total_percent", core.total_percent, of_core);
    metrics.set_gauge("client.host.cpu.user", core.user, of_core);
    metrics.set_gauge("client.host.cpu.system", core.system, of_core);
    metrics.set_gauge("client.host.cpu.idle", core.idle, of_core);
    metrics.set_gauge("client.host.cpu.total_ticks", core.total_ticks, of_core);
    metrics.add_counter("client.host.cpu.total_ticks_count", core.total_ticks, of_core);
  }
  for (const auto& disk : stats.disk_stats) {
    const metrics::Labels of_disk = with(labels, "disk", disk.device);
    metrics.set_gauge("client.host.disk.size", whole(disk.size), of_disk);
    metrics.set_gauge("client.host.disk.used", whole(disk.used), of_disk);
    metrics.set_gauge("client.host.disk.available", whole(disk.available), of_disk);
    metrics.set_gauge("client.host.disk.used_percent", disk.used_percent, of_disk);
    metrics.set_gauge("client.host.disk.inodes_percent", disk.inodes_used_percent, of_disk);
  }
}

Async<> collect_host_gauges(metrics::Registry& metrics, agent::Client& client, std::chrono::nanoseconds interval) {
  for (;;) {
    const auto node = client.node();
    set_host_gauges(metrics, *node, client.host_stats());
    co_await sleep_for(interval);
  }
}

}  // namespace drover::cli
