#include "server/state/txn.h"

namespace drover::state {

void add_to(Tables& tables, const EvalPtr& eval) {
  tables.evals.put(eval);
  tables.evals_created.put(eval);
  tables.evals_namespace.put(eval);
  tables.evals_job.put(eval);
}

void remove_from(Tables& tables, const EvalPtr& eval) {
  tables.evals_created.erase({eval->create_index, eval->id});
  tables.evals_namespace.erase({eval->namespace_, eval->create_index, eval->id});
  tables.evals_job.erase({eval->namespace_, eval->job_id, eval->id});
  tables.evals.erase(eval->id);
}

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

void Txn::store_eval(const EvalPtr& before, EvalPtr eval) {
  add_to(t_, eval);
  record(Table::evals, before ? Object(before) : Object(), std::move(eval));
}

void Txn::put_eval(model::Evaluation eval) {
  const EvalPtr* found = t_.evals.find(eval.id);
  const EvalPtr before = found != nullptr ? *found : nullptr;
  eval.create_index = before ? before->create_index : index_;
  eval.modify_index = index_;
  count_queued(eval);

  // An evaluation that placed everything ends the blocked ones of its job.
  if (eval.status == "complete" && eval.failed_tg_allocs.empty() && !eval.job_id.empty()) {
    std::vector<EvalPtr> blocked;
    t_.evals_job.scan({eval.namespace_, eval.job_id, {}}, [&](const EvalPtr& other) {
      if (other->namespace_ != eval.namespace_ || other->job_id != eval.job_id) return false;
      if (other->status == "blocked" && other->id != eval.id) blocked.push_back(other);
      return true;
    });
    for (const auto& other : blocked) {
      model::Evaluation canceled = *other;
      canceled.status = "canceled";
      canceled.status_description = "evaluation \"" + eval.id + "\" successful";
      canceled.modify_index = index_;
      canceled.modify_time = eval.modify_time;
      store_eval(other, std::make_shared<const model::Evaluation>(std::move(canceled)));
    }
  }
  want_status(eval.namespace_, eval.job_id);
  store_eval(before, std::make_shared<const model::Evaluation>(std::move(eval)));
}

void Txn::touch_eval(std::string_view id, std::int64_t now) {
  const EvalPtr* found = t_.evals.find(id);
  if (found == nullptr) return;
  const EvalPtr before = *found;
  model::Evaluation eval = *before;
  eval.modify_index = index_;
  eval.modify_time = now;
  store_eval(before, std::make_shared<const model::Evaluation>(std::move(eval)));
}

void Txn::delete_eval(std::string_view id) {
  const EvalPtr* found = t_.evals.find(id);
  if (found == nullptr) return;
  const EvalPtr before = *found;
  remove_from(t_, before);
  want_status(before->namespace_, before->job_id, true);
  record(Table::evals, before, {});
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
  const JobPtr* job = t_.versions.find({deployment.namespace_, deployment.job_id, deployment.job_version});
  store_deployment(before, std::make_shared<const model::Deployment>(std::move(deployment)));
  if (!success || job == nullptr || (*job)->stable) return;
  // A deployment that succeeded makes its job version one to go back to.
  model::Job stable = **job;
  stable.stable = true;
  stable.modify_index = index_;
  const JobPtr* current = t_.jobs.find({stable.namespace_, stable.id});
  const bool is_current = current != nullptr && (*current)->version == stable.version;
  if (is_current) {
    stable.status = (*current)->status;
    stable.status_description = (*current)->status_description;
  }
  const JobPtr stored = std::make_shared<const model::Job>(std::move(stable));
  store_version(stored, 0);
  if (is_current) store_job(stored);
}

void Txn::delete_deployment(std::string_view id) {
  const DeploymentPtr* found = t_.deployments.find(id);
  if (found == nullptr) return;
  const DeploymentPtr before = *found;
  remove_from(t_, before);
  record(Table::deployment, before, {});
}

}  // namespace drover::state
