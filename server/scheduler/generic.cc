#include "server/scheduler/generic.h"

#include <algorithm>

#include "server/scheduler/alloc_state.h"
#include "server/scheduler/reconcile/cluster_state.h"
#include "server/scheduler/reconcile/reschedule.h"
#include "server/scheduler/update_check.h"

namespace drover::scheduler {
namespace {

constexpr int service_attempts = 5;
constexpr int batch_attempts = 2;

}  // namespace

GenericRun::GenericRun(model::Evaluation evaluation, Rng& rng, NodeTable* table)
    : RunBase(evaluation, rng, table, evaluation.type == "batch" ? batch_attempts : service_attempts) {}

void GenericRun::attempt(Step& step) {
  stored_deployment_ = batch() ? nullptr : view_->latest_deployment(eval_.namespace_, eval_.job_id);
  next_eval_id_.clear();
  downgraded_jobs_.clear();
  Stack stack(*view_, *table_, *draft_, eligibility_, rng_, batch(), false);
  const bool live = job_ != nullptr && !job_->stop;
  if (live) stack.set_job(*job_);

  ClusterInput input;
  input.job = job_;
  input.job_id = eval_.job_id;
  input.eval = &eval_;
  input.batch = batch();
  input.allocs = view_->allocs_by_job(eval_.namespace_, eval_.job_id, true);
  input.tainted = tainted_nodes(*view_, input.allocs);
  input.deployment = stored_deployment_;
  input.now = now_;
  input.update = [&](const AllocPtr& alloc, const model::TaskGroup& group) {
    return check_update(*view_, *draft_, stack, *job_, eval_.id, alloc, group);
  };
  input.rng = &rng_;
  stop_lost(input.allocs, input.tainted);
  ClusterReconciler reconciler(input);
  auto changes = reconciler.compute();
  if (changes.deployment) deployment_ = changes.deployment;
  else if (stored_deployment_ != nullptr) deployment_ = *stored_deployment_;
  else deployment_.reset();
  deployment_id_ = deployment_ ? deployment_->id : std::string();
  annotations_ = model::PlanAnnotations{.desired_tg_updates = changes.desired};
  auto& plan = draft_->plan();
  if (changes.deployment) plan.deployment = *changes.deployment;
  plan.deployment_updates = changes.deployment_updates;
  apply(changes);
  if (live && (!changes.place.empty() || !changes.destructive.empty())) compute_placements(stack, changes);
  else nothing_queued();

  const bool first_look = eval_.wait_until.is_zero();
  const bool delayed = !changes.followups.empty() && first_look;
  if (eval_.status != "blocked" && !failed_.empty() && blocked_id_.empty()) {
    auto blocked = blocked_evaluation(false);
    blocked_id_ = blocked.id;
    step.create_evals.push_back(std::move(blocked));
  }
  if (delayed) {
    for (auto& eval : changes.followups) {
      eval.previous_eval = eval_.id;
      next_eval_id_ = eval.id;
      step.create_evals.push_back(std::move(eval));
    }
  }
}

void GenericRun::give_up(Step& step) {
  auto blocked = blocked_evaluation(true);
  blocked_id_ = blocked.id;
  step.create_evals.push_back(std::move(blocked));
  set_status(step, "failed", fmt::format("maximum attempts reached ({})", batch() ? batch_attempts : service_attempts));
}

void GenericRun::finish(Step& step) {
  if (eval_.status == "blocked" && !failed_.empty()) {
    auto again = eval_;
    again.escaped_computed_class = eligibility_.escaped();
    again.class_eligibility = eligibility_.classes();
    again.modify_time = now_;
    step.reblock = std::move(again);
    return;
  }
  set_status(step, "complete", "");
}

void GenericRun::apply(const Changes& changes) {
  for (const auto& request : changes.stop) draft_->stop(request.alloc, request.how);
  for (const auto* updates : {&changes.disconnect_updates, &changes.reconnect_updates, &changes.attribute_updates}) {
    for (const auto& [id, alloc] : *updates) draft_->place(alloc);
  }
  for (const auto& alloc : changes.in_place) {
    if (alloc->deployment_id != deployment_id_) {
      alloc->deployment_id = deployment_id_;
      alloc->deployment_status.reset();
    }
    draft_->place(alloc);
  }
}

void GenericRun::compute_placements(Stack& stack, const Changes& changes) {
  for (const auto* list : {&changes.place, &changes.destructive}) {
    for (const auto& request : *list) ++queued_[request.group->name];
  }
  const auto& candidates = table_->candidates(*job_);
  nodes_.available = candidates.available;
  nodes_.in_pool = static_cast<std::int64_t>(candidates.rows.size());
  stack.set_rows(candidates.rows);
  for (const auto* list : {&changes.destructive, &changes.place}) {
    for (const auto& request : *list) place_one(stack, request);
  }
}

SelectOptions GenericRun::options_for(const PlaceRequest& request, const model::Job& job, const model::TaskGroup& group) const {
  SelectOptions options;
  options.alloc_name = request.name;
  if (request.previous == nullptr) return options;
  const auto& previous = *request.previous;
  if (previous.client_status == "failed") options.penalty_nodes.insert(previous.node_id);
  if (previous.reschedule_tracker) {
    for (const auto& event : previous.reschedule_tracker->events) options.penalty_nodes.insert(event.prev_node_id);
  }
  if (!request.reschedule && group.ephemeral_disk && (group.ephemeral_disk->sticky || group.ephemeral_disk->migrate)) {
    // The data is there: the job's datacenters do not matter, as in the reference.
    const auto node = view_->node(previous.node_id);
    if (node != nullptr && is_ready(*node) && in_pool(*node, job.node_pool)) options.preferred = node;
  }
  return options;
}

GenericRun::Downgrade GenericRun::downgraded(const PlaceRequest& request) const {
  auto deployments = view_->deployments_by_job(eval_.namespace_, eval_.job_id);
  std::ranges::sort(deployments, std::ranges::greater{}, [](const DeploymentPtr& d) { return d->job_version; });
  for (const auto& deployment : deployments) {
    const auto* state = deployment->task_groups.get(request.group->name);
    if (state == nullptr || (!state->promoted && state->desired_canaries != 0)) continue;
    return {view_->job_version(eval_.namespace_, eval_.job_id, deployment->job_version), deployment->id};
  }
  auto job = view_->job_version(eval_.namespace_, eval_.job_id, request.min_job_version);
  if (job != nullptr) {
    const bool no_canaries = job->update.max_parallel == 0;
    if (no_canaries && find_group(job.get(), request.group->name) != nullptr) return {std::move(job), {}};
  }
  return {};
}

void GenericRun::place_one(Stack& stack, const PlaceRequest& request) {
  const auto* group = request.group;
  JobPtr older;
  std::string deployment_id = deployment_ && deployment_active(*deployment_) ? deployment_->id : std::string();
  if (request.downgrade) {
    auto downgrade = downgraded(request);
    const auto* old_group = find_group(downgrade.job.get(), group->name);
    if (old_group != nullptr && downgrade.job->version >= request.min_job_version) {
      deployment_id = downgrade.deployment_id;
      if (downgrade.job->version != job_->version) {
        older = downgrade.job;
        downgraded_jobs_.push_back(older);
        group = old_group;
      }
    }
  }
  if (auto* metric = failed_.get(group->name)) {
    ++metric->coalesced_failures;
    add_exhausted_resources(*metric, *group);
    return;
  }
  const bool stop_previous = request.stop_previous && request.previous != nullptr;
  if (stop_previous) draft_->stop(request.previous, {.description = description::updating});
  const auto& job = older != nullptr ? *older : *job_;
  std::optional<Placement> placement;
  model::AllocMetric metrics;
  if (older == nullptr) {
    auto options = options_for(request, job, *group);
    placement = stack.select(*group, options);
    if (!placement && may_preempt()) {
      options.preempt = true;
      placement = stack.select(*group, options);
    }
    if (!placement) metrics = stack.metrics();
  } else {
    // The older version has constraints, pool and datacenters of its own.
    Eligibility eligibility;
    Stack other(*view_, *table_, *draft_, eligibility, rng_, batch(), false);
    other.set_job(job);
    other.set_rows(table_->candidates(job).rows);
    placement = other.select(*group, options_for(request, job, *group));
    if (!placement) metrics = other.metrics();
  }
  if (!placement) {
    metrics.node_pool = job.node_pool;
    metrics.nodes_available = nodes_.available;
    metrics.nodes_in_pool = nodes_.in_pool;
    add_exhausted_resources(metrics, *group);
    failed_[group->name] = std::move(metrics);
    if (stop_previous) draft_->undo_stop(*request.previous);
    if (request.reschedule && draft_->stops(*request.previous)) {
      // It stays as it is, with a note that makes the next evaluation try again.
      draft_->undo_stop(*request.previous);
      auto noted = std::make_shared<model::Allocation>(*request.previous);
      noted->reschedule_tracker.ensure().last_reschedule = "no placement";
      draft_->place(std::move(noted));
    }
    return;
  }
  auto alloc = new_alloc(*placement, request.name, group->name);
  preempt(*placement, *alloc);
  if (annotations_ && !placement->evicted.empty()) annotations_->desired_tg_updates[group->name].preemptions += placement->evicted.size();
  alloc->deployment_id = deployment_id;
  if (request.previous != nullptr) {
    alloc->previous_allocation = request.previous->id;
    if (request.reschedule) {
      alloc->reschedule_tracker = next_tracker(*request.previous, now_);
      draft_->note_rescheduled(*request.previous);
    }
  }
  if (request.canary && deployment_) alloc->deployment_status.ensure().canary = true;
  if (older != nullptr) alloc->job = older;
  place(std::move(alloc));
}

}  // namespace drover::scheduler
