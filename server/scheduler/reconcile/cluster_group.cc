// How many of a group stop, change and start now.
#include <algorithm>

#include "server/scheduler/reconcile/cluster_state.h"

namespace drover::scheduler {

void ClusterReconciler::compute_stop(Group& g, NameIndex& names) {
  const bool canarying = g.canarying();
  mark_stop(g.lost, "lost", description::lost, g.lost_followups);
  g.desired->stop += g.lost.size();
  AllocSet candidates = g.untainted;
  if (canarying) remove_all(candidates, g.canaries);
  // Unknown ones are neither counted nor chosen: their client may be running them.
  std::erase_if(candidates, [](const auto& entry) { return entry.second->client_status == "unknown"; });
  const auto known = static_cast<std::int64_t>(candidates.size());
  auto remove = known + static_cast<std::int64_t>(g.migrate.size()) - g.group->count;
  if (remove <= 0) return;
  std::erase_if(candidates, [](const auto& entry) { return server_terminal(*entry.second); });
  const auto stop = [&](const AllocPtr& alloc) {
    out_.stop.push_back({alloc, {.description = description::not_needed}});
    ++g.desired->stop;
    g.untainted.erase(alloc->id);
    candidates.erase(alloc->id);
    --remove;
  };
  // A promoted canary takes the place of the one that has its name.
  if (!canarying && !g.canaries.empty()) {
    std::set<std::string, std::less<>> canary_names;
    for (const auto& [id, alloc] : g.canaries) canary_names.insert(alloc->name);
    for (const auto& alloc : name_order(candidates)) {
      if (remove <= 0) return;
      if (!g.canaries.contains(alloc->id) && canary_names.contains(alloc->name)) stop(alloc);
    }
  }
  if (remove > 0 && !g.migrate.empty()) {
    NameIndex migrating(in_.job_id, g.name, g.group->count, g.migrate);
    const auto chosen = migrating.highest(static_cast<std::size_t>(remove));
    for (const auto& alloc : name_order(g.migrate)) {
      if (remove <= 0) return;
      if (!chosen.contains(alloc->name)) continue;
      stop(alloc);
      g.migrate.erase(alloc->id);
      names.release(name_index(alloc->name));
    }
  }
  if (remove > 0) {
    const auto chosen = names.highest(static_cast<std::size_t>(remove));
    for (const auto& alloc : name_order(candidates)) {
      if (remove <= 0) return;
      if (chosen.contains(alloc->name)) stop(alloc);
    }
  }
  for (const auto& alloc : name_order(candidates)) {
    if (remove <= 0) return;
    stop(alloc);
  }
}

void ClusterReconciler::compute_updates(Group& g) {
  for (const auto& alloc : name_order(g.untainted)) {
    auto verdict = in_.update(alloc, *g.group);
    switch (verdict.kind) {
      case UpdateVerdict::Kind::ignore: ++g.desired->ignore; break;
      case UpdateVerdict::Kind::destructive: g.destructive.emplace(alloc->id, alloc); break;
      case UpdateVerdict::Kind::in_place:
        ++g.in_place;
        ++g.desired->in_place_update;
        out_.in_place.push_back(std::move(verdict.updated));
        break;
    }
  }
}

void ClusterReconciler::place_canaries(Group& g, NameIndex& names) {
  g.state.desired_canaries = g.group->update->canary;
  if (deployment_) {
    if (auto* stored = deployment_->task_groups.get(g.name)) stored->desired_canaries = g.state.desired_canaries;
  }
  if (paused_ || failed_) return;
  const auto missing = static_cast<std::size_t>(g.group->update->canary) - g.canaries.size();
  g.desired->canary += missing;
  for (auto& name : names.next_canaries(missing, g.canaries, g.destructive)) {
    out_.place.push_back({.name = std::move(name), .group = g.group, .canary = true});
  }
}

std::int64_t ClusterReconciler::allowance(const Group& g) const {
  if (!has_updates(*g.group) || g.destructive.size() + g.migrate.size() == 0) return g.group->count;
  if (!deployment_) return g.group->update->max_parallel;
  if (paused_ || failed_ || g.canarying()) return 0;
  auto left = g.group->update->max_parallel;
  for (const auto& [id, alloc] : g.untainted) {
    if (alloc->deployment_id != deployment_->id) continue;
    if (is_unhealthy(*alloc)) return 0;
    if (!is_healthy(*alloc)) --left;
  }
  return std::max<std::int64_t>(left, 0);
}

std::vector<PlaceRequest> ClusterReconciler::placements(Group& g, NameIndex& names) {
  std::vector<PlaceRequest> out;
  const bool canarying = g.canarying();
  // One that is to be replaced later gives way to what has its name.
  std::set<std::string, std::less<>> yielding;
  for (const auto& [id, alloc] : g.destructive) yielding.insert(alloc->name);
  const auto replace = [&](const AllocPtr& alloc, bool reschedule, bool lost) {
    const bool canary = is_canary(*alloc);
    out.push_back({.name = yielding.contains(alloc->name) ? alloc->name : names.unique(alloc->name), .group = g.group, .previous = alloc, .canary = canary, .reschedule = reschedule, .lost = lost,
                   .downgrade = canarying && !canary, .min_job_version = alloc->job->version});
  };
  for (const auto& [id, alloc] : g.reschedule_now) replace(alloc, true, false);
  auto existing = static_cast<std::int64_t>(g.untainted.size() + g.migrate.size() + g.reschedule_now.size());
  for (const auto& [id, alloc] : g.lost) {
    if (existing >= g.group->count) break;
    ++existing;
    replace(alloc, false, true);
  }
  if (existing < g.group->count) {
    for (auto& name : names.next(static_cast<std::size_t>(g.group->count - existing))) {
      out.push_back({.name = std::move(name), .group = g.group, .downgrade = canarying});
    }
  }
  return out;
}

std::int64_t ClusterReconciler::take_placements(Group& g, std::vector<PlaceRequest> place, std::int64_t allowed, bool ready) {
  const auto stop_failed = [&](const AllocPtr& alloc) {
    // A disconnecting one may come back; it is not told to stop.
    if (out_.disconnect_updates.contains(alloc->id)) return;
    out_.stop.push_back({alloc, {.description = description::rescheduled}});
    ++g.desired->stop;
  };
  if (ready) {
    g.desired->place += place.size();
    for (const auto& [id, alloc] : g.reschedule_now) stop_failed(alloc);
    allowed -= std::min(static_cast<std::int64_t>(place.size()), allowed);
    std::ranges::move(place, std::back_inserter(out_.place));
    return allowed;
  }
  // What was lost is replaced even while the deployment waits.
  for (auto& request : place) {
    if (!request.lost) continue;
    ++g.desired->place;
    out_.place.push_back(std::move(request));
  }
  for (auto& request : place) {
    if (!request.reschedule) continue;
    if (failed_ && request.previous != nullptr && deployment_->id == request.previous->deployment_id) continue;
    stop_failed(request.previous);
    ++g.desired->place;
    out_.place.push_back(std::move(request));
  }
  return allowed;
}

void ClusterReconciler::destructive_updates(Group& g, NameIndex& names, std::int64_t allowed) {
  const auto now = std::min(static_cast<std::int64_t>(g.destructive.size()), allowed);
  g.desired->destructive_update += static_cast<std::uint64_t>(now);
  g.desired->ignore += g.destructive.size() - static_cast<std::size_t>(now);
  std::int64_t done = 0;
  for (const auto& alloc : name_order(g.destructive)) {
    if (done++ >= now) break;
    out_.destructive.push_back({.name = names.unique(alloc->name), .group = g.group, .previous = alloc, .stop_previous = true});
  }
}

void ClusterReconciler::migrations(Group& g, NameIndex& names) {
  g.desired->migrate += g.migrate.size();
  const bool canarying = g.canarying();
  for (const auto& alloc : name_order(g.migrate)) {
    const bool canary = is_canary(*alloc);
    out_.stop.push_back({alloc, {.description = description::migrating}});
    // Batch work that a drain cut off at its deadline is not started again.
    if (in_.batch && alloc->desired_transition.migrate_disable_placement.value_or(false)) continue;
    out_.place.push_back({.name = names.unique(alloc->name), .group = g.group, .previous = alloc, .canary = canary,
                          .downgrade = canarying && !canary, .min_job_version = alloc->job->version});
  }
}

}  // namespace drover::scheduler
