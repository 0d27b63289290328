// What hangs off a job beside its allocations: scaling policies and events, and the names of its versions.
#include <algorithm>

#include "server/state/txn.h"

namespace drover::state {
namespace {

constexpr std::size_t max_scaling_events = 20;  // of a group

model::Map<std::string> target_of(const model::Job& job, const model::TaskGroup& group) {
  model::Map<std::string> out;
  out["Namespace"] = job.namespace_;
  out["Job"] = job.id;
  out["Group"] = group.name;
  return out;
}

bool same_policy(const model::ScalingPolicy& a, const model::ScalingPolicy& b) {
  model::ScalingPolicy copy = b;
  copy.create_index = a.create_index;
  copy.modify_index = a.modify_index;
  return copy == a;
}

}  // namespace

void Txn::adopt_scaling(model::Job& job) {
  for (auto& group : job.task_groups) {
    if (!group.scaling) continue;
    model::ScalingPolicy& policy = *group.scaling;
    policy.target = target_of(job, group);
    if (policy.type.empty()) policy.type = "horizontal";
    // Only a policy that is new gets its indexes inside the job, too; clients know the job as it was sent.
    if (const ScalingPolicyPtr* stored = t_.scaling_targets.find({job.namespace_, job.id, group.name})) policy.id = (*stored)->id;
    else policy.create_index = policy.modify_index = index_;
  }
}

void Txn::store_scaling(std::string_view namespace_, std::string_view id, const model::Job* job) {
  std::vector<ScalingPolicyPtr> old;
  t_.scaling_targets.scan({namespace_, id, {}}, [&](const ScalingPolicyPtr& policy) {
    const auto [ns, job_id, group] = keys::ScalingTarget{}(policy);
    if (ns != namespace_ || job_id != id) return false;
    old.push_back(policy);
    return true;
  });
  for (const auto& policy : old) {
    const auto wanted = [&](const model::TaskGroup& group) { return group.scaling && group.scaling->id == policy->id; };
    if (job != nullptr && std::ranges::any_of(job->task_groups, wanted)) continue;
    t_.scaling_targets.erase(keys::ScalingTarget{}(policy));
    t_.scaling_policies.erase(policy->id);
    record(Table::scaling_policy, policy, {});
  }
  if (job == nullptr) return;
  for (const auto& group : job->task_groups) {
    if (!group.scaling) continue;
    const ScalingPolicyPtr* found = t_.scaling_policies.find(group.scaling->id);
    const ScalingPolicyPtr before = found != nullptr ? *found : nullptr;
    if (before && same_policy(*before, *group.scaling)) continue;
    model::ScalingPolicy policy = *group.scaling;
    policy.create_index = before ? before->create_index : index_;
    policy.modify_index = index_;
    auto stored = std::make_shared<const model::ScalingPolicy>(std::move(policy));
    t_.scaling_policies.put(stored);
    t_.scaling_targets.put(stored);
    record(Table::scaling_policy, before ? Object(before) : Object(), std::move(stored));
  }
}

void Txn::put_scaling_event(std::string_view namespace_, std::string_view job_id, std::string_view group, model::ScalingEvent event) {
  const ScalingEventsPtr* found = t_.scaling_events.find({namespace_, job_id});
  const ScalingEventsPtr before = found != nullptr ? *found : nullptr;
  auto events = before ? std::make_shared<model::JobScalingEvents>(*before) : std::make_shared<model::JobScalingEvents>();
  events->namespace_ = namespace_;
  events->job_id = job_id;
  events->modify_index = index_;
  event.create_index = index_;
  auto& list = events->scaling_events[std::string(group)];
  list.insert(list.begin(), std::move(event));
  if (list.size() > max_scaling_events) list.resize(max_scaling_events);
  ScalingEventsPtr stored = std::move(events);
  t_.scaling_events.put(stored);
  record(Table::scaling_event, before ? Object(before) : Object(), std::move(stored));
}

Result<> Txn::put_version_tag(std::string_view namespace_, std::string_view id, std::uint64_t version, const model::JobVersionTag& tag) {
  const JobPtr* found = t_.versions.find({namespace_, id, version});
  bool taken = false;
  t_.versions.scan({namespace_, id, 0}, [&](const JobPtr& other) {
    if (other->namespace_ != namespace_ || other->id != id) return false;
    taken = other->version_tag && other->version_tag->name == tag.name && other->version != version;
    return !taken;
  });
  if (taken) return fail(Code::internal, "tag \"{}\" already exists on a different version of job \"{}\"", tag.name, id);
  if (found == nullptr) return fail(Code::internal, "job \"{}\" version {} not found", id, version);
  model::Job job = **found;
  job.version_tag = tag;
  store_tagged(std::move(job));
  return {};
}

Result<> Txn::delete_version_tag(std::string_view namespace_, std::string_view id, std::string_view name) {
  JobPtr tagged;
  t_.versions.scan({namespace_, id, 0}, [&](const JobPtr& version) {
    if (version->namespace_ != namespace_ || version->id != id) return false;
    if (version->version_tag && version->version_tag->name == name) tagged = version;
    return !tagged;
  });
  if (!tagged) return fail(Code::internal, "tag \"{}\" not found on job \"{}\"", name, id);
  model::Job job = *tagged;
  job.version_tag.reset();
  store_tagged(std::move(job));
  return {};
}

void Txn::store_tagged(model::Job job) {
  job.modify_index = index_;
  const JobPtr* current = t_.jobs.find({job.namespace_, job.id});
  const bool is_current = current != nullptr && (*current)->version == job.version;
  if (is_current) {
    job.status = (*current)->status;
    job.status_description = (*current)->status_description;
  }
  const JobPtr stored = std::make_shared<const model::Job>(std::move(job));
  store_version(stored, 0);
  if (is_current) store_job(stored);
}

}  // namespace drover::state
