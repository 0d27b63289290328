// The allocation table that several commands show, and the placement-failure lines of a task group.
#pragma once

#include <string>

#include "lib/model/alloc.h"

namespace drover::cli {

// `ID | Node ID | Task Group | Version | Desired | Status | Created | Modified`, more when verbose.
[[nodiscard]] std::string alloc_table(const model::List<model::AllocListStub>& allocs, bool verbose, std::int64_t now_unix_nanos);
// `* Class "c": 1 nodes excluded by filter` and the like, each line after `indent`.
[[nodiscard]] std::string placement_metrics(const model::AllocMetric& metrics, const std::string& indent);
// `Task Group "g" (failed to place 1 allocation):`
[[nodiscard]] std::string failed_group_heading(const std::string& group, const model::AllocMetric& metrics);

}  // namespace drover::cli
