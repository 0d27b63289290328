#include <algorithm>

#include "server/state/txn.h"

namespace drover::state {

void add_to(Tables& tables, const AllocPtr& alloc) {
  tables.allocs.put(alloc);
  tables.allocs_created.put(alloc);
  tables.allocs_namespace.put(alloc);
  tables.allocs_node.put(alloc);
  tables.allocs_job.put(alloc);
  tables.allocs_eval.put(alloc);
  if (!alloc->deployment_id.empty()) tables.allocs_deployment.put(alloc);
}

void remove_from(Tables& tables, const AllocPtr& alloc) {
  tables.allocs_created.erase({alloc->create_index, alloc->id});
  tables.allocs_namespace.erase({alloc->namespace_, alloc->create_index, alloc->id});
  tables.allocs_node.erase({alloc->node_id, client_terminal(*alloc), alloc->id});
  tables.allocs_job.erase({alloc->namespace_, alloc->job_id, alloc->id});
  tables.allocs_eval.erase({alloc->eval_id, alloc->id});
  if (!alloc->deployment_id.empty()) tables.allocs_deployment.erase({alloc->deployment_id, alloc->id});
  tables.allocs.erase(alloc->id);
}

namespace {

std::int64_t* counter(model::TaskGroupSummary& counters, std::string_view status) {
  if (status == "pending") return &counters.starting;
  if (status == "running") return &counters.running;
  if (status == "complete") return &counters.complete;
  if (status == "failed") return &counters.failed;
  if (status == "lost") return &counters.lost;
  if (status == "unknown") return &counters.unknown;
  return nullptr;
}

void merge(model::DesiredTransition& into, const model::DesiredTransition& from) {
  if (from.migrate) into.migrate = from.migrate;
  if (from.reschedule) into.reschedule = from.reschedule;
  if (from.force_reschedule) into.force_reschedule = from.force_reschedule;
  if (from.no_shutdown_delay) into.no_shutdown_delay = from.no_shutdown_delay;
  if (from.migrate_disable_placement) into.migrate_disable_placement = from.migrate_disable_placement;
}

}  // namespace

void Txn::store_alloc(const AllocPtr& before, AllocPtr alloc) {
  count_in_summary(before, *alloc);
  if (before) {
    // The orders whose key changed lose the old entry; the others replace it.
    if (before->node_id != alloc->node_id || client_terminal(*before) != client_terminal(*alloc)) {
      t_.allocs_node.erase({before->node_id, client_terminal(*before), before->id});
    }
    if (before->eval_id != alloc->eval_id) t_.allocs_eval.erase({before->eval_id, before->id});
    if (!before->deployment_id.empty() && before->deployment_id != alloc->deployment_id) {
      t_.allocs_deployment.erase({before->deployment_id, before->id});
    }
  }
  add_to(t_, alloc);
  if (!before || terminal(*before) != terminal(*alloc)) want_status(alloc->namespace_, alloc->job_id);
  record(Table::allocs, before ? Object(before) : Object(), std::move(alloc));
}

void Txn::count_in_summary(const AllocPtr& before, const model::Allocation& alloc) {
  const SummaryPtr* found = t_.summaries.find({alloc.namespace_, alloc.job_id});
  if (found == nullptr) return;
  // Allocations of a purged job do not count for its successor.
  if (alloc.job && alloc.job->create_index != (*found)->create_index) return;
  if (before && before->client_status == alloc.client_status) return;
  model::JobSummary summary = **found;
  model::TaskGroupSummary* counters = summary.summary.get(alloc.task_group);
  if (counters == nullptr) return;
  if (!before) {
    if (alloc.client_status == "pending") {
      ++counters->starting;
      if (counters->queued > 0) --counters->queued;
    }
  } else {
    if (std::int64_t* to = counter(*counters, alloc.client_status)) ++*to;
    // What failed or completed stays counted.
    if (std::int64_t* from = counter(*counters, before->client_status);
        from != nullptr && *from > 0 && before->client_status != "failed" && before->client_status != "complete") {
      --*from;
    }
  }
  if (!(summary == **found)) store_summary(std::move(summary));
}

void Txn::count_in_deployment(const AllocPtr& before, const model::Allocation& alloc) {
  if (alloc.deployment_id.empty()) return;
  const DeploymentPtr* found = t_.deployments.find(alloc.deployment_id);
  if (found == nullptr) return;
  const auto health = [](const model::Allocation* a) {
    return a != nullptr && a->deployment_status ? a->deployment_status->healthy : std::optional<bool>{};
  };
  const std::optional<bool> was = before ? health(before.get()) : std::nullopt;
  const std::optional<bool> is = health(&alloc);
  const bool placed = !before || before->deployment_id != alloc.deployment_id;
  if (!placed && was == is) return;
  const DeploymentPtr stored = *found;
  model::Deployment deployment = *stored;
  model::DeploymentState* group = deployment.task_groups.get(alloc.task_group);
  if (group == nullptr) return;
  if (placed) {
    ++group->placed_allocs;
    // The scheduler of system jobs names its canaries in the deployment already.
    const bool canary = alloc.deployment_status && alloc.deployment_status->canary;
    if (canary && std::ranges::find(group->placed_canaries, alloc.id) == group->placed_canaries.end()) group->placed_canaries.push_back(alloc.id);
    if (group->require_progress_by.is_zero() && group->progress_deadline.count() != 0) {
      group->require_progress_by = model::Time(alloc.modify_time + group->progress_deadline.count());
    }
  }
  if (was != is && is) {
    if (was) (*was ? group->healthy_allocs : group->unhealthy_allocs) -= 1;
    (*is ? group->healthy_allocs : group->unhealthy_allocs) += 1;
    if (*is && group->progress_deadline.count() != 0 && !alloc.deployment_status->timestamp.is_zero()) {
      const model::Time by(alloc.deployment_status->timestamp.unix_nanos() + group->progress_deadline.count());
      if (group->require_progress_by < by) group->require_progress_by = by;
    }
  }
  deployment.modify_index = index_;
  store_deployment(stored, std::make_shared<const model::Deployment>(std::move(deployment)));
}

void Txn::put_planned_alloc(model::Allocation alloc, const JobPtr& job) {
  const AllocPtr* found = t_.allocs.find(alloc.id);
  const AllocPtr before = found != nullptr ? *found : nullptr;
  if (!alloc.job) alloc.job = before && !job ? before->job : job;
  if (!before) {
    // The job was stopped or removed while the plan was on its way: nothing new may start.
    const JobPtr* current = t_.jobs.find({alloc.namespace_, alloc.job_id});
    if (current == nullptr || (*current)->stop) return;
    alloc.create_index = index_;
    if (alloc.client_status.empty()) alloc.client_status = "pending";
    if (alloc.deployment_status) alloc.deployment_status->modify_index = index_;
    if (!alloc.previous_allocation.empty()) {
      if (const AllocPtr* previous = t_.allocs.find(alloc.previous_allocation)) {
        const AllocPtr old = *previous;
        model::Allocation linked = *old;
        linked.next_allocation = alloc.id;
        linked.modify_index = index_;
        store_alloc(old, std::make_shared<const model::Allocation>(std::move(linked)));
      }
    }
  } else {
    alloc.create_index = before->create_index;
    alloc.create_time = before->create_time;
    // The client owns these; a plan only overrules the status of what it lost sight of.
    alloc.task_states = before->task_states;
    alloc.network_status = before->network_status;
    alloc.alloc_states = before->alloc_states.size() > alloc.alloc_states.size() ? before->alloc_states : alloc.alloc_states;
    if (before->deployment_id == alloc.deployment_id && before->deployment_status) alloc.deployment_status = before->deployment_status;
    if (alloc.client_status != "lost" && alloc.client_status != "unknown") {
      alloc.client_status = before->client_status;
      alloc.client_description = before->client_description;
    }
    if (alloc.next_allocation.empty()) alloc.next_allocation = before->next_allocation;
  }
  alloc.modify_index = index_;
  alloc.alloc_modify_index = index_;
  count_in_deployment(before, alloc);
  if (!before) claim_volumes(alloc);
  store_alloc(before, std::make_shared<const model::Allocation>(std::move(alloc)));
}

void Txn::stop_planned_alloc(const model::Allocation& change) {
  const AllocPtr* found = t_.allocs.find(change.id);
  if (found == nullptr) return;
  const AllocPtr before = *found;
  model::Allocation alloc = *before;
  if (!change.desired_status.empty()) alloc.desired_status = change.desired_status;
  alloc.desired_description = change.desired_description;
  if (change.client_status == "lost" || change.client_status == "unknown") {
    alloc.client_status = change.client_status;
    alloc.client_description = change.client_description;
    if (change.alloc_states.size() > alloc.alloc_states.size()) alloc.alloc_states = change.alloc_states;
  }
  if (!change.followup_eval_id.empty()) alloc.followup_eval_id = change.followup_eval_id;
  if (!change.preempted_by_allocation.empty()) alloc.preempted_by_allocation = change.preempted_by_allocation;
  if (change.reschedule_tracker) alloc.reschedule_tracker = change.reschedule_tracker;
  merge(alloc.desired_transition, change.desired_transition);
  if (change.modify_time != 0) alloc.modify_time = change.modify_time;
  alloc.modify_index = index_;
  alloc.alloc_modify_index = index_;
  store_alloc(before, std::make_shared<const model::Allocation>(std::move(alloc)));
}

void Txn::put_client_alloc(const model::Allocation& update, std::int64_t now) {
  const AllocPtr* found = t_.allocs.find(update.id);
  if (found == nullptr) return;
  const AllocPtr before = *found;
  model::Allocation alloc = *before;
  alloc.client_status = update.client_status;
  alloc.client_description = update.client_description;
  alloc.task_states = update.task_states;
  alloc.network_status = update.network_status;
  if (update.alloc_states.size() > alloc.alloc_states.size()) alloc.alloc_states = update.alloc_states;
  if (update.deployment_status && update.deployment_status->healthy) {
    model::AllocDeploymentStatus& status = alloc.deployment_status.ensure();
    if (status.healthy != update.deployment_status->healthy) {
      status.healthy = update.deployment_status->healthy;
      status.timestamp = update.deployment_status->timestamp;
      status.modify_index = index_;
    }
  }
  alloc.modify_index = index_;
  alloc.modify_time = now;
  count_in_deployment(before, alloc);
  store_alloc(before, std::make_shared<const model::Allocation>(std::move(alloc)));
}

void Txn::put_desired_transition(std::string_view id, const model::DesiredTransition& transition, std::int64_t now) {
  const AllocPtr* found = t_.allocs.find(id);
  if (found == nullptr) return;
  const AllocPtr before = *found;
  model::Allocation alloc = *before;
  merge(alloc.desired_transition, transition);
  alloc.modify_index = index_;
  alloc.alloc_modify_index = index_;
  alloc.modify_time = now;
  store_alloc(before, std::make_shared<const model::Allocation>(std::move(alloc)));
}

void Txn::delete_alloc(std::string_view id) {
  const AllocPtr* found = t_.allocs.find(id);
  if (found == nullptr) return;
  const AllocPtr before = *found;
  remove_from(t_, before);
  t_.allocs_deleted_index = index_;
  record(Table::allocs, before, {});
}

}  // namespace drover::state
