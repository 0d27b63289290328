#include "agent/client/usage.h"

#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <charconv>

#include "sdk/base/file.h"
#include "sdk/base/text.h"

namespace drover::agent {
namespace {
model::ResourceUsage to_model(const driver::ResourceUsage& usage) {
  model::ResourceUsage out;
  auto& cpu = out.cpu_stats.ensure();
  cpu.system_mode = usage.cpu.system_mode;
  cpu.user_mode = usage.cpu.user_mode;
  cpu.total_ticks = usage.cpu.total_ticks;
  cpu.percent = usage.cpu.percent;
  cpu.throttled_periods = usage.cpu.throttled_periods;
  cpu.throttled_time = usage.cpu.throttled_time;
  for (const auto& name : usage.cpu.measured) cpu.measured.push_back(name);
  auto& memory = out.memory_stats.ensure();
  memory.rss = usage.memory.rss;
  memory.cache = usage.memory.cache;
  memory.swap = usage.memory.swap;
  memory.mapped_file = usage.memory.mapped_file;
  memory.usage = usage.memory.usage;
  memory.max_usage = usage.memory.max_usage;
  memory.kernel_usage = usage.memory.kernel_usage;
  memory.kernel_max_usage = usage.memory.kernel_max_usage;
  for (const auto& name : usage.memory.measured) memory.measured.push_back(name);
  return out;
}

void add(model::ResourceUsage& total, const model::ResourceUsage& part) {
  auto& cpu = total.cpu_stats.ensure();
  cpu.system_mode += part.cpu_stats->system_mode;
  cpu.user_mode += part.cpu_stats->user_mode;
  cpu.total_ticks += part.cpu_stats->total_ticks;
  cpu.percent += part.cpu_stats->percent;
  auto& memory = total.memory_stats.ensure();
  memory.rss += part.memory_stats->rss;
  memory.cache += part.memory_stats->cache;
  memory.swap += part.memory_stats->swap;
  memory.usage += part.memory_stats->usage;
  memory.max_usage += part.memory_stats->max_usage;
}

std::uint64_t number_after(const std::string& text, std::string_view key) {
  const std::size_t at = text.find(key);
  if (at == std::string::npos) return 0;
  const std::string_view rest = trim(std::string_view(text).substr(at + key.size()));
  std::uint64_t value = 0;
  std::from_chars(rest.data(), rest.data() + rest.size(), value);
  return value;
}
}  // namespace

model::AllocResourceUsage alloc_usage(const AllocRunner& runner) {
  model::AllocResourceUsage out;
  auto& total = out.resource_usage.ensure();
  total.cpu_stats.ensure();
  total.memory_stats.ensure();
  out.tasks.allocate();
  for (const auto& task : runner.tasks()) {
    const driver::TaskStats* stats = task->stats();
    if (stats == nullptr) continue;
    model::TaskResourceUsage usage;
    usage.resource_usage = to_model(stats->total);
    usage.timestamp = stats->timestamp;
    usage.pids.allocate();
    for (const auto& [pid, of_pid] : stats->by_pid) usage.pids[pid] = to_model(of_pid);
    add(total, *usage.resource_usage);
    out.timestamp = std::max(out.timestamp, usage.timestamp);
    out.tasks[task->task().name] = std::move(usage);
  }
  return out;
}

model::HostStats host_usage(const std::string& alloc_dir, UnixNanos now) {
  model::HostStats out;
  out.timestamp = now;
  struct sysinfo info {};
  if (::sysinfo(&info) == 0) out.uptime = static_cast<std::uint64_t>(info.uptime);
  if (const auto meminfo = read_file("/proc/meminfo"); meminfo) {
    auto& memory = out.memory.ensure();
    memory.rss = 0;
    const std::uint64_t total = number_after(*meminfo, "MemTotal:") << 10;
    const std::uint64_t available = number_after(*meminfo, "MemAvailable:") << 10;
    memory.usage = total - std::min(total, available);
    memory.cache = number_after(*meminfo, "\nCached:") << 10;
  }
  struct statvfs disk {};
  if (::statvfs(alloc_dir.c_str(), &disk) == 0) {
    model::DiskStats stats;
    stats.mountpoint = alloc_dir;
    stats.size = disk.f_blocks * disk.f_frsize;
    stats.available = disk.f_bavail * disk.f_frsize;
    stats.used = stats.size - disk.f_bfree * disk.f_frsize;
    if (stats.size != 0) stats.used_percent = 100.0 * static_cast<double>(stats.used) / static_cast<double>(stats.size);
    if (disk.f_files != 0) stats.inodes_used_percent = 100.0 * static_cast<double>(disk.f_files - disk.f_ffree) / static_cast<double>(disk.f_files);
    out.alloc_dir_stats = stats;
    out.disk_stats.push_back(stats);
  }
  out.cpu.allocate();
  out.device_stats.allocate();
  return out;
}

}  // namespace drover::agent
