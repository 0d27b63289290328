#include "agent/client/usage.h"

#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <algorithm>
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

model::AllocResourceUsage alloc_usage(const AllocRunner& runner, std::string_view wanted) {
  model::AllocResourceUsage out;
  auto& total = out.resource_usage.ensure();
  total.cpu_stats.ensure();
  total.memory_stats.ensure();
  total.device_stats.allocate();
  out.tasks.allocate();
  for (const auto& task : runner.tasks()) {
    if (!wanted.empty() && task->task().name != wanted) continue;
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

std::vector<CoreTimes> read_core_times(std::string_view proc_stat) {
  std::vector<CoreTimes> out;
  for (const std::string& line : split(proc_stat, '\n')) {
    // "cpu0 user nice system idle iowait irq softirq steal ..."; the line "cpu" is their sum.
    if (!line.starts_with("cpu") || line.starts_with("cpu ")) continue;
    const std::vector<std::string> words = split(line, ' ');
    if (words.size() < 6) continue;
    std::vector<std::uint64_t> ticks;
    for (std::size_t i = 1; i < words.size() && i <= 8; ++i) {
      std::uint64_t value = 0;
      std::from_chars(words[i].data(), words[i].data() + words[i].size(), value);
      ticks.push_back(value);
    }
    CoreTimes core{.name = words[0], .user = ticks[0] + ticks[1], .system = ticks[2], .idle = ticks[3] + ticks[4]};
    for (const std::uint64_t value : ticks) core.total += value;
    out.push_back(std::move(core));
  }
  return out;
}

std::vector<model::CPUStats> core_usage(const std::vector<CoreTimes>& before, const std::vector<CoreTimes>& now, double mhz_per_core) {
  std::vector<model::CPUStats> out;
  for (const CoreTimes& core : now) {
    const auto at = std::ranges::find(before, core.name, &CoreTimes::name);
    const CoreTimes since = at == before.end() ? CoreTimes{} : *at;
    model::CPUStats stats;
    stats.cpu = core.name;
    // Two readings within a tick say nothing, and the kernel may take waiting time back.
    const auto percent = [&](std::uint64_t later, std::uint64_t earlier) {
      if (core.total <= since.total || later <= earlier) return 0.0;
      return std::min(100.0, 100.0 * static_cast<double>(later - earlier) / static_cast<double>(core.total - since.total));
    };
    stats.user = percent(core.user, since.user);
    stats.system = percent(core.system, since.system);
    stats.idle = percent(core.idle, since.idle);
    stats.total_percent = percent(core.total - core.idle, since.total - since.idle);
    stats.total_ticks = stats.total_percent / 100 * mhz_per_core;
    out.push_back(std::move(stats));
  }
  return out;
}

model::HostStats HostUsage::read(const std::string& alloc_dir, double total_mhz, UnixNanos now) {
  model::HostStats out;
  out.timestamp = now;
  struct sysinfo info {};
  if (::sysinfo(&info) == 0) out.uptime = static_cast<std::uint64_t>(info.uptime);
  if (const auto meminfo = read_file("/proc/meminfo"); meminfo) {
    auto& memory = out.memory.ensure();
    memory.total = number_after(*meminfo, "MemTotal:") << 10;
    memory.available = number_after(*meminfo, "MemAvailable:") << 10;
    memory.used = memory.total - std::min(memory.total, memory.available);
    memory.free = number_after(*meminfo, "MemFree:") << 10;
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
  if (const auto stat = read_file("/proc/stat"); stat) {
    std::vector<CoreTimes> cores = read_core_times(*stat);
    for (auto& core : core_usage(previous_, cores, total_mhz / static_cast<double>(std::max<std::size_t>(1, cores.size())))) {
      out.cpu_ticks_consumed += core.total_ticks;
      out.cpu.push_back(std::move(core));
    }
    previous_ = std::move(cores);
  }
  return out;
}

}  // namespace drover::agent
