// Finds the node for one allocation: feasible nodes in shuffled order, scored until enough candidates were compared.
//
// One stack per attempt. It remembers where in the node order it stopped, compiled checks per group and class verdicts.
// References given to the constructor, and jobs and groups asked about, must outlive it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "server/scheduler/feasible/eligibility.h"
#include "server/scheduler/feasible/group_checks.h"
#include "server/scheduler/plan_draft.h"
#include "server/scheduler/rank/metrics.h"
#include "server/scheduler/rank/spread.h"

namespace drover::scheduler {

using Allocs = std::vector<AllocPtr>;

struct SelectOptions {
  std::string alloc_name;
  std::set<std::string, std::less<>> penalty_nodes;
  NodePtr preferred = {};  // tried before all others
  bool preempt = false;    // less urgent jobs may be evicted
};

// A node that was chosen and what the allocation gets there.
struct Placement {
  NodePtr node;
  model::AllocatedResources resources;
  double final_score = 0;
  Scores scores;
  model::AllocMetric metrics;
  Allocs evicted;
};

class Stack {
 public:
  // `system`: nodes are given one by one and only bin packing scores.
  Stack(const StateView& view, PlanDraft& draft, Eligibility& eligibility, Rng& rng, bool batch, bool system);
  ~Stack();

  void set_job(const model::Job& job);
  // Shuffles unless it is a system stack.
  void set_nodes(std::vector<NodePtr> nodes);
  // Lifts the limit on compared candidates.
  void compare_all() { compare_all_ = true; }
  // None: `metrics()` says why.
  [[nodiscard]] std::optional<Placement> select(const model::TaskGroup& group, const SelectOptions& options);
  [[nodiscard]] const model::AllocMetric& metrics() const { return last_metrics_; }
  [[nodiscard]] bool memory_oversubscription() const { return oversubscribe_; }

 private:
  struct Group;
  Group& group_state(const model::TaskGroup& group);
  [[nodiscard]] NodePtr next_node();
  [[nodiscard]] NodePtr next_feasible(Group& group, const SelectOptions& options);
  [[nodiscard]] std::optional<Placement> next_ranked(Group& group, const SelectOptions& options);
  [[nodiscard]] std::optional<Placement> rank(Group& group, const NodePtr& node, const SelectOptions& options);
  [[nodiscard]] std::optional<Placement> run(Group& group, const SelectOptions& options);
  [[nodiscard]] bool passes_distinct(Group& group, const NodePtr& node);
  [[nodiscard]] std::size_t limit(const Group& group) const;

  const StateView& view_;
  PlanDraft& draft_;
  Eligibility& eligibility_;
  Rng& rng_;
  bool batch_;
  bool system_;
  bool compare_all_ = false;
  bool oversubscribe_ = false;
  bool spread_algorithm_ = false;
  std::uint64_t node_limit_ = 100;
  const model::Job* job_ = nullptr;
  std::unique_ptr<JobChecks> job_checks_;
  std::map<const model::TaskGroup*, std::unique_ptr<Group>> groups_;
  std::vector<NodePtr> nodes_;
  std::size_t offset_ = 0;
  std::size_t seen_ = 0;
  MetricsBuilder metrics_;
  model::AllocMetric last_metrics_;
};

}  // namespace drover::scheduler
