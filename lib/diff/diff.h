// The difference of two jobs, and what the scheduler will do about it. Pure functions over values; any thread.
#pragma once

#include "lib/model/diff.h"
#include "lib/model/eval.h"
#include "lib/model/job.h"

namespace drover::diff {

// Null: there is no such job on that side; at least one is given. `contextual`: a changed object also lists its unchanged fields.
[[nodiscard]] model::JobDiff diff_jobs(const model::Job* old_job, const model::Job* new_job, bool contextual);

// Adds the counts of the planned updates to the groups, and to counts and tasks what their change forces.
void annotate(model::JobDiff& diff, const model::PlanAnnotations* annotations);

}  // namespace drover::diff
