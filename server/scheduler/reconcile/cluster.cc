#include "server/scheduler/reconcile/cluster.h"

#include <algorithm>

#include "sdk/base/uuid.h"
#include "server/scheduler/reconcile/cluster_state.h"

namespace drover::scheduler {

ClusterReconciler::ClusterReconciler(const ClusterInput& input)
    : in_(input), stopped_(input.job == nullptr || input.job->stop) {
  if (input.deployment != nullptr) deployment_ = *input.deployment;
}

Changes ClusterReconciler::compute() {
  std::map<std::string, AllocSet, std::less<>> groups;
  for (const auto& alloc : in_.allocs) groups[alloc->task_group].emplace(alloc->id, alloc);
  cancel_deployments();
  if (stopped_) {
    stop_everything(groups);
    return std::move(out_);
  }
  if (deployment_) {
    paused_ = deployment_->status == "paused" || deployment_->status == "pending" || deployment_->status == "initializing";
    failed_ = deployment_->status == "failed";
  }
  for (const auto& group : in_.job->task_groups) groups.try_emplace(group.name);
  bool complete = true;
  for (auto& [name, allocs] : groups) complete = compute_group(name, std::move(allocs)) && complete;
  finish_deployment(complete);
  return std::move(out_);
}

void ClusterReconciler::cancel_deployments() {
  if (!deployment_) return;
  const auto cancel = [&](const char* text) {
    out_.deployment_updates.push_back({.deployment_id = deployment_->id, .status = "cancelled", .status_description = text, .updated_at = in_.now});
  };
  const auto retire = [&] {
    old_deployment_ = std::make_shared<model::Deployment>(*deployment_);
    deployment_.reset();
  };
  if (stopped_) {
    if (deployment_active(*deployment_)) cancel("Cancelled because job is stopped");
    retire();
    return;
  }
  if (deployment_->job_create_index != in_.job->create_index || deployment_->job_version != in_.job->version) {
    if (deployment_active(*deployment_)) cancel("Cancelled due to newer version of job");
    retire();
  } else if (deployment_->status == "successful") {
    retire();
  }
}

void ClusterReconciler::stop_everything(const std::map<std::string, AllocSet, std::less<>>& groups) {
  for (const auto& [name, allocs] : groups) {
    AllocSet live;
    for (const auto& entry : allocs) {
      if (!terminal(*entry.second)) live.insert(entry);
    }
    out_.desired[name].stop += stop_all_of(live);
  }
}

std::size_t ClusterReconciler::stop_all_of(const AllocSet& set) {
  const auto sets = classify(set, in_.tainted, in_.now);
  mark_stop(sets.untainted, "", description::not_needed);
  mark_stop(sets.migrate, "", description::not_needed);
  mark_stop(sets.lost, "lost", description::lost);
  mark_stop(sets.disconnecting, "", description::not_needed);
  mark_stop(sets.reconnecting, "", description::not_needed);
  AllocSet unknown;
  for (const auto& entry : sets.ignore) {
    if (entry.second->client_status == "unknown") unknown.insert(entry);
  }
  mark_stop(unknown, "", description::not_needed);
  mark_stop(sets.expiring, "", description::not_needed);
  return set.size();
}

bool ClusterReconciler::compute_group(const std::string& name, AllocSet all) {
  Group g;
  g.name = name;
  g.desired = &out_.desired[name];
  g.group = find_group(in_.job.get(), name);
  if (g.group == nullptr || g.group->count == 0) {
    std::erase_if(all, [](const auto& entry) { return server_terminal(*entry.second) || entry.second->client_status == "complete"; });
    g.desired->stop += stop_all_of(all);
    return true;
  }
  init_deployment_state(g);
  if (in_.batch) {
    // What an older version finished does not count for this one.
    for (auto at = all.begin(); at != all.end();) {
      const auto& job = *at->second->job;
      const bool older = job.version < in_.job->version || job.create_index < in_.job->create_index;
      if (older && terminal(*at->second)) {
        ++g.desired->ignore;
        at = all.erase(at);
      } else {
        ++at;
      }
    }
  }
  g.all = std::move(all);
  cancel_canaries(g);
  auto by_node = classify(g.all, in_.tainted, in_.now);
  // A stopped allocation of a batch job still tells how far its work got.
  if (in_.batch) g.desired->ignore += by_node.ignore.size();
  auto by_reschedule = classify_reschedule(
    by_node.untainted, {.batch = in_.batch, .now = in_.now, .eval_id = &in_.eval->id, .deployment = deployment_ ? &*deployment_ : nullptr});
  g.untainted = std::move(by_reschedule.untainted);
  g.reschedule_now = std::move(by_reschedule.now);
  g.reschedule_later = std::move(by_reschedule.later);
  g.migrate = std::move(by_node.migrate);
  g.lost = std::move(by_node.lost);
  if (!by_node.reconnecting.empty()) reconcile_reconnecting(g, by_node.reconnecting);
  add_all(g.lost, by_node.expiring);
  if (!by_node.disconnecting.empty()) handle_disconnecting(g, by_node.disconnecting);
  g.desired->reschedule_later = g.reschedule_later.size();
  schedule_later(g);

  AllocSet named = g.untainted;
  add_all(named, g.migrate);
  add_all(named, g.reschedule_now);
  add_all(named, g.lost);
  NameIndex names(in_.job_id, name, g.group->count, named);
  compute_stop(g, names);
  compute_updates(g);
  if (!g.has_state) g.state.desired_total += static_cast<std::int64_t>(g.destructive.size() + g.in_place);
  if (g.canarying()) remove_all(g.untainted, g.canaries);
  g.requires_canaries = g.group->update && !g.destructive.empty() &&
                        static_cast<std::int64_t>(g.canaries.size()) < g.group->update->canary && !g.state.promoted;
  const auto first_place = out_.place.size();
  if (g.requires_canaries) place_canaries(g, names);
  auto allowed = allowance(g);
  std::vector<PlaceRequest> place;
  if (g.lost_later.empty()) {
    place = placements(g, names);
    if (!g.has_state) g.state.desired_total += static_cast<std::int64_t>(place.size());
  }
  const auto placed = place.size();
  const bool ready = !paused_ && !failed_ && !g.canarying();
  allowed = take_placements(g, std::move(place), allowed, ready);
  // No more starts at once than the group is to have.
  if (const auto count = static_cast<std::size_t>(g.group->count); out_.place.size() - first_place > count) {
    out_.place.resize(first_place + count);
    g.desired->place = count;
  }
  if (ready) destructive_updates(g, names, allowed);
  else g.desired->ignore += g.destructive.size();
  migrations(g, names);
  create_deployment(g);
  return group_complete(g, placed);
}

void ClusterReconciler::init_deployment_state(Group& g) {
  if (deployment_) {
    if (const auto* stored = deployment_->task_groups.get(g.name)) {
      g.state = *stored;
      g.has_state = true;
      return;
    }
  }
  if (!has_updates(*g.group)) return;
  g.state.auto_revert = g.group->update->auto_revert;
  g.state.auto_promote = g.group->update->auto_promote;
  g.state.progress_deadline = g.group->update->progress_deadline;
}

void ClusterReconciler::cancel_canaries(Group& g) {
  std::vector<std::string> obsolete;
  const auto collect = [](std::vector<std::string>& into, const model::Deployment& deployment, bool unpromoted_only) {
    for (const auto& [name, state] : deployment.task_groups) {
      if (unpromoted_only && state.promoted) continue;
      into.insert(into.end(), state.placed_canaries.begin(), state.placed_canaries.end());
    }
  };
  if (old_deployment_ != nullptr) collect(obsolete, *old_deployment_, true);
  if (deployment_ && failed_) collect(obsolete, *deployment_, true);
  auto stop = pick(g.all, obsolete);
  std::erase_if(stop, [](const auto& entry) { return server_terminal(*entry.second); });
  mark_stop(stop, "", description::not_needed);
  g.desired->stop += stop.size();
  remove_all(g.all, stop);
  if (!deployment_) return;
  std::vector<std::string> current;
  collect(current, *deployment_, false);
  auto sets = classify(pick(g.all, current), in_.tainted, in_.now);
  // Not counted as stops: the deployment goes on and places others.
  mark_stop(sets.migrate, "", description::migrating);
  mark_stop(sets.lost, "lost", description::lost);
  g.canaries = std::move(sets.untainted);
  remove_all(g.all, sets.migrate);
  remove_all(g.all, sets.lost);
}

void ClusterReconciler::create_deployment(Group& g) {
  if (g.has_state || !has_updates(*g.group) || g.state.desired_total == 0) return;
  const bool updating = !g.destructive.empty() || !out_.in_place.empty();
  const bool ran_before = std::ranges::any_of(g.all, [&](const auto& entry) {
    return entry.second->job->version == in_.job->version && entry.second->job->create_index == in_.job->create_index;
  });
  if (ran_before && !updating) return;
  if (!deployment_) {
    model::Deployment made;
    made.id = make_uuid(*in_.rng);
    made.namespace_ = in_.job->namespace_;
    made.job_id = in_.job->id;
    made.job_version = in_.job->version;
    made.job_modify_index = in_.job->modify_index;
    made.job_spec_modify_index = in_.job->job_modify_index;
    made.job_create_index = in_.job->create_index;
    made.status = "running";
    made.status_description = "Deployment is running";
    made.eval_priority = in_.eval->priority;
    made.create_time = in_.now;
    made.modify_time = in_.now;
    deployment_ = made;
    out_.deployment = std::move(made);
  }
  deployment_->task_groups[g.name] = g.state;
  if (out_.deployment) out_.deployment->task_groups[g.name] = g.state;
}

bool ClusterReconciler::group_complete(const Group& g, std::size_t placed) const {
  if (!deployment_ || g.requires_canaries) return false;
  if (!g.destructive.empty() || g.in_place > 0 || placed > 0 || !g.migrate.empty() || !g.reschedule_now.empty() ||
      !g.reschedule_later.empty()) {
    return false;
  }
  const auto* state = deployment_->task_groups.get(g.name);
  if (state == nullptr) return true;
  return state->healthy_allocs >= std::max(state->desired_total, state->desired_canaries) &&
         (state->desired_canaries == 0 || state->promoted);
}

void ClusterReconciler::finish_deployment(bool complete) {
  if (deployment_ && complete) {
    out_.deployment_updates.push_back({.deployment_id = deployment_->id, .status = "successful",
                                       .status_description = "Deployment completed successfully", .updated_at = in_.now});
  }
  if (!out_.deployment) return;
  auto& made = *out_.deployment;
  const auto needs = [&](const auto& entry) { return entry.second.desired_canaries > 0 && !entry.second.promoted; };
  if (!std::ranges::any_of(made.task_groups, needs)) return;
  const bool automatic = std::ranges::all_of(made.task_groups, [&](const auto& entry) {
    return entry.second.desired_canaries == 0 || entry.second.auto_promote;
  });
  made.status_description = automatic ? "Deployment is running pending automatic promotion"
                                      : "Deployment is running but requires manual promotion";
}

void ClusterReconciler::mark_stop(const AllocSet& set, const char* client_status, const char* text,
                                  const std::map<std::string, std::string>& followups) {
  for (const auto& [id, alloc] : set) {
    const auto at = followups.find(id);
    out_.stop.push_back({alloc, {.description = text, .client_status = client_status,
                                 .followup_eval_id = at == followups.end() ? std::string() : at->second}});
  }
}

}  // namespace drover::scheduler
