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

Eligibility::Verdict look_up(const std::map<std::string, bool, std::less<>>& verdicts, std::string_view node_class) {
  const auto at = verdicts.find(node_class);
  if (at == verdicts.end()) return Eligibility::Verdict::unknown;
  return at->second ? Eligibility::Verdict::eligible : Eligibility::Verdict::ineligible;
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

Eligibility::Verdict Eligibility::job(std::string_view node_class) const {
  // A node without a class is judged on its own.
  if (job_escaped_ || node_class.empty()) return Verdict::escaped;
  return look_up(job_, node_class);
}

Eligibility::Verdict Eligibility::group(std::string_view group, std::string_view node_class) const {
  const auto escaped = group_escaped_.find(group);
  if (node_class.empty() || (escaped != group_escaped_.end() && escaped->second)) return Verdict::escaped;
  const auto at = groups_.find(group);
  return at == groups_.end() ? Verdict::unknown : look_up(at->second, node_class);
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
