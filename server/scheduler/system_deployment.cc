#include "server/scheduler/system_deployment.h"

#include <algorithm>

#include "sdk/base/uuid.h"
#include "server/scheduler/alloc_state.h"
#include "server/scheduler/reconcile/cluster_state.h"

namespace drover::scheduler {

SystemDeployment::SystemDeployment(JobPtr job, DeploymentPtr stored, UnixNanos now) : job_(std::move(job)), now_(now) {
  if (stored == nullptr) return;
  const auto cancel = [&](const char* text) {
    if (!deployment_active(*stored)) return;
    updates_.push_back({.deployment_id = stored->id, .status = "cancelled", .status_description = text, .updated_at = now_});
  };
  const bool stopped = job_ == nullptr || job_->stop;
  if (stopped) {
    cancel("Cancelled because job is stopped");
    if (job_ != nullptr && !deployment_active(*stored) && stored->job_version == job_->version) current_ = *stored;
  } else if (stored->job_create_index != job_->create_index || stored->job_version != job_->version) {
    cancel("Cancelled due to newer version of job");
    superseded_ = std::move(stored);
  } else {
    current_ = *stored;
  }
}

bool SystemDeployment::of_version(const model::Allocation& alloc) const {
  return alloc.job->version == job_->version && alloc.job->create_index == job_->create_index;
}

std::string SystemDeployment::id() const { return current_ && deployment_active(*current_) ? current_->id : std::string(); }

void SystemDeployment::open(const NodeChanges& changes, const std::vector<AllocPtr>& allocs, std::int64_t eval_priority, Rng& rng) {
  if (current_ || job_ == nullptr || job_->stop) return;
  const auto live_of_version = [&](const AllocPtr& alloc) { return !terminal(*alloc) && of_version(*alloc); };
  // What runs this version already came without a deployment, and carries on without one.
  if (std::ranges::any_of(allocs, live_of_version)) return;
  const bool ran = std::ranges::any_of(allocs, [&](const AllocPtr& alloc) { return of_version(*alloc); });
  model::Deployment made;
  for (const auto& group : job_->task_groups) {
    if (!has_updates(group)) continue;
    const auto of_group = [&](const auto& request) { return request.group->name == group.name; };
    const bool updating = std::ranges::any_of(changes.update, of_group);
    const bool placing = std::ranges::any_of(changes.place, of_group);
    if (!updating && (ran || !placing)) continue;
    auto& state = made.task_groups[group.name];
    state.auto_revert = group.update->auto_revert;
    state.auto_promote = group.update->auto_promote;
    state.progress_deadline = group.update->progress_deadline;
  }
  if (made.task_groups.empty()) return;
  made.id = make_uuid(rng);
  made.namespace_ = job_->namespace_;
  made.job_id = job_->id;
  made.job_version = job_->version;
  made.job_modify_index = job_->modify_index;
  made.job_spec_modify_index = job_->job_modify_index;
  made.job_create_index = job_->create_index;
  made.status = "running";
  made.status_description = "Deployment is running";
  made.eval_priority = eval_priority;
  made.create_time = made.modify_time = now_;
  current_ = std::move(made);
  created_ = true;
}

std::map<std::string, std::int64_t> SystemDeployment::pace(std::vector<NodeUpdate>& updates, const std::vector<AllocPtr>& allocs) {
  std::map<std::string, std::int64_t> waiting;
  if (job_ == nullptr || job_->stop) return waiting;
  std::vector<NodeUpdate> now;
  for (const auto& group : job_->task_groups) {
    std::vector<NodeUpdate*> own;
    for (auto& update : updates) {
      if (update.group->name == group.name) own.push_back(&update);
    }
    std::int64_t in_flight = 0;
    std::int64_t canaries = 0;
    for (const auto& alloc : allocs) {
      if (!current_ || alloc->task_group != group.name || terminal(*alloc) || alloc->deployment_id != current_->id) continue;
      if (!alloc->deployment_status || !alloc->deployment_status->healthy) ++in_flight;
      if (is_canary(*alloc) && of_version(*alloc)) ++canaries;
    }
    auto allowed = static_cast<std::int64_t>(own.size());
    auto* state = current_ ? current_->task_groups.get(group.name) : nullptr;
    const bool canarying = state != nullptr && has_updates(group) && group.update->canary > 0 && !state->promoted && !own.empty();
    if (canarying) {
      // The count of canaries is a percentage of the nodes that change.
      const auto changing = static_cast<std::int64_t>(own.size()) + canaries;
      state->desired_canaries = std::min((group.update->canary * changing + 99) / 100, group.update->max_parallel);
      allowed = std::max<std::int64_t>(0, state->desired_canaries - canaries);
      canaries_[group.name] = canaries;
    } else if (has_updates(group)) {
      allowed = std::max<std::int64_t>(0, group.update->max_parallel - in_flight);
    } else if (job_->update.max_parallel > 0) {
      allowed = job_->update.max_parallel;
    }
    for (auto* update : own) {
      if (allowed-- > 0) {
        update->canary = canarying;
        now.push_back(std::move(*update));
      } else if (canarying) {
        ++waiting[group.name];
      }
    }
  }
  updates = std::move(now);
  return waiting;
}

void SystemDeployment::placed_canary(const std::string& group, const std::string& alloc_id) {
  ++canaries_[group];
  if (auto* state = current_ ? current_->task_groups.get(group) : nullptr) state->placed_canaries.push_back(alloc_id);
}

std::int64_t SystemDeployment::canaries(const std::string& group) const {
  const auto at = canaries_.find(group);
  return at == canaries_.end() ? 0 : at->second;
}

void SystemDeployment::finish(const model::Map<model::DesiredUpdates>& desired, bool unfinished) {
  if (!current_) return;
  bool complete = !unfinished;
  bool waits = false;
  bool automatic = true;
  for (auto& [name, state] : current_->task_groups) {
    const auto* counts = desired.get(name);
    const bool wanted = find_group(job_.get(), name) != nullptr && !job_->stop && counts != nullptr && counts->place > 0;
    if (wanted) {
      state.desired_total = static_cast<std::int64_t>(counts->place);
      complete = complete && state.healthy_allocs >= state.desired_total;
    }
    if (state.desired_canaries == 0) continue;
    waits = waits || !state.promoted;
    automatic = automatic && state.auto_promote;
  }
  if (waits && current_->status == "running") {
    current_->status_description = automatic ? "Deployment is running pending automatic promotion"
                                             : "Deployment is running but requires manual promotion";
  } else if (complete) {
    updates_.push_back({.deployment_id = current_->id, .status = "successful",
                        .status_description = "Deployment completed successfully", .updated_at = now_});
    return;
  }
  if (created_) {
    updates_.push_back({.deployment_id = current_->id, .status = "running", .status_description = "Deployment is running", .updated_at = now_});
  }
}

}  // namespace drover::scheduler
