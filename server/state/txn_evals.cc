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

}  // namespace drover::state
