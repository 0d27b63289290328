// `ulimit { nofile = "1024:4096" }` of a task: resource limits by name, soft and hard.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "sdk/executor/launch_spec.h"

namespace drover {

// One number sets both; "unlimited" and -1 are no limit.
[[nodiscard]] Result<std::vector<ResourceLimit>> parse_ulimits(const std::map<std::string, std::string>& limits);

}  // namespace drover
