#include "server/scheduler/system.h"

#include <algorithm>

#include "server/scheduler/alloc_state.h"
#include "server/scheduler/update_check.h"

namespace drover::scheduler {
namespace {

constexpr int max_attempts = 5;

// Reconnecting allocations are looked at even when the job is the same.
bool needs_look(const NodeChanges& changes, const model::Allocation& alloc) {
  return std::ranges::any_of(changes.reconnecting, [&](const AllocPtr& back) { return back->id == alloc.id; });
}

void merge(model::Map<std::int64_t>& into, const model::Map<std::int64_t>& from) {
  for (const auto& [name, count] : from) into[name] += count;
}

}  // namespace

SystemRun::SystemRun(model::Evaluation evaluation, Rng& rng, NodeTable* table)
    : RunBase(std::move(evaluation), rng, table, max_attempts) {}

void SystemRun::attempt(Step& step) {
  ready_.clear();
  filtered_.clear();
  Stack stack(*view_, *table_, *draft_, eligibility_, rng_, batch(), true);
  if (job_ != nullptr && !job_->stop) {
    stack.set_job(*job_);
    nodes_ = candidate_nodes(*view_, *job_);
    for (const auto& node : nodes_.ready) ready_.emplace(node->id, node);
  }
  NodeInput input;
  input.job = job_;
  input.allocs = view_->allocs_by_job(eval_.namespace_, eval_.job_id, true);
  input.tainted = tainted_nodes(*view_, input.allocs);
  input.nodes = &nodes_;
  input.now = now_;
  stop_lost(input.allocs, input.tainted);
  auto changes = reconcile_nodes(input);
  desired_ = {};
  if (job_ != nullptr) {
    for (const auto& group : job_->task_groups) desired_[group.name];
  }
  const auto stored = batch() ? nullptr : view_->latest_deployment(eval_.namespace_, eval_.job_id);
  deployment_.emplace(job_, stored, now_);
  if (!batch()) deployment_->open(changes, input.allocs, eval_.priority, rng_);
  const bool unfinished = !changes.place.empty() || !changes.update.empty() || !changes.migrate.empty();

  apply_stops(changes);
  std::map<std::string, std::uint64_t, std::less<>> updates;
  for (const auto& update : changes.update) ++updates[update.group->name];
  for (const auto& alloc : changes.reconnecting) ++updates[alloc->task_group];
  update_in_place(stack, changes);
  for (const auto& update : changes.update) {
    ++desired_[update.group->name].destructive_update;
    --updates[update.group->name];
  }
  for (const auto& [name, n] : updates) desired_[name].in_place_update += n;
  for (const auto& request : changes.place) ++desired_[request.group->name].place;
  if (!batch()) {
    // For system jobs the number shown is that of all allocations the group is to have.
    for (auto& [name, updated] : desired_) updated.place += updated.ignore + updated.in_place_update + updated.destructive_update;
  }
  const auto waiting = deployment_->pace(changes.update, input.allocs);
  // What cannot be changed in place is stopped and placed again.
  for (const auto& update : changes.update) {
    draft_->stop(update.alloc, {.description = description::updating});
    changes.place.push_back({update.name, update.group, update.alloc->node_id, update.alloc, update.canary});
  }
  if (!batch() && job_ != nullptr && !job_->stop) nothing_queued();
  for (const auto& [group, n] : waiting) queued_[group] += n;
  if (!changes.place.empty() || !waiting.empty()) compute_placements(step, stack, changes);
  else if (job_ != nullptr && !job_->stop) nothing_queued();
  else queued_.allocate();
  for (auto& [name, counts] : desired_) counts.canary += static_cast<std::uint64_t>(deployment_->canaries(name));
  annotations_ = model::PlanAnnotations{.desired_tg_updates = desired_};
  deployment_->finish(desired_, unfinished);
  auto& plan = draft_->plan();
  if (deployment_->deployment()) {
    plan.deployment = *deployment_->deployment();
    deployment_id_ = plan.deployment->id;
  } else {
    deployment_id_.clear();
  }
  plan.deployment_updates.assign(deployment_->updates().begin(), deployment_->updates().end());
}

void SystemRun::apply_stops(const NodeChanges& changes) {
  const auto count = [&](const std::vector<AllocPtr>& allocs, std::uint64_t model::DesiredUpdates::*field) {
    for (const auto& alloc : allocs) ++(desired_[alloc->task_group].*field);
  };
  for (const auto& alloc : changes.stop) draft_->stop(alloc, {.description = description::not_needed});
  for (const auto& alloc : changes.migrate) draft_->stop(alloc, {.description = description::node_tainted});
  for (const auto& alloc : changes.lost) draft_->stop(alloc, {.description = description::lost, .client_status = "lost"});
  for (const auto& alloc : changes.disconnecting) {
    auto updated = std::make_shared<model::Allocation>(*alloc);
    updated->client_status = "unknown";
    updated->client_description = description::unknown;
    append_client_status(*updated, "unknown", now_);
    draft_->place(std::move(updated));
  }
  count(changes.stop, &model::DesiredUpdates::stop);
  count(changes.migrate, &model::DesiredUpdates::migrate);
  count(changes.ignore, &model::DesiredUpdates::ignore);
  count(changes.disconnecting, &model::DesiredUpdates::disconnect);
  count(changes.reconnecting, &model::DesiredUpdates::reconnect);
}

void SystemRun::update_in_place(Stack& stack, NodeChanges& changes) {
  for (const auto& alloc : changes.reconnecting) {
    // One that comes back is looked at like an update: it may have to take the current version.
    auto updated = std::make_shared<model::Allocation>(*alloc);
    append_client_status(*updated, alloc->client_status, now_);
    const auto* group = find_group(job_.get(), alloc->task_group);
    if (group != nullptr) changes.update.push_back({alloc->name, group, std::move(updated)});
  }
  std::vector<NodeUpdate> destructive;
  const auto deployment = deployment_->id();
  for (auto& update : changes.update) {
    auto verdict = check_update(*view_, *draft_, stack, *job_, eval_.id, update.alloc, *update.group, needs_look(changes, *update.alloc));
    if (verdict.kind == UpdateVerdict::Kind::in_place) {
      if (!deployment.empty() && verdict.updated->deployment_id != deployment) {
        verdict.updated->deployment_id = deployment;
        verdict.updated->deployment_status.reset();
      }
      draft_->place(std::move(verdict.updated));
    } else if (verdict.kind == UpdateVerdict::Kind::destructive) {
      destructive.push_back(std::move(update));
    }
  }
  changes.update = std::move(destructive);
}

void SystemRun::compute_placements(Step& step, Stack& stack, const NodeChanges& changes) {
  for (const auto& request : changes.place) ++queued_[request.group->name];
  for (const auto& request : changes.place) place_one(step, stack, changes, request);
}

void SystemRun::place_one(Step& step, Stack& stack, const NodeChanges& changes, const NodePlacement& request) {
  const auto at = ready_.find(request.node_id);
  if (at == ready_.end()) return;
  const auto& group = *request.group;
  stack.set_node(*at->second);
  auto placement = stack.select(group, {.alloc_name = request.name, .penalty_nodes = {}, .preempt = may_preempt()});
  if (placement) {
    auto alloc = new_alloc(*placement, request.name, group.name);
    if (request.previous != nullptr) alloc->previous_allocation = request.previous->id;
    preempt(*placement, *alloc);
    if (eval_.annotate_plan) desired_[group.name].preemptions += placement->evicted.size();
    else evicted_.clear();
    alloc->deployment_id = deployment_->id();
    if (request.canary) {
      alloc->deployment_status.ensure().canary = true;
      deployment_->placed_canary(group.name, alloc->id);
    }
    place(std::move(alloc));
    return;
  }
  auto metrics = stack.metrics();
  // What finds no place is not to be expected either.
  if (auto& expected = desired_[group.name].place; expected > 0 && (!batch() || metrics.nodes_filtered > 0)) --expected;
  metrics.node_pool = job_->node_pool;
  metrics.nodes_available = nodes_.available;
  metrics.nodes_in_pool = nodes_.in_pool;
  if (metrics.nodes_filtered > 0) {
    // A node that does not suit is no failure, unless the group runs nowhere at all.
    auto& sum = filtered_[group.name];
    const bool first = sum.nodes_evaluated == 0;
    if (first) {
      sum = std::move(metrics);
    } else {
      sum.nodes_evaluated += metrics.nodes_evaluated;
      sum.nodes_filtered += metrics.nodes_filtered;
      merge(sum.class_filtered, metrics.class_filtered);
      merge(sum.constraint_filtered, metrics.constraint_filtered);
    }
    const auto left = --queued_[group.name];
    const auto runs = [&](const AllocPtr& alloc) { return alloc->task_group == group.name; };
    if (left <= 0 && !std::ranges::any_of(changes.ignore, runs)) failed_[group.name] = sum;
    return;
  }
  if (auto* metric = failed_.get(group.name)) {
    ++metric->coalesced_failures;
    add_exhausted_resources(*metric, group);
    return;
  }
  add_exhausted_resources(metrics, group);
  failed_[group.name] = std::move(metrics);
  auto blocked = blocked_evaluation(false);
  blocked.node_id = request.node_id;
  step.create_evals.push_back(std::move(blocked));
}

void SystemRun::give_up(Step& step) { set_status(step, "failed", fmt::format("maximum attempts reached ({})", max_attempts)); }

void SystemRun::finish(Step& step) { set_status(step, "complete", ""); }

}  // namespace drover::scheduler
