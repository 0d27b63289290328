// Following an evaluation until it is finished (`job run`, `job stop`, `job eval`): each change is a line.
#pragma once

#include <string>

#include "cli/command.h"

namespace drover::cli {

// 0: finished and placed, 2: some allocations could not be placed, 1: error. Waits by blocking queries, not by polling.
[[nodiscard]] int monitor_eval(Context& context, const std::string& eval_id, bool verbose);
// Follows a deployment to its end. 0 when successful.
[[nodiscard]] int monitor_deployment(Context& context, const std::string& deployment_id, bool verbose);

}  // namespace drover::cli
