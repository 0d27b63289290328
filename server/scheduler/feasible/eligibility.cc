#include "server/scheduler/feasible/eligibility.h"

#include <algorithm>

#include "server/scheduler/feasible/target.h"

namespace drover::scheduler {
namespace {

bool escapes(const model::List<model::Constraint>& constraints) {
  return std::ranges::any_of(constraints, [](const model::Constraint& c) {
    return Target(c.ltarget).escapes_class() || Target(c.rtarget).escapes_class();
  });
}

}  // namespace

void Eligibility::set_job(const model::Job& job) {
  job_escaped_ = escapes(job.constraints);
  for (const auto& group : job.task_groups) {
    bool any = escapes(group.constraints);
    for (const auto& task : group.tasks) any |= escapes(task.constraints);
    any |= std::ranges::any_of(group.volumes, [](const auto& volume) { return volume.second.type == "csi"; });
    group_escaped_[group.name] = any;
  }
}

bool Eligibility::group_escaped(std::string_view group) const {
  const auto at = group_escaped_.find(group);
  return at != group_escaped_.end() && at->second;
}

void Eligibility::set_job(std::string_view node_class, bool eligible) { job_.insert_or_assign(std::string(node_class), eligible); }

void Eligibility::set_group(std::string_view group, std::string_view node_class, bool eligible) {
  auto at = groups_.find(group);
  if (at == groups_.end()) at = groups_.emplace(std::string(group), Verdicts{}).first;
  at->second.insert_or_assign(std::string(node_class), eligible);
}

bool Eligibility::escaped() const {
  return job_escaped_ || std::ranges::any_of(group_escaped_, [](const auto& entry) { return entry.second; });
}

model::Map<bool> Eligibility::classes() const {
  model::Map<bool> out;
  for (const auto& [group, verdicts] : groups_) {
    for (const auto& [name, eligible] : verdicts) out[name] |= eligible;
  }
  // A verdict on the job decides only where no group got as far.
  for (const auto& [name, eligible] : job_) {
    if (!eligible) out.insert_or_assign(name, false);
    else out.try_emplace(name, true);
  }
  return out;
}

}  // namespace drover::scheduler
