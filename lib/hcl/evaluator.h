// Expressions to values.
//
// `evaluate` always returns a value: an unknown one when something went wrong, after saying so in `diagnostics`. A context is a chain
// of scopes; the innermost name wins. A root name no scope knows goes to `undefined`, which may give it a meaning (runtime
// interpolation). Contexts are borrowed: keep parent, functions and budget alive. Single-threaded.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "lib/hcl/ast.h"
#include "lib/hcl/diagnostic.h"
#include "lib/hcl/functions.h"
#include "lib/hcl/limits.h"
#include "lib/hcl/value.h"

namespace drover::hcl {

struct EvalContext {
  const EvalContext* parent = nullptr;
  std::map<std::string, Value, std::less<>> variables;
  const FunctionTable* functions = nullptr;  // the innermost that is set counts
  // Called with the whole traversal and its range when its root is in no scope.
  std::function<std::optional<Value>(const ScopeTraversalExpr& traversal, const Range& range)> undefined;
  Budget* budget = nullptr;      // the outermost must have one
  const Value* item = nullptr;   // what a splat's element stands for

  [[nodiscard]] Budget& shared_budget() const;
};

[[nodiscard]] EvalContext child_of(const EvalContext& parent);

[[nodiscard]] Value evaluate(const Expression& expression, const EvalContext& context, Diagnostics& diagnostics);

// What `value.name` and `value[key]` mean.
[[nodiscard]] Value get_attribute(const Value& value, std::string_view name, const Range& range, Diagnostics& diagnostics);
[[nodiscard]] Value get_index(const Value& value, const Value& key, const Range& range, Diagnostics& diagnostics);

// `undefined` for job files: a traversal of an unknown root stands for its own source text as "${...}", so that it survives parsing
// and is replaced when the task runs.
[[nodiscard]] std::optional<Value> keep_source_text(const ScopeTraversalExpr& traversal, const Range& range);

// Root names an expression refers to, without those its own `for`s define.
struct Reference {
  std::string root;
  const ScopeTraversalExpr* traversal;
  Range range;
};
[[nodiscard]] std::vector<Reference> references(const Expression& expression);

// A type written as an expression: string, list(number), object({a = string})... `constraint` also allows `any`.
[[nodiscard]] std::optional<Type> type_from_expression(const Expression& expression, bool constraint, Diagnostics& diagnostics);

}  // namespace drover::hcl
