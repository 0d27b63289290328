// Constraints a job never wrote but means: what it asks for needs a node that can do it (jobspec 4).
//
// Added to groups (and for Consul to tasks that hold a service) when a job is registered; visible in the stored job. One that the user
// wrote for the same attribute stays alone. Pure, and without effect the second time.
#pragma once

#include "lib/model/job.h"

namespace drover::jobspec {

void add_implied_constraints(model::Job& job);

}  // namespace drover::jobspec
