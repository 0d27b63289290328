// Deployments: their status, promotion, the health of their allocations, and the job versions they prove.
#include <algorithm>

#include "server/state/txn.h"

namespace drover::state {

void add_to(Tables& tables, const DeploymentPtr& deployment) {
  tables.deployments.put(deployment);
  tables.deployments_created.put(deployment);
  tables.deployments_namespace.put(deployment);
  tables.deployments_job.put(deployment);
}

void remove_from(Tables& tables, const DeploymentPtr& deployment) {
  tables.deployments_created.erase({deployment->create_index, deployment->id});
  tables.deployments_namespace.erase({deployment->namespace_, deployment->create_index, deployment->id});
  tables.deployments_job.erase({deployment->namespace_, deployment->job_id, deployment->id});
  tables.deployments.erase(deployment->id);
}

void Txn::store_deployment(const DeploymentPtr& before, DeploymentPtr deployment) {
  add_to(t_, deployment);
  want_status(deployment->namespace_, deployment->job_id);
  record(Table::deployment, before ? Object(before) : Object(), std::move(deployment));
}

void Txn::put_deployment(model::Deployment deployment) {
  const DeploymentPtr* found = t_.deployments.find(deployment.id);
  const DeploymentPtr before = found != nullptr ? *found : nullptr;
  deployment.create_index = before ? before->create_index : index_;
  deployment.modify_index = index_;
  store_deployment(before, std::make_shared<const model::Deployment>(std::move(deployment)));
}

void Txn::put_planned_deployment(model::Deployment planned) {
  const DeploymentPtr* found = t_.deployments.find(planned.id);
  if (found == nullptr) {
    put_deployment(std::move(planned));
    return;
  }
  model::Deployment deployment = **found;
  if (deployment.status == "running") deployment.status_description = planned.status_description;
  for (const auto& [name, group] : planned.task_groups) {
    auto& stored = deployment.task_groups[name];
    stored.desired_total = group.desired_total;
    stored.desired_canaries = group.desired_canaries;
  }
  if (!(deployment == **found)) put_deployment(std::move(deployment));
}

void Txn::put_deployment_status(const model::DeploymentStatusUpdate& update) {
  const DeploymentPtr* found = t_.deployments.find(update.deployment_id);
  if (found == nullptr || !active(**found)) return;
  const DeploymentPtr before = *found;
  model::Deployment deployment = *before;
  deployment.status = update.status;
  deployment.status_description = update.status_description;
  if (update.updated_at != 0) deployment.modify_time = update.updated_at;
  deployment.modify_index = index_;
  const bool success = deployment.status == "successful";
  const auto stored = std::make_shared<const model::Deployment>(std::move(deployment));
  store_deployment(before, stored);
  // A deployment that succeeded makes its job version one to go back to.
  if (success) put_stability(stored->namespace_, stored->job_id, stored->job_version, true);
}

void Txn::put_stability(std::string_view namespace_, std::string_view id, std::uint64_t version, bool stable) {
  const JobPtr* found = t_.versions.find({namespace_, id, version});
  if (found == nullptr || (*found)->stable == stable) return;
  model::Job job = **found;
  job.stable = stable;
  job.modify_index = index_;
  const JobPtr* current = t_.jobs.find({namespace_, id});
  const bool is_current = current != nullptr && (*current)->version == version;
  if (is_current) {
    job.status = (*current)->status;
    job.status_description = (*current)->status_description;
  }
  const JobPtr stored = std::make_shared<const model::Job>(std::move(job));
  store_version(stored, 0);
  if (is_current) store_job(stored);
}

Result<> Txn::check_active(std::string_view id) const {
  const DeploymentPtr* found = t_.deployments.find(id);
  if (found == nullptr) return fail(Code::not_found, "Deployment ID \"{}\" couldn't be updated as it does not exist", id);
  if (!active(**found)) return fail(Code::invalid_argument, "Deployment \"{}\" has terminal status \"{}\":", id, (*found)->status);
  return {};
}

Result<> Txn::promote_deployment(std::string_view id, bool all, const model::List<std::string>& groups, std::int64_t now) {
  DROVER_TRY(check_active(id));
  const DeploymentPtr before = *t_.deployments.find(id);
  const auto chosen = [&](const std::string& group) { return all || std::ranges::find(groups, group) != groups.end(); };
  std::vector<AllocPtr> canaries;
  std::map<std::string, std::int64_t, std::less<>> healthy;
  t_.allocs_deployment.scan({id, {}}, [&](const AllocPtr& alloc) {
    if (alloc->deployment_id != id) return false;
    if (terminal(*alloc) || !alloc->deployment_status || !alloc->deployment_status->canary || !chosen(alloc->task_group)) return true;
    canaries.push_back(alloc);
    if (alloc->deployment_status->healthy.value_or(false)) ++healthy[alloc->task_group];
    return true;
  });
  std::string short_of;
  int lacking = 0;
  for (const auto& [name, group] : before->task_groups) {
    if (!chosen(name) || group.desired_canaries == 0 || healthy[name] >= group.desired_canaries) continue;
    ++lacking;
    short_of += fmt::format("\t* Task group \"{}\" has {}/{} healthy allocations\n", name, healthy[name], group.desired_canaries);
  }
  if (lacking > 0) return fail(Code::invalid_argument, "{} error{} occurred:\n{}\n", lacking, lacking == 1 ? "" : "s", short_of);
  model::Deployment deployment = *before;
  bool waits = false;
  for (auto& [name, group] : deployment.task_groups) {
    if (chosen(name)) {
      // What follows the promotion has its whole time again.
      if (group.progress_deadline.count() > 0 && !group.require_progress_by.is_zero()) {
        group.require_progress_by = model::Time(now + group.progress_deadline.count());
      }
      group.promoted = true;
    }
    waits = waits || (group.desired_canaries > 0 && !group.promoted);
  }
  if (!waits && deployment.status == "running") deployment.status_description = "Deployment is running";
  deployment.modify_index = index_;
  deployment.modify_time = now;
  store_deployment(before, std::make_shared<const model::Deployment>(std::move(deployment)));
  for (const auto& canary : canaries) {
    model::Allocation alloc = *canary;
    alloc.deployment_status->canary = false;
    alloc.deployment_status->modify_index = index_;
    alloc.modify_index = index_;
    alloc.alloc_modify_index = index_;
    store_alloc(canary, std::make_shared<const model::Allocation>(std::move(alloc)));
  }
  return {};
}

Result<> Txn::put_alloc_health(std::string_view deployment_id, const model::List<std::string>& allocs, bool healthy, std::int64_t now) {
  for (const auto& id : allocs) {
    const AllocPtr* found = t_.allocs.find(id);
    if (found == nullptr) return fail(Code::invalid_argument, "unknown alloc \"{}\"", id);
    const AllocPtr before = *found;
    if (before->deployment_id != deployment_id) {
      return fail(Code::invalid_argument, "alloc \"{}\" is not part of deployment \"{}\"", id, deployment_id);
    }
    model::Allocation alloc = *before;
    model::AllocDeploymentStatus& status = alloc.deployment_status.ensure();
    status.healthy = healthy;
    status.timestamp = model::Time(now);
    status.modify_index = index_;
    alloc.modify_index = index_;
    alloc.alloc_modify_index = index_;
    count_in_deployment(before, alloc);
    store_alloc(before, std::make_shared<const model::Allocation>(std::move(alloc)));
  }
  return {};
}

void Txn::delete_deployment(std::string_view id) {
  const DeploymentPtr* found = t_.deployments.find(id);
  if (found == nullptr) return;
  const DeploymentPtr before = *found;
  remove_from(t_, before);
  record(Table::deployment, before, {});
}

}  // namespace drover::state
