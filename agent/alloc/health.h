// Whether an allocation of a deployment is healthy (client contract 3.7, task states). Pure.
#pragma once

#include <optional>

#include "agent/task/lifecycle.h"
#include "lib/model/alloc.h"
#include "sdk/base/clock.h"

namespace drover::agent {

struct Health {
  // Empty: not decided; ask again at `again_at`.
  std::optional<bool> healthy;
  UnixNanos again_at = 0;
};

// `started_watching` is when the allocation came to this node.
[[nodiscard]] Health deployment_health(const model::TaskGroup& group, const model::Map<model::TaskState>& tasks, UnixNanos started_watching,
                                       UnixNanos now);

}  // namespace drover::agent
