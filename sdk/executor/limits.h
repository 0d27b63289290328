// Resource limits of a task as the lines of its cgroup's files (client contract 5.5). Pure, but for the writing.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sdk/driver/driver.h"

namespace drover {

// What a driver's configuration and a task's options add to what the scheduler allotted.
struct LimitOptions {
  bool cpu_hard_limit = false;         // cpu.max by the task's share of the node
  bool disable_swap = false;
  bool memory_oom_group = false;       // the whole task goes, not only the process that was chosen
  std::int64_t memory_high_percent = 0;  // of memory.max; 0: not set
  std::int64_t pids_limit = 0;         // 0: not set
};

struct LimitFile {
  std::string name, value;
  friend bool operator==(const LimitFile&, const LimitFile&) = default;
};

// cpu.weight of 1 to 10000 for shares of the old kind.
[[nodiscard]] int cpu_weight(std::int64_t shares);
// Shares on a node of `total` MHz: those of very large nodes are scaled to what a cgroup can express.
[[nodiscard]] std::int64_t scaled_shares(std::int64_t shares, double total);
// In the order in which they are written.
[[nodiscard]] std::vector<LimitFile> limit_files(const driver::Resources& resources, const LimitOptions& options, unsigned host_cores);
// "0-2,5". Empty for text that is no such list.
[[nodiscard]] std::optional<std::set<unsigned>> parse_cpu_list(std::string_view text);
[[nodiscard]] std::string format_cpu_list(const std::set<unsigned>& cores);

// Writes each file of a cgroup directory and reads it back: a limit the kernel did not take is an error (N-030).
[[nodiscard]] Result<> write_limits(const std::string& cgroup, const std::vector<LimitFile>& files);

}  // namespace drover
