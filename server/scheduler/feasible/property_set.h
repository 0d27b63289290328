// How often each value of a node property is in use by a job's allocations, with the plan taken into account.
// Behind distinct_property and spreads.
//
// Values are numbered as they are met, so that who asks about many nodes compares no text: 0 is "the node has none".
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "server/scheduler/feasible/target.h"
#include "server/scheduler/plan_draft.h"

namespace drover::scheduler {

class PropertySet {
 public:
  using ValueId = std::uint32_t;
  struct Value {
    std::string text;
    std::uint64_t existing = 0;  // of allocations in the state
    std::uint64_t proposed = 0;  // new in the plan
    std::uint64_t cleared = 0;   // stopped by the plan
    std::uint64_t used = 0;      // of all together
    // Whether anything was counted for it; a node's value that nobody uses is known but not seen.
    [[nodiscard]] bool seen() const { return existing + proposed + cleared > 0; }
  };

  // An empty group means all groups of the job.
  PropertySet(const StateView& view, const model::Job& job, std::string_view group, std::string_view property);

  // Takes over what was done to the plan since the last call; true when a count changed.
  bool refresh(const PlanDraft& draft);
  [[nodiscard]] std::optional<std::string_view> value(const model::Node& node) const { return target_.resolve(node); }
  [[nodiscard]] ValueId value_id(const model::Node& node);
  [[nodiscard]] std::uint64_t used(std::string_view value) const;
  // By number; the first stands for no value.
  [[nodiscard]] const std::vector<Value>& values() const { return values_; }
  [[nodiscard]] const std::string& property() const { return property_; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  [[nodiscard]] bool concerns(const model::Allocation& alloc) const;
  // The value of the allocation's node; null when it has none.
  [[nodiscard]] Value* value_of(const model::Allocation& alloc);
  [[nodiscard]] bool stored_live(const model::Allocation& alloc) const;
  static void recount(Value& value);

  const StateView* view_;
  std::string namespace_;
  std::string job_id_;
  std::string group_;
  std::string property_;
  Target target_;
  std::vector<Value> values_;
  std::unordered_map<std::string, ValueId, Hash, std::equal_to<>> ids_;
  std::size_t events_read_ = 0;
};

}  // namespace drover::scheduler
