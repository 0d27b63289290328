// Can a running allocation take the new version of its job where it is?
#pragma once

#include "server/scheduler/rank/stack.h"
#include "server/scheduler/reconcile/changes.h"

namespace drover::scheduler {

// `same_version`: look even when the job has not changed.
[[nodiscard]] UpdateVerdict check_update(const StateView& view, PlanDraft& draft, Stack& stack, const model::Job& job,
                                         const std::string& eval_id, const AllocPtr& alloc, const model::TaskGroup& group,
                                         bool same_version = false);

}  // namespace drover::scheduler
