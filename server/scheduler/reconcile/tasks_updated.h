// Does a new version of a group need new allocations, or can the running ones carry on? (server contract 11.8)
#pragma once

#include "lib/model/job.h"

namespace drover::scheduler {

// True: destructive.
[[nodiscard]] bool tasks_updated(const model::Job& after, const model::Job& before, std::string_view group);

}  // namespace drover::scheduler
