// Why does a job's group not run on a node? Every node against every check, not only until the first that fails, and what change
// would help. Nothing is sampled or shortened: it is asked for by a person.
#pragma once

#include "lib/model/api_why.h"
#include "sdk/base/clock.h"
#include "server/scheduler/state_view.h"

namespace drover::scheduler {

[[nodiscard]] model::JobWhy explain(const StateView& view, const model::Job& job, Rng& rng);

}  // namespace drover::scheduler
