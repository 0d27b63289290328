// The plan while it is being made, and what each node would hold if it were committed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/model/plan.h"
#include "sdk/base/clock.h"
#include "sdk/base/error.h"
#include "server/scheduler/scheduler.h"

namespace drover::scheduler {

class PlanDraft {
 public:
  PlanDraft(const model::Evaluation& eval, JobPtr job, UnixNanos now);

  struct Stop {
    std::string description;
    std::string client_status = {};     // empty: as it is
    std::string followup_eval_id = {};
  };
  void stop(const AllocPtr& alloc, const Stop& how);
  // Takes the stop back.
  void undo_stop(const model::Allocation& alloc);
  // Its stop says that a replacement was found.
  void note_rescheduled(const model::Allocation& alloc);
  [[nodiscard]] bool stops(const model::Allocation& alloc) const;
  void preempt(const AllocPtr& alloc, const std::string& by_alloc_id);
  // A new allocation or a new form of one that exists. `job` is set in it only when it is not the plan's.
  void place(AllocPtr alloc);

  // Allocations that would occupy the node: those in the view that no client is done with, less stopped and preempted
  // ones, with updates and placements.
  [[nodiscard]] std::vector<AllocPtr> proposed(const StateView& view, std::string_view node_id) const;
  // Everything that was done to the plan, in order. Who keeps counts reads on from where it was.
  struct Event {
    enum class Kind : std::uint8_t { placed, stopped, restored, preempted };
    Kind kind;
    AllocPtr alloc;
  };
  [[nodiscard]] const std::vector<Event>& events() const { return events_; }
  [[nodiscard]] bool is_noop() const;
  [[nodiscard]] model::Plan& plan() { return plan_; }
  [[nodiscard]] const model::Plan& plan() const { return plan_; }

 private:
  model::Plan plan_;
  UnixNanos now_;
  std::vector<Event> events_;
};

}  // namespace drover::scheduler
