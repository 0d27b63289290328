// The golden reconcile topic's form of a whole evaluation: what was planned and what the state held afterwards.
#pragma once

#include "tests/unit/server/scheduler/golden.h"

namespace drover::scheduler {

// Runs the case's evaluation with a planner that commits everything.
[[nodiscard]] Json run_evaluation(Case& c);
// Both answers made comparable: labels by content, lists sorted, and only as much as the case fixes.
[[nodiscard]] Answers comparable(Case& c, const Json& ours);

}  // namespace drover::scheduler
