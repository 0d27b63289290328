// Finds the node for one allocation: feasible nodes in shuffled order, scored until enough candidates were compared.
//
// One stack per attempt. It remembers for each group where in the node order it stopped, which nodes can never take it and how the
// others score; only nodes that the plan has touched since are looked at again. References given to the constructor, and jobs and
// groups asked about, must outlive it; the table stays as it is meanwhile.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "server/scheduler/feasible/eligibility.h"
#include "server/scheduler/node_table.h"
#include "server/scheduler/plan_draft.h"
#include "server/scheduler/rank/field.h"
#include "server/scheduler/rank/group_rules.h"
#include "server/scheduler/rank/metrics.h"

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
  Stack(const StateView& view, NodeTable& table, PlanDraft& draft, Eligibility& eligibility, Rng& rng, bool batch, bool system);
  ~Stack();

  void set_job(const model::Job& job);
  // Rows of the table; in random order unless it is a system stack.
  void set_rows(std::vector<std::uint32_t> rows);
  void set_node(const model::Node& node) { set_rows({table_.row_of(node.id)}); }
  // Lifts the limit on compared candidates.
  void compare_all() { compare_all_ = true; }
  // None: `metrics()` says why. Those of a success are in the placement.
  [[nodiscard]] std::optional<Placement> select(const model::TaskGroup& group, const SelectOptions& options);
  [[nodiscard]] const model::AllocMetric& metrics() const { return last_metrics_; }
  [[nodiscard]] bool memory_oversubscription() const { return oversubscribe_; }

 private:
  struct Selection;
  [[nodiscard]] GroupRules& rules_of(const model::TaskGroup& group);
  [[nodiscard]] Field& field_of(const model::TaskGroup& group);
  [[nodiscard]] std::optional<Placement> run(GroupRules& rules, Field& field, const SelectOptions& options);
  [[nodiscard]] Candidate* next(Selection& selection);
  [[nodiscard]] Placement placement_of(Selection& selection, std::uint32_t chosen, double final_score, double spread);
  [[nodiscard]] Scores scores_of(const Selection& selection, const Candidate& candidate, double spread) const;
  // Judges the next position of the field: a candidate, or refused for good.
  void explore(GroupRules& rules, Field& field);
  // Whether the node may take the allocation now, as far as that can change.
  [[nodiscard]] bool passes(Selection& selection, const model::Node& node);
  [[nodiscard]] bool passes_distinct(GroupRules& rules, const model::Node& node);
  // Works out what the candidate offers and how it scores.
  void settle(GroupRules& rules, Field& field, Candidate& candidate, bool preempt);
  void set_base(const GroupRules& rules, Candidate& candidate, const Quantities& used, const Quantities& capacity);
  // Nodes that the plan has touched since are to be worked out again.
  void take_events();
  [[nodiscard]] std::size_t limit(const GroupRules& rules, std::size_t nodes) const;

  const StateView& view_;
  NodeTable& table_;
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
  bool distinct_hosts_ = false;
  std::unique_ptr<JobChecks> job_checks_;
  std::vector<Verdict> job_by_class_;
  std::map<const model::TaskGroup*, std::unique_ptr<GroupRules>> rules_;
  Ring ring_;
  std::map<const model::TaskGroup*, std::unique_ptr<Field>> fields_;  // on ring_
  std::size_t events_read_ = 0;
  std::vector<bool> touched_;  // rows
  // The last score of bin packing: neighbours are mostly alike.
  struct {
    Quantities used = {.cpu = -1};
    Quantities capacity;
    double score = 0;
  } packed_;
  MetricsBuilder metrics_;
  model::AllocMetric last_metrics_;
};

}  // namespace drover::scheduler
