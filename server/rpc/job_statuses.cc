// Jobs as a user interface shows them: with their allocations, newest deployment and children, the one changed last first.
#include <algorithm>
#include <charconv>

#include "server/rpc/query.h"

namespace drover::rpc {
namespace {

using state::JobPtr;
using state::Scope;
using state::Snapshot;
using state::Table;
using state::WatchSet;

model::JobStatusesAlloc alloc_of(const model::Allocation& alloc) {
  model::JobStatusesAlloc out;
  out.id = alloc.id;
  out.group = alloc.task_group;
  out.client_status = alloc.client_status;
  out.node_id = alloc.node_id;
  out.job_version = alloc.job ? alloc.job->version : 0;
  out.followup_eval_id = alloc.followup_eval_id;
  if (alloc.deployment_status) {
    out.deployment_status.canary = alloc.deployment_status->canary;
    out.deployment_status.healthy = alloc.deployment_status->healthy;
  }
  for (const auto& [name, task] : alloc.task_states) out.has_paused_task = out.has_paused_task || !task.paused.empty();
  return out;
}

model::JobStatusesLatestDeployment deployment_of(const model::Deployment& deployment) {
  model::JobStatusesLatestDeployment out;
  out.id = deployment.id;
  out.is_active = state::active(deployment);
  out.job_version = deployment.job_version;
  out.status = deployment.status;
  out.status_description = deployment.status_description;
  out.all_auto_promote = deployment.status == "running" && !deployment.task_groups.empty();
  for (const auto& [name, group] : deployment.task_groups) {
    if (group.desired_canaries == 0) continue;
    if (!group.auto_promote) out.all_auto_promote = false;
    if (deployment.status == "running" && !group.promoted) out.requires_promotion = true;
  }
  return out;
}

model::JobStatusesJob status_of(const Snapshot& s, const model::Job& job, std::uint64_t& index) {
  model::JobStatusesJob out;
  out.id = job.id;
  out.namespace_ = job.namespace_;
  out.name = job.name;
  out.type = job.type;
  out.node_pool = job.node_pool;
  out.datacenters = job.datacenters;
  out.priority = job.priority;
  out.version = job.version;
  out.submit_time = job.submit_time;
  out.modify_index = job.modify_index;
  out.parent_id = job.parent_id;
  out.stop = job.stop;
  out.status = job.status;
  if (const auto* pack = job.meta.get("pack.name")) out.is_pack = !pack->empty();
  for (const auto& group : job.task_groups) out.group_count_sum += group.count;
  index = std::max(index, job.modify_index);
  if (!has_evals(job)) {
    out.child_statuses.allocate();
    s.tables().jobs.scan({job.namespace_, job.id}, [&](const JobPtr& child) {
      if (child->namespace_ != job.namespace_ || !child->id.starts_with(job.id)) return false;
      if (child->parent_id == job.id) out.child_statuses.push_back(child->status);
      return true;
    });
    return out;
  }
  for (const auto& alloc : s.allocs_by_job(job.namespace_, job.id, true)) {
    out.allocs.push_back(alloc_of(*alloc));
    index = std::max(index, alloc->modify_index);
  }
  if (const auto deployment = s.latest_deployment(job.namespace_, job.id)) {
    out.latest_deployment = deployment_of(*deployment);
    index = std::max(index, deployment->modify_index);
  }
  return out;
}

bool wanted(const model::JobStatusesCall& request, const model::Job& job) {
  if (!request.jobs.empty()) {
    return std::ranges::any_of(request.jobs, [&](const auto& one) { return one.id == job.id && namespace_or_default(one.namespace_) == job.namespace_; });
  }
  return (request.include_children || job.parent_id.empty()) && job.id.starts_with(request.prefix);
}

Result<model::ListReply<model::JobStatusesJob>> read_statuses(const Context& c, const model::JobStatusesCall& request, const Snapshot& s, WatchSet& watch) {
  auto match = make_matcher(c, request);
  if (!match) return fail(match.error());
  // Named jobs bring their own namespaces.
  const std::string ns = request.all_namespaces || !request.jobs.empty() ? "*" : namespace_or_default(request.namespace_);
  std::vector<JobPtr> jobs;
  s.tables().jobs.scan([&](const JobPtr& job) {
    if ((ns == "*" || job->namespace_ == ns) && wanted(request, *job)) jobs.push_back(job);
    return true;
  });
  std::ranges::sort(jobs, [&](const JobPtr& a, const JobPtr& b) {
    return request.reverse ? a->modify_index < b->modify_index : a->modify_index > b->modify_index;
  });
  std::uint64_t start = 0;
  std::from_chars(request.next_token.data(), request.next_token.data() + request.next_token.size(), start);
  model::ListReply<model::JobStatusesJob> reply;
  reply.items.allocate();
  for (const auto& job : jobs) {
    if (start != 0 && (request.reverse ? job->modify_index < start : job->modify_index > start)) continue;
    if (*match) {
      auto matched = (*match)(state::Object(job));
      if (!matched) return fail(Code::invalid_argument, "failed to read result page: {}", matched.error().message());
      if (!*matched) continue;
    }
    if (request.per_page > 0 && static_cast<std::int64_t>(reply.items.size()) == request.per_page) {
      reply.next_token = std::to_string(job->modify_index);
      break;
    }
    reply.items.push_back(status_of(s, *job, reply.index));
  }
  for (const Table table : {Table::jobs, Table::allocs, Table::deployment}) watch_list(watch, table, ns, "", false);
  return reply;
}

Async<Result<model::ListReply<model::JobStatusesJob>>> statuses(Context& c, model::JobStatusesCall request) {
  using Reply = model::ListReply<model::JobStatusesJob>;
  std::function<Result<Reply>(const Snapshot&, WatchSet&)> read = [&c, &request](const Snapshot& s, WatchSet& watch) {
    return read_statuses(c, request, s, watch);
  };
  auto reply = co_await query<Reply>(c, request, std::move(read));
  co_return reply;
}

}  // namespace

void add_job_statuses(Context& c, wire::Registry& registry) {
  registry.add(wire::endpoints::job_statuses, std::function([&c](model::JobStatusesCall r) { return statuses(c, std::move(r)); }));
}

}  // namespace drover::rpc
