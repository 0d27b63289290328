// Jobs and task groups.
#include "lib/diff/diff.h"
#include "lib/diff/rules_declared.h"

namespace drover::diff {

using model::Job;
using model::TaskGroup;

template <>
struct Rules<model::Multiregion> : PlainRules {
  static void nested(Nested<model::Multiregion>& n);
};
template <>
struct Rules<model::MultiregionRegion> : PlainRules {
  static void nested(Nested<model::MultiregionRegion>& n) { n.texts("Datacenters", &model::MultiregionRegion::datacenters); }
};
template <>
struct Rules<model::PeriodicConfig> : PlainRules {
  static void nested(Nested<model::PeriodicConfig>& n) { n.texts("Specs", &model::PeriodicConfig::specs); }
};
template <>
struct Rules<model::ParameterizedJobConfig> : PlainRules {
  static void nested(Nested<model::ParameterizedJobConfig>& n) {
    n.texts("MetaOptional", &model::ParameterizedJobConfig::meta_optional);
    n.texts("MetaRequired", &model::ParameterizedJobConfig::meta_required);
  }
};
template <>
struct Rules<model::JobUIConfig> : PlainRules {
  static void nested(Nested<model::JobUIConfig>& n) {
    n.keyed("Link", &model::JobUIConfig::links, [](const auto& a, const auto& b) { return a.label == b.label; });
  }
};
template <>
struct Rules<model::DisconnectStrategy> : PlainRules {
  static constexpr bool pointers = true;
};
template <>
struct Rules<model::ScalingPolicy> : PlainRules {
  // What the server makes of the policy is not the user's change.
  static constexpr Names skip{"CreateIndex", "ModifyIndex", "ID", "Type", "Target"};
  static constexpr bool shows_unchanged = false;
  static void nested(Nested<model::ScalingPolicy>& n) { n.json("Policy", &model::ScalingPolicy::policy, false); }
};
template <>
struct Rules<model::CSIMountOptions> : PlainRules {
  static void nested(Nested<model::CSIMountOptions>& n) { n.texts("MountFlags", &model::CSIMountOptions::mount_flags); }
};
template <>
struct Rules<model::VolumeRequest> : PlainRules {
  static void nested(Nested<model::VolumeRequest>& n) { n.object("MountOptions", &model::VolumeRequest::mount_options); }
};

void Rules<model::Multiregion>::nested(Nested<model::Multiregion>& n) {
  n.keyed("Region", &model::Multiregion::regions, [](const auto& a, const auto& b) { return a.name == b.name; });
  n.fields("Strategy", &model::Multiregion::strategy);
}

namespace {

constexpr Names job_skip{"ID", "Status", "StatusDescription", "Version", "Stable", "CreateIndex", "ModifyIndex", "JobModifyIndex", "SubmitTime", "NomadTokenID"};
constexpr Names group_skip{"Name"};

void volumes(Nested<TaskGroup>& n) {
  const auto& before = n.before().volumes;
  const auto& after = n.after().volumes;
  for (const auto& [name, volume] : before) n.add(object_diff("Volume", &volume, after.get(name), n.contextual()));
  for (const auto& [name, volume] : after) {
    if (before.get(name) == nullptr) n.add(object_diff<model::VolumeRequest>("Volume", nullptr, &volume, n.contextual()));
  }
}

void nested_of_group(Nested<TaskGroup>& n) {
  n.set("Constraint", &TaskGroup::constraints);
  n.set("Affinity", &TaskGroup::affinities);
  n.fields("RestartPolicy", &TaskGroup::restart_policy);
  n.fields("Disconnect", &TaskGroup::disconnect);
  n.fields("Migrate", &TaskGroup::migrate);
  n.fields("ReschedulePolicy", &TaskGroup::reschedule_policy);
  n.fields("EphemeralDisk", &TaskGroup::ephemeral_disk);
  n.fields("Consul", &TaskGroup::consul);
  n.fields("Update", &TaskGroup::update, {"Stagger"});
  n.set("Network", &TaskGroup::networks);
  n.object("Scaling", &TaskGroup::scaling);
}

model::TaskGroupDiff group_diff(const TaskGroup* before, const TaskGroup* after, bool contextual) {
  model::TaskGroupDiff out;
  const TaskGroup missing{};
  const bool both = before != nullptr && after != nullptr;
  out.type = before == nullptr ? type::added : after == nullptr ? type::deleted : *before == *after ? type::none : type::edited;
  out.name = after == nullptr ? before->name : after->name;
  // Delays that may be null are shown when a group changes, not when it comes or goes.
  const auto flat = [both](const TaskGroup* group) { return group == nullptr ? Flat{} : flatten(*group, group_skip, both); };
  out.fields = field_diffs(flat(before), flat(after), false);
  const TaskGroup& from = before == nullptr ? missing : *before;
  const TaskGroup& to = after == nullptr ? missing : *after;
  Nested<TaskGroup> nested(from, to, contextual, out.objects);
  nested_of_group(nested);
  service_diffs(from.services, to.services, contextual, out.objects);
  volumes(nested);
  out.tasks = task_diffs(from.tasks, to.tasks, contextual);
  return out;
}

List<model::TaskGroupDiff> group_diffs(const List<TaskGroup>& before, const List<TaskGroup>& after, bool contextual) {
  const auto find = [](const List<TaskGroup>& groups, const std::string& name) {
    const auto at = std::ranges::find(groups, name, &TaskGroup::name);
    return at == groups.end() ? nullptr : &*at;
  };
  List<model::TaskGroupDiff> out;
  for (const TaskGroup& group : before) out.push_back(group_diff(&group, find(after, group.name), contextual));
  for (const TaskGroup& group : after) {
    if (find(before, group.name) == nullptr) out.push_back(group_diff(nullptr, &group, contextual));
  }
  std::ranges::sort(out, {}, &model::TaskGroupDiff::name);
  return out;
}

void nested_of_job(Nested<Job>& n) {
  // A list of datacenters that did not change is no object, even in a contextual diff.
  if (n.before().datacenters != n.after().datacenters) {
    if (auto diff = text_set("Datacenters", n.before().datacenters, n.after().datacenters, n.contextual()); diff && diff->type != type::none) {
      n.add(std::move(diff));
    }
  }
  n.set("Constraint", &Job::constraints);
  n.set("Affinity", &Job::affinities);
  n.object("Periodic", &Job::periodic);
  n.object("ParameterizedJob", &Job::parameterized_job);
  n.object("Multiregion", &Job::multiregion);
  n.object("UI", &Job::ui);
}

bool changed(const model::JobDiff& diff) {
  const auto differs = [](const auto& item) { return item.type != type::none; };
  return std::ranges::any_of(diff.fields, differs) || std::ranges::any_of(diff.objects, differs) || std::ranges::any_of(diff.task_groups, differs);
}

}  // namespace

model::JobDiff diff_jobs(const Job* old_job, const Job* new_job, bool contextual) {
  model::JobDiff out;
  out.id = new_job == nullptr ? old_job->id : new_job->id;
  const auto flat = [](const Job* job) { return job == nullptr ? Flat{} : flatten(*job, job_skip); };
  out.fields = field_diffs(flat(old_job), flat(new_job), false);
  const Job missing{};
  const Job& from = old_job == nullptr ? missing : *old_job;
  const Job& to = new_job == nullptr ? missing : *new_job;
  Nested<Job> nested(from, to, contextual, out.objects);
  nested_of_job(nested);
  out.task_groups = group_diffs(from.task_groups, to.task_groups, contextual);
  // By what is shown: much of a job changes with every registration.
  out.type = old_job == nullptr ? type::added : new_job == nullptr ? type::deleted : changed(out) ? type::edited : type::none;
  return out;
}

}  // namespace drover::diff
