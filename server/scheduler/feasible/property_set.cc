#include "server/scheduler/feasible/property_set.h"

#include "server/scheduler/alloc_state.h"

namespace drover::scheduler {

PropertySet::PropertySet(const StateView& view, const model::Job& job, std::string_view group, std::string_view property)
    : view_(&view), namespace_(job.namespace_), job_id_(job.id), group_(group), property_(property), target_(property), values_(1) {
  for (const auto& alloc : view.allocs_by_job(namespace_, job_id_, false)) {
    if (terminal(*alloc) || !concerns(*alloc)) continue;
    if (auto* value = value_of(*alloc)) ++value->existing;
  }
  for (auto& value : values_) recount(value);
}

bool PropertySet::concerns(const model::Allocation& alloc) const {
  return alloc.job_id == job_id_ && alloc.namespace_ == namespace_ && (group_.empty() || alloc.task_group == group_);
}

PropertySet::ValueId PropertySet::value_id(const model::Node& node) {
  const auto text = target_.resolve(node);
  if (!text) return 0;
  const auto at = ids_.find(*text);
  if (at != ids_.end()) return at->second;
  const auto id = static_cast<ValueId>(values_.size());
  values_.push_back({.text = std::string(*text)});
  ids_.emplace(std::string(*text), id);
  return id;
}

PropertySet::Value* PropertySet::value_of(const model::Allocation& alloc) {
  const auto node = view_->node(alloc.node_id);
  if (node == nullptr) return nullptr;
  const auto id = value_id(*node);
  return id == 0 ? nullptr : &values_[id];
}

bool PropertySet::stored_live(const model::Allocation& alloc) const {
  const auto stored = view_->alloc(alloc.id);
  return stored != nullptr && !terminal(*stored);
}

void PropertySet::recount(Value& value) {
  // A value that is proposed again holds on to one of its cleared places when it has several, as the reference counts it.
  const auto cleared = value.proposed > 0 && value.cleared > 1 ? value.cleared - 1 : value.cleared;
  const auto held = value.existing + value.proposed;
  value.used = held > cleared ? held - cleared : 0;
}

bool PropertySet::refresh(const PlanDraft& draft) {
  using Kind = PlanDraft::Event::Kind;
  bool changed = false;
  const auto& events = draft.events();
  for (; events_read_ < events.size(); ++events_read_) {
    const auto& event = events[events_read_];
    if (event.kind == Kind::preempted || !concerns(*event.alloc)) continue;
    const bool placed = event.kind == Kind::placed;
    // An allocation that exists is counted already; only one that counts can be taken off.
    if (placed ? terminal(*event.alloc) || stored_live(*event.alloc) : !stored_live(*event.alloc)) continue;
    auto* value = value_of(*event.alloc);
    if (value == nullptr) continue;
    if (placed) ++value->proposed;
    else if (event.kind == Kind::stopped) ++value->cleared;
    else --value->cleared;
    recount(*value);
    changed = true;
  }
  return changed;
}

std::uint64_t PropertySet::used(std::string_view value) const {
  const auto at = ids_.find(value);
  return at == ids_.end() ? 0 : values_[at->second].used;
}

}  // namespace drover::scheduler
