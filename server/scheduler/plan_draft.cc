#include "server/scheduler/plan_draft.h"

#include <algorithm>

#include "server/scheduler/alloc_state.h"

namespace drover::scheduler {

PlanDraft::PlanDraft(const model::Evaluation& eval, JobPtr job, UnixNanos now) : now_(now) {
  plan_.eval_id = eval.id;
  plan_.priority = job != nullptr ? job->priority : eval.priority;
  plan_.all_at_once = job != nullptr && job->all_at_once;
  plan_.job = std::move(job);
  plan_.node_update.allocate();
  plan_.node_allocation.allocate();
  plan_.node_preemptions.allocate();
}

void PlanDraft::stop(const AllocPtr& alloc, const Stop& how) {
  auto copy = std::make_shared<model::Allocation>(*alloc);
  // The plan names the job once; a purged job is only known from its allocations.
  if (plan_.job == nullptr) plan_.job = alloc->job;
  copy->job = nullptr;
  copy->resources.reset();
  copy->desired_status = "stop";
  copy->desired_description = how.description;
  if (!how.client_status.empty()) {
    copy->client_status = how.client_status;
    append_client_status(*copy, how.client_status, now_);
  }
  if (!how.followup_eval_id.empty()) copy->followup_eval_id = how.followup_eval_id;
  events_.push_back({Event::Kind::stopped, copy});
  plan_.node_update[alloc->node_id].push_back(std::move(copy));
}

void PlanDraft::undo_stop(const model::Allocation& alloc) {
  const auto at = plan_.node_update.find(alloc.node_id);
  if (at == plan_.node_update.end()) return;
  auto& list = at->second;
  const auto found = std::find_if(list.rbegin(), list.rend(), [&](const AllocPtr& entry) { return entry->id == alloc.id; });
  if (found != list.rend()) {
    events_.push_back({Event::Kind::restored, *found});
    list.erase(std::next(found).base());
  }
  if (list.empty()) plan_.node_update.erase(at);
}

void PlanDraft::note_rescheduled(const model::Allocation& alloc) {
  auto* list = plan_.node_update.get(alloc.node_id);
  if (list == nullptr) return;
  const auto at = std::find_if(list->rbegin(), list->rend(), [&](const AllocPtr& entry) { return entry->id == alloc.id; });
  if (at == list->rend()) return;
  auto noted = std::make_shared<model::Allocation>(**at);
  noted->reschedule_tracker.ensure().last_reschedule = "ok";
  *at = std::move(noted);
}

bool PlanDraft::stops(const model::Allocation& alloc) const {
  const auto* list = plan_.node_update.get(alloc.node_id);
  return list != nullptr && std::ranges::any_of(*list, [&](const AllocPtr& entry) { return entry->id == alloc.id; });
}

void PlanDraft::preempt(const AllocPtr& alloc, const std::string& by_alloc_id) {
  auto copy = std::make_shared<model::Allocation>(*alloc);
  copy->job = nullptr;
  copy->desired_status = "evict";
  copy->preempted_by_allocation = by_alloc_id;
  copy->desired_description = fmt::format("Preempted by alloc ID {}", by_alloc_id);
  events_.push_back({Event::Kind::preempted, copy});
  plan_.node_preemptions[alloc->node_id].push_back(std::move(copy));
}

void PlanDraft::place(AllocPtr alloc) {
  events_.push_back({Event::Kind::placed, alloc});
  plan_.node_allocation[alloc->node_id].push_back(std::move(alloc));
}

std::vector<AllocPtr> PlanDraft::proposed(const StateView& view, std::string_view node_id) const {
  auto allocs = view.live_allocs_by_node(node_id);
  std::erase_if(allocs, [](const AllocPtr& alloc) { return client_terminal(*alloc); });
  for (const auto* removed : {plan_.node_update.get(node_id), plan_.node_preemptions.get(node_id), plan_.node_allocation.get(node_id)}) {
    if (removed == nullptr || allocs.empty()) continue;
    for (const auto& gone : *removed) {
      const auto at = std::ranges::find(allocs, gone->id, [](const AllocPtr& a) -> const std::string& { return a->id; });
      if (at == allocs.end()) continue;
      *at = std::move(allocs.back());
      allocs.pop_back();
    }
  }
  if (const auto* placed = plan_.node_allocation.get(node_id)) allocs.insert(allocs.end(), placed->begin(), placed->end());
  return allocs;
}

bool PlanDraft::is_noop() const {
  return plan_.node_update.empty() && plan_.node_allocation.empty() && !plan_.deployment && plan_.deployment_updates.empty();
}

}  // namespace drover::scheduler
