// Which part of a plan still holds against the newest state (server contract 8). Pure.
#pragma once

#include <functional>
#include <vector>

#include "lib/model/plan.h"
#include "server/fsm/messages.h"
#include "server/state/snapshot.h"

namespace drover::broker {

// Empty when the allocations fit on the node together, else the dimension that is exceeded.
using FitCheck = std::function<std::string(const model::Node& node, const std::vector<state::AllocPtr>& allocs)>;

// The live allocations of a node as they will be, results that are not committed yet included.
using LiveAllocs = std::function<std::vector<state::AllocPtr>(std::string_view node_id)>;

struct Rejection {
  std::string node_id;
  std::string reason;
};

struct PlanCheck {
  model::PlanResult result;         // refresh_index is set when something was rejected
  std::vector<Rejection> rejected;
};

// Whether new allocations surely fit on an open node; false: look at everything that lives there.
using QuickFit = std::function<bool(const model::Node& node, const model::List<state::AllocPtr>& placed)>;

[[nodiscard]] PlanCheck check_plan(const model::Plan& plan, const state::Snapshot& snapshot, const LiveAllocs& live, const FitCheck& fits,
                                   const QuickFit& quick = {});

// The log entry of what is left of a plan; `evals` are those of jobs whose allocations were preempted.
[[nodiscard]] fsm::PlanResult plan_entry(const model::Plan& plan, const model::PlanResult& result, fsm::EvalList evals, std::int64_t now,
                                         const state::Snapshot& snapshot);

// Nothing to write.
[[nodiscard]] bool is_noop(const model::PlanResult& result);

}  // namespace drover::broker
