#include "server/scheduler/run_base.h"

#include "sdk/base/uuid.h"
#include "server/scheduler/alloc_state.h"
#include "server/scheduler/reconcile/changes.h"

namespace drover::scheduler {
namespace {

template <class Lists>
std::size_t count(const Lists& lists) {
  std::size_t n = 0;
  for (const auto& [node, allocs] : lists) n += allocs.size();
  return n;
}

}  // namespace

RunBase::RunBase(model::Evaluation evaluation, Rng& rng, NodeTable* table, int max_attempts)
    : eval_(std::move(evaluation)), rng_(rng), table_(table), max_attempts_(max_attempts) {
  if (table_ != nullptr) return;
  own_table_ = std::make_unique<NodeTable>();
  table_ = own_table_.get();
}
RunBase::~RunBase() = default;

Step RunBase::begin(ViewPtr view, UnixNanos now) {
  view_ = std::move(view);
  now_ = now;
  return next_attempt();
}

Step RunBase::next_attempt() {
  Step step;
  if (attempts_ == max_attempts_) {
    give_up(step);
    return step;
  }
  job_ = view_->job(eval_.namespace_, eval_.job_id);
  queued_ = {};
  failed_ = {};
  annotations_.reset();
  evicted_ = {};
  new_allocs_.clear();
  nodes_ = {};
  eligibility_ = {};
  draft_ = std::make_unique<PlanDraft>(eval_, job_, now_);
  table_->sync(view_);
  attempt(step);
  if (annotations_ && !evicted_.empty()) annotations_->preempted_allocs = evicted_;
  if (draft_->is_noop() && !eval_.annotate_plan) {
    finish(step);
    return step;
  }
  if (eval_.annotate_plan) draft_->plan().annotations = annotations_;
  draft_->plan().snapshot_index = view_->index();
  step.plan = draft_->plan();
  return step;
}

Step RunBase::resume(const model::PlanResult& result, ViewPtr newer, UnixNanos now) {
  now_ = now;
  const auto& plan = draft_->plan();
  for (const auto& [node, allocs] : result.node_allocation) {
    for (const auto& alloc : allocs) {
      if (auto* left = queued_.get(alloc->task_group); left != nullptr && new_allocs_.contains(alloc->id)) --*left;
    }
  }
  const bool progress = !result.node_update.empty() || !result.node_allocation.empty() || result.deployment || !result.deployment_updates.empty();
  const bool full = count(result.node_allocation) == count(plan.node_allocation);
  if (newer == nullptr && full) {
    Step step;
    finish(step);
    return step;
  }
  if (newer != nullptr) view_ = std::move(newer);
  attempts_ = progress ? 0 : attempts_ + 1;
  return next_attempt();
}

model::Evaluation RunBase::blocked_evaluation(bool conflict) const {
  model::Evaluation blocked;
  blocked.namespace_ = eval_.namespace_;
  blocked.priority = eval_.priority;
  blocked.type = eval_.type;
  blocked.triggered_by = conflict ? "max-plan-attempts" : "queued-allocs";
  blocked.job_id = eval_.job_id;
  blocked.job_modify_index = eval_.job_modify_index;
  blocked.status = "blocked";
  blocked.status_description = conflict ? "created due to placement conflicts" : "created to place remaining allocations";
  blocked.previous_eval = eval_.id;
  blocked.failed_tg_allocs = failed_;
  blocked.escaped_computed_class = eligibility_.escaped();
  if (!blocked.escaped_computed_class) blocked.class_eligibility = eligibility_.classes();
  blocked.create_time = now_;
  blocked.modify_time = now_;
  blocked.id = make_uuid(rng_);
  return blocked;
}

void RunBase::set_status(Step& step, const char* status, std::string text) const {
  auto updated = eval_;
  updated.status = status;
  updated.status_description = std::move(text);
  updated.deployment_id = deployment_id_;
  updated.failed_tg_allocs = failed_;
  if (!blocked_id_.empty()) updated.blocked_eval = blocked_id_;
  if (!next_eval_id_.empty()) updated.next_eval = next_eval_id_;
  updated.queued_allocations = queued_;
  updated.plan_annotations = annotations_;
  updated.modify_time = now_;
  step.update = std::move(updated);
}

std::shared_ptr<model::Allocation> RunBase::new_alloc(Placement& placement, const std::string& name, const std::string& group) {
  auto alloc = std::make_shared<model::Allocation>();
  alloc->id = make_uuid(rng_);
  alloc->namespace_ = job_->namespace_;
  alloc->eval_id = eval_.id;
  alloc->name = name;
  alloc->node_id = placement.node->id;
  alloc->node_name = placement.node->name;
  alloc->job_id = job_->id;
  alloc->task_group = group;
  alloc->shared_resources.ensure().disk_mb = placement.resources.shared.disk_mb;
  alloc->shared_resources->networks = placement.resources.shared.networks;
  alloc->allocated_resources = std::move(placement.resources);
  auto& metrics = alloc->metrics.ensure();
  metrics = std::move(placement.metrics);
  metrics.node_pool = job_->node_pool;
  metrics.nodes_available = nodes_.available;
  metrics.nodes_in_pool = nodes_.in_pool;
  alloc->desired_status = "run";
  alloc->client_status = "pending";
  alloc->create_time = now_;
  alloc->modify_time = now_;
  return alloc;
}

void RunBase::place(std::shared_ptr<model::Allocation> alloc) {
  new_allocs_.insert(alloc->id);
  draft_->place(std::move(alloc));
}

bool RunBase::may_preempt() const {
  const auto config = view_->scheduler_config().preemption_config;
  if (eval_.type == "service") return config.service_scheduler_enabled;
  if (eval_.type == "batch") return config.batch_scheduler_enabled;
  if (eval_.type == "sysbatch") return config.sys_batch_scheduler_enabled;
  return config.system_scheduler_enabled;
}

void RunBase::preempt(const Placement& placement, model::Allocation& alloc) {
  for (const auto& evicted : placement.evicted) {
    draft_->preempt(evicted, alloc.id);
    alloc.preempted_allocations.push_back(evicted->id);
    model::AllocListStub stub;
    stub.id = evicted->id;
    stub.eval_id = evicted->eval_id;
    stub.name = evicted->name;
    stub.namespace_ = evicted->namespace_;
    stub.node_id = evicted->node_id;
    stub.node_name = evicted->node_name;
    stub.job_id = evicted->job_id;
    stub.job_type = evicted->job->type;
    stub.job_version = evicted->job->version;
    stub.task_group = evicted->task_group;
    stub.desired_status = evicted->desired_status;
    stub.client_status = evicted->client_status;
    stub.create_index = evicted->create_index;
    stub.modify_index = evicted->modify_index;
    evicted_.push_back(std::move(stub));
  }
}

void RunBase::nothing_queued() {
  if (job_ == nullptr) return;
  for (const auto& group : job_->task_groups) queued_[group.name] = 0;
}

void RunBase::stop_lost(const std::vector<AllocPtr>& allocs, const std::map<std::string, NodePtr, std::less<>>& tainted) {
  for (const auto& alloc : allocs) {
    const auto at = tainted.find(alloc->node_id);
    if (at == tainted.end() || (at->second != nullptr && at->second->status != "down")) continue;
    if (!server_terminal(*alloc) || (alloc->client_status != "running" && alloc->client_status != "pending")) continue;
    draft_->stop(alloc, {.description = description::lost, .client_status = "lost"});
  }
}

}  // namespace drover::scheduler
