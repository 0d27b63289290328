#include "server/scheduler/rank/group_rules.h"

#include <algorithm>
#include <cmath>

#include "server/scheduler/alloc_state.h"
#include "server/scheduler/rank/place.h"

namespace drover::scheduler {
namespace {

void add_distinct(std::vector<DistinctProperty>& into, const model::List<model::Constraint>& constraints, const StateView& view,
                  const model::Job& job, std::string_view group) {
  for (const auto& constraint : constraints) {
    if (constraint.operand != "distinct_property") continue;
    std::uint64_t allowed = 1;
    if (!constraint.rtarget.empty()) allowed = std::strtoull(constraint.rtarget.c_str(), nullptr, 10);
    into.push_back({PropertySet(view, job, group, constraint.ltarget), allowed});
  }
}

}  // namespace

bool has_distinct_hosts(const model::List<model::Constraint>& constraints) {
  return std::ranges::any_of(constraints, [](const model::Constraint& c) {
    return c.operand == "distinct_hosts" && c.rtarget != "false" && c.rtarget != "0" && c.rtarget != "f" && c.rtarget != "F" &&
           c.rtarget != "FALSE" && c.rtarget != "False";
  });
}

GroupRules::GroupRules(const StateView& view, const NodeTable& table, const model::Job& job, const model::TaskGroup& task_group,
                       bool oversubscribe)
    : group(&task_group), checks(task_group), volumes(view, job, task_group), spreads(view, job, task_group), distinct_hosts(has_distinct_hosts(task_group.constraints)),
      fixed(fixed_resources(task_group, oversubscribe)) {
  add_distinct(distinct, job.constraints, view, job, {});
  add_distinct(distinct, task_group.constraints, view, job, task_group.name);
  const auto add_affinities = [&](const model::List<model::Affinity>& list) {
    for (const auto& affinity : list) {
      affinities.emplace_back(ConstraintCheck(affinity), static_cast<double>(affinity.weight));
      affinity_weights += std::abs(static_cast<double>(affinity.weight));
    }
  };
  add_affinities(job.affinities);
  add_affinities(task_group.affinities);
  for (const auto& task : task_group.tasks) add_affinities(task.affinities);
  for (const auto& task : task_group.tasks) {
    for (const auto& constraint : task.constraints) {
      if (constraint.operand == "distinct_property") add_distinct(distinct, {constraint}, view, job, task_group.name);
    }
  }
  if (fixed) ask = alloc_usage(*fixed);
  for (const auto& alloc : view.allocs_by_job(job.namespace_, job.id, true)) {
    if (client_terminal(*alloc) || alloc->task_group != task_group.name || !table.knows(alloc->node_id)) continue;
    ++stored[table.row_of(alloc->node_id)];
  }
  by_class.resize(table.classes(), Verdict::unknown);
}

}  // namespace drover::scheduler
