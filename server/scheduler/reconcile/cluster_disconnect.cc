// Clients that are away and clients that come back, and what is put off until later.
#include <algorithm>

#include "sdk/base/uuid.h"
#include "server/scheduler/reconcile/cluster_state.h"
#include "server/scheduler/reconcile/reconnect.h"

namespace drover::scheduler {

void ClusterReconciler::reconcile_reconnecting(Group& g, const AllocSet& reconnecting) {
  AllocSet stopped;
  const auto stop = [&](const AllocPtr& alloc, const char* client_status, const char* text) {
    if (!stopped.emplace(alloc->id, alloc).second) return;
    out_.stop.push_back({alloc, {.description = text, .client_status = client_status}});
  };
  for (const auto& [id, alloc] : reconnecting) {
    if (!server_terminal(*alloc) && alloc->client_status == "failed") {
      stop(alloc, "failed", description::rescheduled);
      continue;
    }
    if (!may_reconnect(*alloc, *in_.job)) {
      stop(alloc, "", description::not_needed);
      continue;
    }
    // A replacement may have been replaced itself.
    for (auto next = g.all.find(alloc->next_allocation); next != g.all.end(); next = g.all.find(next->second->next_allocation)) {
      const auto& replacement = next->second;
      if (server_terminal(*replacement)) continue;
      const auto strategy = disconnect_rules(*g.group).reconcile;
      const bool always = strategy == "keep_replacement";
      if (keep_replacement(strategy, *alloc, *replacement)) stop(alloc, "", always ? description::not_needed : description::reconnected);
      else stop(replacement, "", description::reconnected);
    }
  }
  g.desired->stop += stopped.size();
  for (auto* set : {&g.untainted, &g.migrate, &g.lost}) remove_all(*set, stopped);
  for (const auto& [id, alloc] : reconnecting) {
    if (stopped.contains(id)) continue;
    g.untainted.emplace(id, alloc);
    if (alloc->client_status != "running") continue;
    auto updated = std::make_shared<model::Allocation>(*alloc);
    append_client_status(*updated, alloc->client_status, in_.now);
    out_.reconnect_updates.emplace(id, std::move(updated));
    ++g.desired->reconnect;
  }
}

void ClusterReconciler::handle_disconnecting(Group& g, const AllocSet& disconnecting) {
  auto sorted = classify_reschedule(disconnecting, {.batch = in_.batch, .disconnecting = true, .now = in_.now, .eval_id = &in_.eval->id,
                                                    .deployment = deployment_ ? &*deployment_ : nullptr});
  std::vector<Delayed> timeouts;
  for (const auto& [id, alloc] : disconnecting) {
    const auto* group = group_of(*alloc);
    timeouts.push_back({alloc, in_.now + (group == nullptr ? 0 : disconnect_rules(*group).lost_after.count())});
    auto updated = std::make_shared<model::Allocation>(*alloc);
    updated->client_status = "unknown";
    updated->client_description = description::unknown;
    append_client_status(*updated, "unknown", in_.now);
    out_.disconnect_updates.emplace(id, std::move(updated));
    if (!sorted.now.contains(id)) g.disconnecting.emplace(id, alloc);
  }
  g.desired->disconnect += disconnecting.size();
  add_all(g.reschedule_now, sorted.now);
  add_all(g.untainted, g.disconnecting);
  g.reschedule_later.insert(g.reschedule_later.end(), sorted.later.begin(), sorted.later.end());
  // Shown only here: rescheduling as such counts as a stop and a placement.
  g.desired->reschedule_now = g.reschedule_now.size();
  for (auto& [id, eval] : followup_batches(std::move(timeouts), "max-disconnect-timeout", "created for delayed disconnect timeout", true)) {
    out_.disconnect_updates[id]->followup_eval_id = eval;
  }
}

void ClusterReconciler::schedule_later(Group& g) {
  constexpr const char* text = "created for delayed rescheduling";
  for (const auto& [id, alloc] : g.lost) {
    const auto at = client_stop_time(*alloc, in_.now);
    if (at && *at > in_.now) g.lost_later.push_back({alloc, *at});
  }
  g.lost_followups = followup_batches(g.lost_later, "alloc-failure", text, false);
  for (auto& [id, eval] : followup_batches(g.reschedule_later, "alloc-reschedule", text, false)) {
    if (const auto at = out_.disconnect_updates.find(id); at != out_.disconnect_updates.end()) {
      at->second->followup_eval_id = eval;
      continue;
    }
    auto updated = std::make_shared<model::Allocation>(*g.all.at(id));
    updated->followup_eval_id = eval;
    out_.attribute_updates.insert_or_assign(id, std::move(updated));
  }
}

model::Evaluation ClusterReconciler::followup(const char* trigger, const char* text, UnixNanos at) {
  model::Evaluation eval;
  eval.id = make_uuid(*in_.rng);
  eval.namespace_ = in_.job->namespace_;
  eval.priority = in_.eval->priority;
  eval.type = in_.job->type;
  eval.triggered_by = trigger;
  eval.job_id = in_.job->id;
  eval.job_modify_index = in_.job->modify_index;
  eval.status = "pending";
  eval.status_description = text;
  eval.wait_until = model::Time(at);
  eval.create_time = in_.now;
  eval.modify_time = in_.now;
  return eval;
}

std::map<std::string, std::string> ClusterReconciler::followup_batches(std::vector<Delayed> later, const char* trigger,
                                                                       const char* text, bool same_for_all) {
  constexpr UnixNanos window = 5'000'000'000;
  std::map<std::string, std::string> out;
  std::ranges::sort(later, {}, [](const Delayed& delayed) { return std::pair(delayed.at, std::string_view(delayed.alloc->id)); });
  UnixNanos start = 0;
  for (const auto& delayed : later) {
    if (out.empty()) {
      start = delayed.at;
      out_.followups.push_back(followup(trigger, text, start));
    } else if (delayed.at - start >= window) {
      // The reference gives later batches the general trigger and no description; tools may look at it.
      start = delayed.at;
      out_.followups.push_back(same_for_all ? followup(trigger, text, start) : followup("alloc-failure", "", start));
    }
    out.emplace(delayed.alloc->id, out_.followups.back().id);
  }
  return out;
}

}  // namespace drover::scheduler
