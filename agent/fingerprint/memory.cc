#include <cstdlib>

#include "agent/fingerprint/fingerprint.h"
#include "sdk/base/text.h"

namespace drover::agent {

void fingerprint_memory(const FingerprintInput& in, model::Node& node) {
  std::int64_t bytes = 0;
  for (const auto& line : split(in.host.read("/proc/meminfo"), '\n'))
    if (line.starts_with("MemTotal:")) bytes = std::strtoll(line.c_str() + 9, nullptr, 10) * 1024;
  const auto& config = in.config.client;
  if (config.memory_total_mb > 0) bytes = config.memory_total_mb * 1024 * 1024;
  if (bytes > 0) {
    node.attributes["memory.totalbytes"] = std::to_string(bytes);
    node.node_resources.ensure().memory.memory_mb = bytes / 1024 / 1024;
  }
  node.reserved_resources.ensure().memory.memory_mb = config.reserved.memory;
}

}  // namespace drover::agent
