// A constraint or affinity made ready to be asked of many nodes: targets parsed, expressions compiled once.
//
// distinct_hosts and distinct_property depend on other allocations; they always hold here and are judged by distinct.h.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "lib/model/constraint.h"
#include "lib/model/node.h"
#include "server/scheduler/feasible/target.h"

namespace drover::scheduler {

enum class Operator : std::uint8_t {
  equal, not_equal, less, less_equal, greater, greater_equal, regexp, version, semver, set_contains_all, set_contains_any,
  is_set, is_not_set, distinct, unknown,
};
[[nodiscard]] Operator parse_operator(std::string_view text);

using MaybeText = std::optional<std::string_view>;

class ConstraintCheck {
 public:
  ConstraintCheck(std::string_view ltarget, std::string_view operand, std::string_view rtarget);
  explicit ConstraintCheck(const model::Constraint& c) : ConstraintCheck(c.ltarget, c.operand, c.rtarget) {}
  explicit ConstraintCheck(const model::Affinity& a) : ConstraintCheck(a.ltarget, a.operand, a.rtarget) {}
  ConstraintCheck(ConstraintCheck&&) noexcept;
  ConstraintCheck& operator=(ConstraintCheck&&) noexcept;
  ~ConstraintCheck();

  [[nodiscard]] bool matches(const model::Node& node) const;
  [[nodiscard]] bool matches(MaybeText left, MaybeText right) const;
  // For attributes of devices, which have types and units.
  [[nodiscard]] bool matches(const model::Attribute* left, const model::Attribute* right) const;
  // "<ltarget> <operator> <rtarget>", as metrics show it.
  [[nodiscard]] const std::string& reason() const { return reason_; }
  [[nodiscard]] bool escapes_class() const { return left_.escapes_class() || right_.escapes_class(); }
  [[nodiscard]] Operator op() const { return op_; }

 private:
  struct Compiled;
  Target left_;
  Target right_;
  Operator op_;
  std::string reason_;
  std::unique_ptr<Compiled> compiled_;  // when the right side is literal
};

}  // namespace drover::scheduler
