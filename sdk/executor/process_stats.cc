#include "sdk/executor/process_stats.h"

#include <sys/sysinfo.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "sdk/base/file.h"
#include "sdk/base/text.h"

namespace drover {
namespace {

// The number after the n-th blank, counted from 0 at the start of `text`.
std::uint64_t field_at(std::string_view text, int index) {
  for (int i = 0; i < index; ++i) {
    const auto blank = text.find(' ');
    if (blank == std::string_view::npos) return 0;
    text.remove_prefix(blank + 1);
  }
  std::uint64_t out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

std::uint64_t kilobytes_after(std::string_view text, std::string_view key) {
  const auto at = text.find(key);
  if (at == std::string_view::npos) return 0;
  text.remove_prefix(at + key.size());
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  std::uint64_t out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out * 1024;
}

std::vector<pid_t> numbers_in(std::string_view text) {
  std::vector<pid_t> out;
  const char* at = text.data();
  const char* end = at + text.size();
  while (at < end) {
    pid_t pid = 0;
    const auto parsed = std::from_chars(at, end, pid);
    if (parsed.ec == std::errc{}) out.push_back(pid);
    at = parsed.ptr == at ? at + 1 : parsed.ptr;
  }
  return out;
}

constexpr std::size_t max_processes = 4096;

void add_descendants(pid_t pid, std::vector<pid_t>& out) {
  const auto text = read_file(fmt::format("/proc/{}/task/{}/children", pid, pid));
  if (!text) return;
  for (const pid_t child : numbers_in(*text)) {
    if (out.size() >= max_processes) return;
    out.push_back(child);
    add_descendants(child, out);
  }
}

driver::ResourceUsage usage_of(const ProcessSample& now, const ProcessSample& before, double seconds, double mhz) {
  static const double ticks_per_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
  const auto percent = [&](std::uint64_t later, std::uint64_t earlier) {
    if (seconds <= 0 || later < earlier) return 0.0;
    return static_cast<double>(later - earlier) / ticks_per_second / seconds * 100;
  };
  driver::ResourceUsage out;
  out.cpu.user_mode = percent(now.user_ticks, before.user_ticks);
  out.cpu.system_mode = percent(now.system_ticks, before.system_ticks);
  out.cpu.percent = out.cpu.user_mode + out.cpu.system_mode;
  out.cpu.total_ticks = out.cpu.percent / 100 * mhz;
  out.cpu.measured = {"System Mode", "User Mode", "Percent", "Total Ticks"};
  out.memory.rss = now.rss_bytes;
  out.memory.swap = now.swap_bytes;
  out.memory.usage = now.rss_bytes;
  out.memory.measured = {"RSS", "Swap", "Usage"};
  return out;
}

}  // namespace

std::optional<ProcessSample> parse_process(std::string_view stat, std::string_view status) {
  const auto name_end = stat.rfind(')');
  if (name_end == std::string_view::npos || name_end + 2 > stat.size()) return std::nullopt;
  stat.remove_prefix(name_end + 2);  // field 3 first
  ProcessSample out;
  out.user_ticks = field_at(stat, 11);
  out.system_ticks = field_at(stat, 12);
  static const auto page_bytes = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  out.rss_bytes = status.empty() ? field_at(stat, 21) * page_bytes : kilobytes_after(status, "VmRSS:");
  out.swap_bytes = kilobytes_after(status, "VmSwap:");
  return out;
}

std::vector<pid_t> task_processes(const std::string& cgroup, pid_t executor_pid) {
  if (!cgroup.empty()) {
    if (const auto text = read_file(cgroup + "/cgroup.procs")) return numbers_in(*text);
  }
  std::vector<pid_t> out;
  if (executor_pid > 1) add_descendants(executor_pid, out);
  return out;
}

std::string unkillable(const std::vector<pid_t>& processes) {
  std::vector<std::string> out;
  for (const pid_t pid : processes) {
    const auto stat = read_file(fmt::format("/proc/{}/stat", pid));
    const auto end = stat ? stat->rfind(") D") : std::string::npos;
    if (end == std::string::npos) continue;
    const auto where = read_file(fmt::format("/proc/{}/wchan", pid));
    out.push_back(fmt::format("process {} waits in {}", pid, where && !where->empty() && *where != "0" ? *where : "the kernel"));
  }
  return join(out, ", ");
}

CgroupSample parse_cgroup(std::string_view cpu_stat, std::string_view memory_stat) {
  const auto number = [](std::string_view text, std::string_view key) {
    for (;;) {
      if (text.starts_with(key) && text.size() > key.size() && text[key.size()] == ' ') return field_at(text, 1);
      const auto end = text.find('\n');
      if (end == std::string_view::npos) return std::uint64_t{0};
      text.remove_prefix(end + 1);
    }
  };
  CgroupSample out;
  out.user_us = number(cpu_stat, "user_usec");
  out.system_us = number(cpu_stat, "system_usec");
  out.throttled_periods = number(cpu_stat, "nr_throttled");
  out.throttled_us = number(cpu_stat, "throttled_usec");
  out.anon_bytes = number(memory_stat, "anon");
  out.file_bytes = number(memory_stat, "file");
  out.mapped_bytes = number(memory_stat, "file_mapped");
  return out;
}

namespace {

std::uint64_t number_in(KeptFile& file) {
  const auto text = file.read();
  return text ? field_at(*text, 0) : 0;
}

// In place of the sum of the processes: what is shared is counted once, and what has ended is in it.
void use_cgroup(driver::ResourceUsage& total, const CgroupSample& now, const std::optional<CgroupSample>& before, double seconds, double mhz) {
  const auto percent = [&](std::uint64_t later, std::uint64_t earlier) {
    return !before || seconds <= 0 || later < earlier ? 0.0 : static_cast<double>(later - earlier) / 1e6 / seconds * 100;
  };
  total.cpu.user_mode = percent(now.user_us, before ? before->user_us : 0);
  total.cpu.system_mode = percent(now.system_us, before ? before->system_us : 0);
  total.cpu.percent = total.cpu.user_mode + total.cpu.system_mode;
  total.cpu.total_ticks = total.cpu.percent / 100 * mhz;
  total.cpu.throttled_periods = now.throttled_periods;
  total.cpu.throttled_time = now.throttled_us * 1000;
  total.cpu.measured = {"System Mode", "User Mode", "Throttled Periods", "Throttled Time", "Percent"};
  total.memory.rss = now.anon_bytes;
  total.memory.cache = now.file_bytes;
  total.memory.mapped_file = now.mapped_bytes;
  total.memory.swap = now.swap_bytes;
  total.memory.usage = now.usage_bytes;
  total.memory.max_usage = now.peak_bytes;
  total.memory.measured = {"RSS", "Cache", "Swap", "Usage"};
}

}  // namespace

driver::TaskStats StatsSampler::combine(std::map<pid_t, ProcessSample> processes, std::int64_t now, const std::optional<CgroupSample>& whole) {
  const double seconds = last_at_ == 0 ? 0 : static_cast<double>(now - last_at_) / 1e9;
  driver::TaskStats out;
  out.id = task_id_;
  out.timestamp = now;
  out.total = usage_of({}, {}, 0, core_mhz_);
  for (const auto& [pid, sample] : processes) {
    const auto before = last_.find(pid);
    // A process seen for the first time has no rate yet.
    auto usage = usage_of(sample, before == last_.end() ? sample : before->second, seconds, core_mhz_);
    out.total.cpu.user_mode += usage.cpu.user_mode;
    out.total.cpu.system_mode += usage.cpu.system_mode;
    out.total.cpu.percent += usage.cpu.percent;
    out.total.cpu.total_ticks += usage.cpu.total_ticks;
    out.total.memory.rss += usage.memory.rss;
    out.total.memory.swap += usage.memory.swap;
    out.total.memory.usage += usage.memory.usage;
    out.by_pid.emplace(std::to_string(pid), std::move(usage));
  }
  if (whole) use_cgroup(out.total, *whole, last_whole_, seconds, core_mhz_);
  last_whole_ = whole;
  last_ = std::move(processes);
  last_at_ = now;
  return out;
}

StatsSampler::StatsSampler(std::string task_id, std::string cgroup, pid_t executor_pid, double core_mhz)
    : task_id_(std::move(task_id)), executor_pid_(executor_pid), core_mhz_(core_mhz) {
  if (!cgroup.empty()) cgroup_.emplace(cgroup);
}

StatsSampler::CgroupFiles::CgroupFiles(const std::string& path)
    : processes(path + "/cgroup.procs"), memory(path + "/memory.stat"), cpu(path + "/cpu.stat"), usage(path + "/memory.current"),
      peak(path + "/memory.peak"), swap(path + "/memory.swap.current") {}

std::optional<CgroupSample> StatsSampler::CgroupFiles::read() {
  if (!counted) return std::nullopt;
  const auto of_memory = memory.read();
  // There was no controller when the cgroup was made; nobody looks for the file again.
  counted = of_memory.has_value();
  if (!counted) return std::nullopt;
  const auto of_cpu = cpu.read();
  CgroupSample out = parse_cgroup(of_cpu ? *of_cpu : "", *of_memory);
  out.usage_bytes = number_in(usage);
  out.peak_bytes = number_in(peak);
  out.swap_bytes = number_in(swap);
  return out;
}

std::map<pid_t, ProcessSample> StatsSampler::read_processes() {
  // What is swapped out is all that only the second file tells, and the kernel takes a third of a sample's time to write that.
  struct sysinfo host {};
  const bool has_swap = ::sysinfo(&host) != 0 || host.totalswap != 0;
  const auto members = cgroup_ ? cgroup_->processes.read() : std::nullopt;
  std::map<pid_t, ProcessSample> out;
  for (const pid_t pid : members ? numbers_in(*members) : task_processes("", executor_pid_)) {
    auto at = files_.find(pid);
    if (at == files_.end()) at = files_.emplace(pid, ProcessFiles{KeptFile(fmt::format("/proc/{}/stat", pid)), KeptFile(fmt::format("/proc/{}/status", pid))}).first;
    const auto stat = at->second.stat.read();
    const auto status = has_swap ? at->second.status.read() : std::optional<std::string>("");
    if (!stat || !status) continue;
    if (const auto parsed = parse_process(*stat, *status)) out.emplace(pid, *parsed);
  }
  std::erase_if(files_, [&](const auto& entry) { return !out.contains(entry.first); });
  return out;
}

driver::TaskStats StatsSampler::sample(const Clock& clock) {
  auto processes = read_processes();
  return combine(std::move(processes), clock.unix_nanos(), cgroup_ ? cgroup_->read() : std::nullopt);
}

bool StatsRound::take(nanoseconds& next, nanoseconds now) {
  const bool is_new = next == nanoseconds(0);
  const nanoseconds tenth = interval_ / 10;
  if (!is_new && now + tenth / 2 < next) return false;
  // Those that came together part.
  next = now + interval_ - (is_new ? tenth * (newcomers_++ % 5) : nanoseconds(0));
  return true;
}

nanoseconds StatsRound::pause(nanoseconds earliest, nanoseconds now) const {
  const nanoseconds tenth = std::max(interval_ / 10, nanoseconds(1));
  return std::max((earliest + tenth - nanoseconds(1)) / tenth * tenth - now, nanoseconds(1));
}

nanoseconds until_next_sample(nanoseconds now, nanoseconds interval) {
  const nanoseconds grid = interval / 10;
  if (grid <= nanoseconds(0)) return interval;
  return (now + interval) / grid * grid - now;
}

double core_mhz() {
  const auto text = read_file("/proc/cpuinfo");
  if (!text) return 0;
  const auto at = text->find("cpu MHz");
  if (at == std::string::npos) return 0;
  const auto colon = text->find(':', at);
  return colon == std::string::npos ? 0 : std::strtod(text->c_str() + colon + 1, nullptr);
}

}  // namespace drover
