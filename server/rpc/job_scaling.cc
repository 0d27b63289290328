// Scaling: the counts of a job's groups, what changed them, and the policies for who changes them.
#include <algorithm>

#include "server/rpc/query.h"

namespace drover::rpc {
namespace {

using state::JobPtr;
using state::ScalingPolicyPtr;
using state::Scope;
using state::Snapshot;
using state::Table;
using state::WatchSet;

Error bad(std::string text) { return Error(Code::invalid_argument, std::move(text)); }

std::string target_part(const model::JobScaleRequest& request, std::string_view name) {
  const std::string* value = request.target.get(name);
  return value == nullptr ? std::string() : *value;
}

Result<> check_request(const model::JobScaleRequest& request, const std::string& ns) {
  const std::string target_ns = target_part(request, "Namespace");
  if (!target_ns.empty() && target_ns != ns) return fail(bad("namespace in payload did not match header"));
  const std::string target_job = target_part(request, "Job");
  if (!target_job.empty() && target_job != request.job_id) return fail(bad("job ID in payload did not match URL"));
  if (target_part(request, "Group").empty()) return fail(bad("missing task group name for scaling action"));
  if (!request.count) return {};
  if (*request.count < 0) return fail(bad("scaling action count can't be negative"));
  if (request.error) return fail(bad("scaling action should not contain count if error is true"));
  return {};
}

Result<> check_count(const Snapshot& s, const model::Job& job, const model::TaskGroup& group, std::int64_t count) {
  const bool system = job.type == "system" || job.type == "sysbatch";
  if (system && count > 1) return fail(bad(fmt::format("jobs of type \"{}\" can only be scaled between 0 and 1", job.type)));
  if (group.scaling) {
    if (count < group.scaling->min) return fail(bad(fmt::format("group count was less than scaling policy minimum: {} < {}", count, group.scaling->min)));
    if (count > group.scaling->max) return fail(bad(fmt::format("group count was greater than scaling policy maximum: {} > {}", count, group.scaling->max)));
  }
  const auto deployment = s.latest_deployment(job.namespace_, job.id);
  if (deployment && state::active(*deployment) && deployment->job_create_index == job.create_index) {
    return fail(bad("job scaling blocked due to active deployment"));
  }
  return {};
}

Async<Result<model::JobRegisterResponse>> scale(Context& c, model::JobScaleRequest request) {
  const std::string ns = namespace_or_default(request.namespace_);
  DROVER_CO_TRY(check_request(request, ns));
  const auto snapshot = c.fsm.store().snapshot();
  const JobPtr stored = snapshot->job(ns, request.job_id);
  if (!stored) co_return fail(Code::not_found, "job \"{}\" not found", request.job_id);
  model::Job job = *stored;
  const std::string name = target_part(request, "Group");
  const auto group = std::ranges::find(job.task_groups, name, &model::TaskGroup::name);
  if (group == job.task_groups.end()) {
    co_return fail(bad(fmt::format("task group \"{}\" specified for scaling does not exist in job", name)));
  }
  fsm::ScalingEvent event;
  event.namespace_ = ns;
  event.job_id = request.job_id;
  event.group = name;
  event.event.time = c.clock.unix_nanos();
  event.event.previous_count = group->count;
  event.event.message = request.message;
  event.event.error = request.error;
  event.event.meta = request.meta;
  model::JobRegisterResponse reply;
  reply.known_leader = true;
  if (!request.count) {
    auto index = co_await c.writer.write(std::move(event));
    if (!index) co_return fail(index.error());
    reply.index = *index;
    reply.job_modify_index = stored->job_modify_index;
    co_return reply;
  }
  DROVER_CO_TRY(check_count(*snapshot, job, *group, *request.count));
  group->count = *request.count;
  job.submit_time = c.clock.unix_nanos();
  event.event.count = *request.count;
  fsm::JobRegister message;
  message.enforce_index = true;
  message.job_modify_index = request.job_modify_index != 0 ? request.job_modify_index : stored->job_modify_index;
  message.tracked_versions = c.job_tracked_versions;
  if (has_evals(job)) {
    auto eval = new_eval(c, job, "job-scaling");
    reply.eval_id = eval->id;
    event.event.eval_id = eval->id;
    message.eval = std::move(eval);
  }
  message.scaling = std::move(event);
  message.job = std::make_shared<const model::Job>(std::move(job));
  auto index = co_await c.writer.write(std::move(message));
  if (!index) co_return fail(index.error());
  reply.index = *index;
  if (!reply.eval_id.empty()) reply.eval_create_index = *index;
  const JobPtr after = c.fsm.store().snapshot()->job(ns, request.job_id);
  reply.job_modify_index = after ? after->job_modify_index : *index;
  co_return reply;
}

model::JobScaleStatus make_status(const Snapshot& s, const model::Job& job) {
  model::JobScaleStatus out;
  out.job_id = job.id;
  out.namespace_ = job.namespace_;
  out.job_create_index = job.create_index;
  out.job_modify_index = job.job_modify_index;
  out.job_stopped = job.stop;
  const auto events = s.scaling_events(job.namespace_, job.id);
  for (const auto& group : job.task_groups) {
    model::TaskGroupScaleStatus& status = out.task_groups[group.name];
    status.desired = group.count;
    const auto* list = events ? events->scaling_events.get(group.name) : nullptr;
    if (list != nullptr) status.events = *list;
  }
  for (const auto& alloc : s.allocs_by_job(job.namespace_, job.id, false)) {
    model::TaskGroupScaleStatus* status = out.task_groups.get(alloc->task_group);
    const auto& health = alloc->deployment_status;
    if (status == nullptr || state::terminal(*alloc) || (health && health->canary)) continue;
    ++status->placed;
    if (alloc->client_status == "running") ++status->running;
    if (health && health->healthy) ++(*health->healthy ? status->healthy : status->unhealthy);
  }
  return out;
}

Async<Result<model::ObjectReply<model::JobScaleStatus>>> scale_status(Context& c, model::ObjectRequest request) {
  using Reply = model::ObjectReply<model::JobScaleStatus>;
  std::function<Result<Reply>(const Snapshot&, WatchSet&)> read = [&request](const Snapshot& s, WatchSet& watch) -> Result<Reply> {
    const std::string ns = namespace_or_default(request.namespace_);
    watch.add(Table::jobs, Scope::key, ns, request.id);
    watch.add(Table::allocs, Scope::job, ns, request.id);
    watch.add(Table::scaling_event, Scope::key, ns, request.id);
    Reply reply;
    reply.index = s.index_of(Table::jobs);
    const JobPtr job = s.job(ns, request.id);
    if (!job) return reply;
    reply.item = std::make_shared<const model::JobScaleStatus>(make_status(s, *job));
    reply.index = job->modify_index;
    for (const auto& alloc : s.allocs_by_job(ns, request.id, false)) reply.index = std::max(reply.index, alloc->modify_index);
    if (const auto events = s.scaling_events(ns, request.id)) reply.index = std::max(reply.index, events->modify_index);
    return reply;
  };
  auto reply = co_await query<Reply>(c, request, std::move(read));
  co_return reply;
}

Result<model::ListReply<model::ScalingPolicyListStub>> list(const model::ScalingPoliciesRequest& request, const Snapshot& s, WatchSet& watch) {
  const std::string ns = request.all_namespaces ? "*" : namespace_or_default(request.namespace_);
  model::ListReply<model::ScalingPolicyListStub> reply;
  reply.items.allocate();
  s.tables().scaling_policies.scan(std::string_view(request.prefix), [&](const ScalingPolicyPtr& policy) {
    if (!policy->id.starts_with(request.prefix)) return false;
    const auto [policy_ns, job, group] = state::keys::ScalingTarget{}(policy);
    if (ns != "*" && policy_ns != ns) return true;
    if (!request.job_id.empty() && job != request.job_id) return true;
    if (!policy->type.starts_with(request.type)) return true;
    model::ScalingPolicyListStub stub;
    stub.id = policy->id;
    stub.enabled = policy->enabled;
    stub.type = policy->type;
    stub.target = policy->target;
    stub.create_index = policy->create_index;
    stub.modify_index = policy->modify_index;
    reply.items.push_back(std::move(stub));
    return true;
  });
  watch_list(watch, Table::scaling_policy, ns, "", !reply.items.empty());
  reply.index = std::max<std::uint64_t>(1, s.index_of(Table::scaling_policy));
  return reply;
}

Async<Result<model::ListReply<model::ScalingPolicyListStub>>> list_policies(Context& c, model::ScalingPoliciesRequest request) {
  using Reply = model::ListReply<model::ScalingPolicyListStub>;
  std::function<Result<Reply>(const Snapshot&, WatchSet&)> read = [&request](const Snapshot& s, WatchSet& watch) { return list(request, s, watch); };
  auto reply = co_await query<Reply>(c, request, std::move(read));
  co_return reply;
}

Async<Result<model::ObjectReply<model::ScalingPolicy>>> get_policy(Context& c, model::ObjectRequest request) {
  using Reply = model::ObjectReply<model::ScalingPolicy>;
  std::function<Result<Reply>(const Snapshot&, WatchSet&)> read = [&request](const Snapshot& s, WatchSet& watch) -> Result<Reply> {
    watch.add(Table::scaling_policy, Scope::key, request.id);
    Reply reply;
    reply.item = s.scaling_policy(request.id);
    reply.index = reply.item ? reply.item->modify_index : std::max<std::uint64_t>(1, s.index_of(Table::scaling_policy));
    return reply;
  };
  auto reply = co_await query<Reply>(c, request, std::move(read));
  co_return reply;
}

}  // namespace

void add_job_scaling(Context& c, wire::Registry& registry) {
  namespace e = wire::endpoints;
  registry.add(e::job_scale, std::function([&c](model::JobScaleRequest r) { return scale(c, std::move(r)); }));
  registry.add(e::job_scale_status, std::function([&c](model::ObjectRequest r) { return scale_status(c, std::move(r)); }));
  registry.add(e::scaling_policies, std::function([&c](model::ScalingPoliciesRequest r) { return list_policies(c, std::move(r)); }));
  registry.add(e::scaling_policy, std::function([&c](model::ObjectRequest r) { return get_policy(c, std::move(r)); }));
}

}  // namespace drover::rpc
