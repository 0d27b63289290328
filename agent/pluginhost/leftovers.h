// Plugin processes that no reattach record leads to any more: the agent's state was lost, or the record did not match (P-13).
#pragma once

#include <string>
#include <vector>

#include "sdk/base/process.h"

namespace drover::pluginhost {

// Running processes of `executable` whose stderr is the one of `directory`, the private directory of one plugin. Blocking: looks
// through /proc, when the directory has been used at all.
[[nodiscard]] std::vector<Process> find_leftovers(const std::string& executable, const std::string& directory);

}  // namespace drover::pluginhost
