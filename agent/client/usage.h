// Resource usage in the API's form: of tasks from driver samples, of the host from /proc.
#pragma once

#include <string>

#include "agent/alloc/alloc_runner.h"
#include "lib/model/stats.h"

namespace drover::agent {

[[nodiscard]] model::AllocResourceUsage alloc_usage(const AllocRunner& runner);
// One reading of /proc; `alloc_dir` names the file system to report. Blocking, quick.
[[nodiscard]] model::HostStats host_usage(const std::string& alloc_dir, UnixNanos now);

}  // namespace drover::agent
