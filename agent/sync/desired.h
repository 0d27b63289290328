// What the servers want of this node against what it has: pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace drover::agent {

struct DesiredChanges {
  std::vector<std::string> fetch;   // new, or changed since we saw them
  std::vector<std::string> remove;  // the servers have forgotten them
};

// `wanted` and `known`: allocation id to AllocModifyIndex. Ids in `collected` were given up here and are not taken again.
[[nodiscard]] DesiredChanges compare_desired(const std::map<std::string, std::uint64_t, std::less<>>& wanted,
                                             const std::map<std::string, std::uint64_t, std::less<>>& known,
                                             const std::map<std::string, std::uint64_t, std::less<>>& collected);

}  // namespace drover::agent
