// Resource usage in the API's form: of tasks from driver samples, of the host from /proc.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/alloc/alloc_runner.h"
#include "lib/model/stats.h"

namespace drover::agent {

// Of one task, or of all when `task` is empty; an unknown one has used nothing.
[[nodiscard]] model::AllocResourceUsage alloc_usage(const AllocRunner& runner, std::string_view task = {});

// What a core has done since the start of the machine, in the kernel's ticks.
struct CoreTimes {
  std::string name;
  std::uint64_t user = 0;  // nice ones too
  std::uint64_t system = 0;
  std::uint64_t idle = 0;  // waiting for a disk too
  std::uint64_t total = 0;
};
// The cores of /proc/stat's text.
[[nodiscard]] std::vector<CoreTimes> read_core_times(std::string_view proc_stat);
// What the cores did between two readings; one without an earlier reading is taken from the machine's start.
[[nodiscard]] std::vector<model::CPUStats> core_usage(const std::vector<CoreTimes>& before, const std::vector<CoreTimes>& now, double mhz_per_core);

// Readings of /proc, each over the time since the one before.
class HostUsage {
 public:
  // `alloc_dir` names the file system to report, `total_mhz` what all cores have. Blocking, quick.
  [[nodiscard]] model::HostStats read(const std::string& alloc_dir, double total_mhz, UnixNanos now);

 private:
  std::vector<CoreTimes> previous_;
};

}  // namespace drover::agent
