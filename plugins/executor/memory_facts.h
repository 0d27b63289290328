// What the kernel counted of a task's memory: how often it was killed for it, the most it had, and how much it may have.
#pragma once

#include <cstdint>

namespace drover::executor {

struct MemoryFacts {
  std::uint64_t oom_kills = 0;
  std::uint64_t peak = 0;   // 0: not counted (no memory controller, or Linux before 5.19)
  std::uint64_t limit = 0;  // 0: none
};
// Of a cgroup directory; all zero for -1.
[[nodiscard]] MemoryFacts memory_facts(int cgroup_fd);

}  // namespace drover::executor
