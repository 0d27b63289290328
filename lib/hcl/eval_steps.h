// The longer kinds of expression. Internal to lib/hcl; evaluator.h is the way in.
#pragma once

#include "lib/hcl/evaluator.h"

namespace drover::hcl {

[[nodiscard]] Value evaluate_call(const CallExpr& node, const Expression& whole, const EvalContext& context, Diagnostics& diagnostics);
[[nodiscard]] Value evaluate_conditional(const ConditionalExpr& node, const EvalContext& context, Diagnostics& diagnostics);
[[nodiscard]] Value evaluate_for(const ForExpr& node, const EvalContext& context, Diagnostics& diagnostics);
[[nodiscard]] Value evaluate_binary(const BinaryExpr& node, const Expression& whole, const EvalContext& context, Diagnostics& diagnostics);
[[nodiscard]] Value evaluate_unary(const UnaryExpr& node, const Expression& whole, const EvalContext& context, Diagnostics& diagnostics);
// Says once per list that the budget is spent.
void report_exhausted(const Range& range, Diagnostics& diagnostics);

}  // namespace drover::hcl
