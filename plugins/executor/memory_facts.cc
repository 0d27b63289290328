#include "plugins/executor/memory_facts.h"

#include <fcntl.h>

#include <charconv>
#include <string_view>

#include "sdk/executor/syscalls.h"

namespace drover::executor {
namespace {

// The number after `key` in a small file; the whole file when the key is empty. "max" and what is missing are 0.
std::uint64_t number_in(int directory, const char* name, std::string_view key) {
  const Handle file(::openat(directory, name, O_RDONLY | O_CLOEXEC));
  char text[512];
  const ssize_t size = file ? ::read(file.get(), text, sizeof text) : -1;
  if (size <= 0) return 0;
  const std::string_view all(text, static_cast<std::size_t>(size));
  const auto at = all.find(key);
  std::uint64_t out = 0;
  if (at != std::string_view::npos) std::from_chars(all.data() + at + key.size(), all.data() + all.size(), out);
  return out;
}

}  // namespace

MemoryFacts memory_facts(int cgroup_fd) {
  if (cgroup_fd < 0) return {};
  return {number_in(cgroup_fd, "memory.events", "oom_kill "), number_in(cgroup_fd, "memory.peak", ""), number_in(cgroup_fd, "memory.max", "")};
}

}  // namespace drover::executor
