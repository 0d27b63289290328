// Resource use of a task from /proc (and memory.current and friends where its cgroup has controllers).
#pragma once

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sdk/executor/kept_file.h"
#include "sdk/base/clock.h"
#include "sdk/driver/driver.h"

namespace drover {

struct ProcessSample {
  std::uint64_t user_ticks = 0, system_ticks = 0;  // of the kernel's USER_HZ
  std::uint64_t rss_bytes = 0, swap_bytes = 0;
};

// Fields of /proc/<pid>/stat (`stat`) and /proc/<pid>/status (`status`), which may be left out. Empty for text that is neither.
[[nodiscard]] std::optional<ProcessSample> parse_process(std::string_view stat, std::string_view status);

// The processes of a task: those of its cgroup, else the descendants of its executor.
[[nodiscard]] std::vector<pid_t> task_processes(const std::string& cgroup, pid_t executor_pid);

// "process 42 waits in nfs_wait_bit_killable": of those that not even SIGKILL wakes (L-18). Empty when there is none.
[[nodiscard]] std::string unkillable(const std::vector<pid_t>& processes);

// What the kernel counts of a whole cgroup; empty where it has no memory controller.
struct CgroupSample {
  std::uint64_t user_us = 0, system_us = 0, throttled_periods = 0, throttled_us = 0;
  std::uint64_t anon_bytes = 0, file_bytes = 0, mapped_bytes = 0, swap_bytes = 0, usage_bytes = 0, peak_bytes = 0;
};
// Contents of cpu.stat and memory.stat.
[[nodiscard]] CgroupSample parse_cgroup(std::string_view cpu_stat, std::string_view memory_stat);

// Turns successive samples into rates. One per stream of statistics.
class StatsSampler {
 public:
  StatsSampler(std::string task_id, std::string cgroup, pid_t executor_pid, double core_mhz);
  // Blocking reads of /proc and the cgroup, some 5 µs a process.
  [[nodiscard]] driver::TaskStats sample(const Clock& clock);
  // The pure part: what changed since the last call, `now` in nanoseconds.
  [[nodiscard]] driver::TaskStats combine(std::map<pid_t, ProcessSample> processes, std::int64_t now,
                                          const std::optional<CgroupSample>& whole = std::nullopt);

 private:
  struct ProcessFiles {
    KeptFile stat, status;
  };
  struct CgroupFiles {
    explicit CgroupFiles(const std::string& path);
    [[nodiscard]] std::optional<CgroupSample> read();
    KeptFile processes, memory, cpu, usage, peak, swap;
    bool counted = true;
  };
  [[nodiscard]] std::map<pid_t, ProcessSample> read_processes();

  std::string task_id_;
  pid_t executor_pid_;
  double core_mhz_;
  std::optional<CgroupFiles> cgroup_;
  std::map<pid_t, ProcessFiles> files_;
  std::map<pid_t, ProcessSample> last_;
  std::optional<CgroupSample> last_whole_;
  std::int64_t last_at_ = 0;
};

// Whose turn it is, for one stream of the statistics of many tasks: each about once an interval, new ones at once, and not all together,
// so that neither a message nor the time in which nothing else is done grows with their number. Pure.
class StatsRound {
 public:
  explicit StatsRound(nanoseconds interval) : interval_(interval) {}
  // Whether a task's turn has come, which was to be at `next` (0: it is new); then `next` is its next one.
  [[nodiscard]] bool take(nanoseconds& next, nanoseconds now);
  // From `now` until the end of the tenth of an interval that the earliest turn is in.
  [[nodiscard]] nanoseconds pause(nanoseconds earliest, nanoseconds now) const;

 private:
  nanoseconds interval_;
  int newcomers_ = 0;
};

// How long a stream waits before its next sample: about the interval, and so that the streams of many tasks wake together ten times in
// it, at ends of tenths. One wake for a hundred samples costs a fraction of a hundred wakes, here and in who reads them.
[[nodiscard]] nanoseconds until_next_sample(nanoseconds now, nanoseconds interval);

// MHz of one core as /proc/cpuinfo says, 0 when it does not.
[[nodiscard]] double core_mhz();

}  // namespace drover
