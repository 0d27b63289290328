// How often each value of a node property is in use by a job's allocations, with the plan taken into account.
// Behind distinct_property and spreads.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "server/scheduler/feasible/target.h"
#include "server/scheduler/plan_draft.h"

namespace drover::scheduler {

class PropertySet {
 public:
  // An empty group means all groups of the job.
  PropertySet(const StateView& view, const model::Job& job, std::string_view group, std::string_view property);

  // Recounts when the plan has changed since the last call.
  void refresh(const PlanDraft& draft);
  [[nodiscard]] std::optional<std::string_view> value(const model::Node& node) const { return target_.resolve(node); }
  [[nodiscard]] std::uint64_t used(std::string_view value) const;
  [[nodiscard]] const std::map<std::string, std::uint64_t, std::less<>>& counts() const { return combined_; }
  [[nodiscard]] const std::string& property() const { return property_; }

 private:
  using Counts = std::map<std::string, std::uint64_t, std::less<>>;
  [[nodiscard]] bool concerns(const model::Allocation& alloc) const;
  void count(const model::Allocation& alloc, Counts& into) const;

  const StateView* view_;
  std::string namespace_;
  std::string job_id_;
  std::string group_;
  std::string property_;
  Target target_;
  Counts existing_;
  Counts combined_;
  std::optional<std::uint64_t> revision_;
};

}  // namespace drover::scheduler
