// Whether an allocation is healthy (client contract 3.7, task states): deployments wait for that, and so does a drain, which moves
// an allocation only when others of its group are known to be well. Pure.
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

struct HealthRules {
  nanoseconds minimum{};   // how long every task must be up
  nanoseconds deadline{};  // how long that may take to come about
};
// Those of `update` within a deployment, those of `migrate` outside of one. Empty: nobody waits for its health, or an operator decides.
[[nodiscard]] std::optional<HealthRules> health_rules(const model::TaskGroup& group, bool in_deployment, std::string_view job_type);

// `started_watching` is when the allocation came to this node.
[[nodiscard]] Health health_of(const model::TaskGroup& group, const HealthRules& rules, const model::Map<model::TaskState>& tasks,
                               UnixNanos started_watching, UnixNanos now);

}  // namespace drover::agent
