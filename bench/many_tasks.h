// The job that benchmarks of many allocations are about, and what a client of ours tells of its task.
#pragma once

#include "lib/model/alloc.h"
#include "lib/model/job.h"

namespace drover {

// `count` allocations of one group, "group", with one task, "task"; all its policies are written down, as those of a registered job are.
[[nodiscard]] model::Job many_tasks(int number, const char* type, std::int64_t count);
// A task that has begun at `now`, with the events of its start.
[[nodiscard]] model::TaskState running_task(std::int64_t now);

}  // namespace drover
