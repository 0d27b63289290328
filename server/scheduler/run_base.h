// What the generic and the system run share: attempts, final status, blocked evaluations, new allocations.
#pragma once

#include <map>
#include <set>
#include <string>

#include "server/scheduler/nodes.h"
#include "server/scheduler/plan_draft.h"
#include "server/scheduler/rank/stack.h"
#include "server/scheduler/scheduler.h"

namespace drover::scheduler {

class RunBase : public EvalRun {
 public:
  // Without a table it makes its own.
  RunBase(model::Evaluation evaluation, Rng& rng, NodeTable* table, int max_attempts);
  ~RunBase() override;
  [[nodiscard]] Step begin(ViewPtr view, UnixNanos now) final;
  [[nodiscard]] Step resume(const model::PlanResult& result, ViewPtr newer, UnixNanos now) final;

 protected:
  // One attempt on view_: fills draft_, queued_, failed_ and adds evaluations to create to `step`.
  virtual void attempt(Step& step) = 0;
  // Attempts are used up.
  virtual void give_up(Step& step) = 0;
  // Nothing is left to do.
  virtual void finish(Step& step) = 0;

  [[nodiscard]] Step next_attempt();
  [[nodiscard]] model::Evaluation blocked_evaluation(bool conflict) const;
  void set_status(Step& step, const char* status, std::string text) const;
  // Takes resources and metrics out of the placement.
  [[nodiscard]] std::shared_ptr<model::Allocation> new_alloc(Placement& placement, const std::string& name, const std::string& group);
  // Also counts it as new, so that queued numbers go down once it is committed.
  void place(std::shared_ptr<model::Allocation> alloc);
  // Whether the scheduler's configuration lets jobs of this type evict others.
  [[nodiscard]] bool may_preempt() const;
  // Evicts what the placement needs gone and notes it in both, and in the annotations.
  void preempt(const Placement& placement, model::Allocation& alloc);
  // Nothing is to be placed: every group's queue is empty.
  void nothing_queued();
  // Allocations of nodes that are gone and that were told to stop already can only be lost.
  void stop_lost(const std::vector<AllocPtr>& allocs, const std::map<std::string, NodePtr, std::less<>>& tainted);
  [[nodiscard]] bool batch() const { return eval_.type == "batch" || eval_.type == "sysbatch"; }

  model::Evaluation eval_;
  Rng& rng_;
  NodeTable* table_;
  UnixNanos now_ = 0;
  ViewPtr view_;
  JobPtr job_;
  std::unique_ptr<PlanDraft> draft_;
  Eligibility eligibility_;
  CandidateNodes nodes_;
  model::Map<std::int64_t> queued_;
  model::Map<model::AllocMetric> failed_;
  model::Box<model::PlanAnnotations> annotations_;
  model::List<model::AllocListStub> evicted_;
  std::string deployment_id_;
  std::string blocked_id_;
  std::string next_eval_id_;

 private:
  std::unique_ptr<NodeTable> own_table_;
  int max_attempts_;
  int attempts_ = 0;
  std::set<std::string, std::less<>> new_allocs_;
};

}  // namespace drover::scheduler
