// What a driver learns about the machine in SetConfig (protocol 3.1). A value.
#pragma once

#include <cstdint>
#include <vector>

namespace drover::plugin {

struct CpuCore {
  std::uint32_t socket = 0, node = 0, core = 0;
  bool efficiency = false;
  bool disabled = false;
  std::uint64_t base_mhz = 0, max_mhz = 0, guess_mhz = 0;
};

// Never send one without a core: drivers divide by their number. Distances are made for exactly the nodes listed.
struct NodeTopology {
  std::vector<std::uint32_t> numa_nodes = {0};
  std::vector<std::uint32_t> distances = {10};  // row-major, nodes x nodes
  std::vector<CpuCore> cores;
  std::uint64_t override_total_mhz = 0, withheld_mhz = 0;
  std::uint32_t min_port = 14000, max_port = 14512;
};

}  // namespace drover::plugin
