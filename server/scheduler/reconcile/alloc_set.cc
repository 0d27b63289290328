#include "server/scheduler/reconcile/alloc_set.h"

#include <algorithm>

#include "server/scheduler/alloc_state.h"
#include "server/scheduler/reconcile/reschedule.h"

namespace drover::scheduler {

TaintedNodes tainted_nodes(const StateView& view, const std::vector<AllocPtr>& allocs) {
  TaintedNodes out;
  std::map<std::string, bool, std::less<>> seen;
  for (const auto& alloc : allocs) {
    if (!seen.emplace(alloc->node_id, true).second) continue;
    auto node = view.node(alloc->node_id);
    if (node == nullptr || node->status == "down" || node->status == "disconnected" || node->drain_strategy) {
      out.emplace(alloc->node_id, std::move(node));
    }
  }
  return out;
}

void add_all(AllocSet& into, const AllocSet& from) { into.insert(from.begin(), from.end()); }

void remove_all(AllocSet& from, const AllocSet& what) {
  for (const auto& [id, alloc] : what) from.erase(id);
}

AllocSet pick(const AllocSet& all, const std::vector<std::string>& ids) {
  AllocSet out;
  for (const auto& id : ids) {
    if (const auto at = all.find(id); at != all.end()) out.insert(*at);
  }
  return out;
}

std::vector<AllocPtr> name_order(const AllocSet& set) {
  std::vector<AllocPtr> out;
  for (const auto& [id, alloc] : set) out.push_back(alloc);
  std::ranges::sort(out, {}, [](const AllocPtr& alloc) { return std::pair(name_index(alloc->name), std::string_view(alloc->id)); });
  return out;
}

namespace {

AllocSet& destination(ByNode& out, const model::Allocation& alloc, const TaintedNodes& tainted, UnixNanos now) {
  const auto* group = group_of(alloc);
  const auto rules = group != nullptr ? disconnect_rules(*group) : DisconnectRules{};
  const bool tolerant = rules.lost_after.count() > 0;
  const bool reconnect = needs_to_reconnect(alloc) &&
                         (alloc.client_status == "running" || alloc.client_status == "failed");
  const bool failed = alloc.client_status == "failed";
  const bool unknown = alloc.client_status == "unknown";
  const bool migrate = alloc.desired_transition.migrate.value_or(false);
  if (reconnect && failed && alloc.desired_status == "run") return out.reconnecting;
  if (terminal(alloc) && !reconnect) {
    if (server_terminal(alloc)) {
      return alloc.desired_transition.migrate_disable_placement.value_or(false) ? out.untainted : out.ignore;
    }
    if (is_canary(alloc) && migrate) return out.migrate;
    return out.untainted;
  }
  if (expired(alloc, now)) return out.expiring;
  if (reconnect && failed && alloc.desired_status == "stop") return out.ignore;
  const auto at = tainted.find(alloc.node_id);
  const bool is_tainted = at != tainted.end();
  const auto* node = is_tainted ? at->second.get() : nullptr;
  if (node != nullptr && node->status == "disconnected") {
    if (unknown && tolerant) return out.untainted;
    if (alloc.client_status == "pending" || !tolerant) return out.lost;
    return out.disconnecting;
  }
  if (migrate) return out.migrate;
  if (!is_tainted || (node != nullptr && node->status == "ready")) return reconnect ? out.reconnecting : out.untainted;
  if (node == nullptr) return out.lost;
  if (node->status == "down") {
    if (!rules.replace && unknown) return out.untainted;
    if (!rules.replace && alloc.client_status == "running") return out.disconnecting;
    return out.lost;
  }
  return out.untainted;
}

}  // namespace

ByNode classify(const AllocSet& set, const TaintedNodes& tainted, UnixNanos now) {
  ByNode out;
  for (const auto& entry : set) destination(out, *entry.second, tainted, now).insert(entry);
  return out;
}

namespace {

enum class Filter : std::uint8_t { candidate, untainted, ignore };

Filter filter(const model::Allocation& alloc, bool batch) {
  const bool last_failed = last_reschedule_failed(alloc);
  if (batch) {
    if (alloc.desired_transition.migrate_disable_placement.value_or(false)) return Filter::untainted;
    if (alloc.desired_transition.reschedule.value_or(false)) return Filter::candidate;
    if (alloc.desired_status == "stop") {
      if (ran_successfully(alloc)) return Filter::untainted;
      return last_failed ? Filter::candidate : Filter::ignore;
    }
    if (alloc.desired_status == "evict") return Filter::ignore;
    return alloc.client_status == "failed" ? Filter::candidate : Filter::untainted;
  }
  if (server_terminal(alloc)) return last_failed ? Filter::candidate : Filter::ignore;
  if (alloc.client_status == "complete" || alloc.client_status == "lost") return Filter::ignore;
  return Filter::candidate;
}

struct When {
  bool now = false;
  bool later = false;
  UnixNanos at = 0;
};

When when_to_reschedule(const model::Allocation& alloc, const RescheduleContext& context) {
  // In an active deployment the deployment watcher decides.
  const auto& transition = alloc.desired_transition;
  const auto* deployment = context.deployment;
  const bool active = deployment != nullptr && (deployment->status == "running" || deployment->status == "paused" ||
                      deployment->status == "blocked" || deployment->status == "unblocking" ||
                      deployment->status == "initializing" || deployment->status == "pending");
  if (active && alloc.deployment_id == deployment->id && !transition.reschedule.value_or(false)) return {};
  When out;
  out.now = transition.force_reschedule.value_or(false);
  std::optional<UnixNanos> time;
  const bool own_followup = context.eval_id != nullptr && alloc.followup_eval_id == *context.eval_id;
  if (context.disconnecting) {
    const auto* group = group_of(alloc);
    if (group == nullptr || disconnect_rules(*group).replace) time = reschedule_time_after(alloc, context.now);
  } else if (alloc.client_status == "unknown" && own_followup) {
    time = reschedule_time_after(alloc, last_unknown(alloc));
  } else {
    time = next_reschedule_time(alloc);
  }
  if (!time) return out;
  constexpr UnixNanos window = 1'000'000'000;
  out.at = *time;
  if (own_followup || *time - context.now <= window) out.now = true;
  else if (alloc.followup_eval_id.empty() || context.disconnecting) out.later = true;
  return out;
}

}  // namespace

ByReschedule classify_reschedule(const AllocSet& set, const RescheduleContext& context) {
  ByReschedule out;
  for (const auto& [id, alloc] : set) {
    if (context.disconnecting && alloc->client_status == "unknown") continue;
    // It has been replaced already.
    if (!alloc->next_allocation.empty() && terminal(*alloc)) continue;
    const auto verdict = filter(*alloc, context.batch);
    if (verdict == Filter::ignore) continue;
    if (verdict == Filter::untainted && !context.disconnecting) {
      out.untainted.emplace(id, alloc);
      continue;
    }
    const auto when = when_to_reschedule(*alloc, context);
    if (when.now) {
      out.now.emplace(id, alloc);
      continue;
    }
    if (!context.disconnecting) out.untainted.emplace(id, alloc);
    if (when.later) out.later.push_back({alloc, when.at});
  }
  return out;
}

}  // namespace drover::scheduler
