#include "server/scheduler/feasible/property_set.h"


#include "server/scheduler/alloc_state.h"

namespace drover::scheduler {

PropertySet::PropertySet(const StateView& view, const model::Job& job, std::string_view group, std::string_view property)
    : view_(&view), namespace_(job.namespace_), job_id_(job.id), group_(group), property_(property), target_(property) {
  for (const auto& alloc : view.allocs_by_job(namespace_, job_id_, false)) {
    if (!terminal(*alloc) && concerns(*alloc)) count(*alloc, existing_);
  }
}

bool PropertySet::concerns(const model::Allocation& alloc) const {
  return alloc.job_id == job_id_ && alloc.namespace_ == namespace_ && (group_.empty() || alloc.task_group == group_);
}

void PropertySet::count(const model::Allocation& alloc, Counts& into) const {
  const auto node = view_->node(alloc.node_id);
  if (node == nullptr) return;
  if (const auto value = target_.resolve(*node)) ++into[std::string(*value)];
}

void PropertySet::refresh(const PlanDraft& draft) {
  if (revision_ == draft.revision()) return;
  revision_ = draft.revision();
  Counts proposed;
  Counts cleared;
  for (const auto& [node, allocs] : draft.plan().node_allocation) {
    for (const auto& alloc : allocs) {
      if (!concerns(*alloc) || terminal(*alloc)) continue;
      // An allocation that exists is counted already.
      const auto stored = view_->alloc(alloc->id);
      if (stored != nullptr && !terminal(*stored)) continue;
      count(*alloc, proposed);
    }
  }
  for (const auto& [node, allocs] : draft.plan().node_update) {
    for (const auto& alloc : allocs) {
      if (!concerns(*alloc)) continue;
      const auto stored = view_->alloc(alloc->id);
      if (stored != nullptr && !terminal(*stored)) count(*alloc, cleared);
    }
  }
  combined_ = existing_;
  for (const auto& [value, n] : proposed) combined_[value] += n;
  for (auto [value, n] : cleared) {
    // A value that is proposed again holds on to one of its cleared places when it has several, as the reference counts it.
    if (proposed.contains(value) && n > 1) --n;
    auto& count = combined_[value];
    count = count > n ? count - n : 0;
  }
}

std::uint64_t PropertySet::used(std::string_view value) const {
  const auto at = combined_.find(value);
  return at == combined_.end() ? 0 : at->second;
}

}  // namespace drover::scheduler
