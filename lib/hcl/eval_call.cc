#include <fmt/format.h>

#include "lib/hcl/convert.h"
#include "lib/hcl/eval_steps.h"
#include "sdk/base/text.h"

namespace drover::hcl {

namespace {

const Function* find_function(const CallExpr& node, const EvalContext& context, Diagnostics& diagnostics) {
  std::vector<std::string> names;
  for (const EvalContext* scope = &context; scope != nullptr; scope = scope->parent) {
    if (scope->functions == nullptr) continue;
    if (const auto found = scope->functions->find(node.name); found != scope->functions->end()) return &found->second;
    for (const auto& [name, function] : *scope->functions) names.push_back(name);
  }
  if (const std::size_t space = node.name.rfind("::"); space != std::string::npos) {
    diagnostics.add("Call to unknown function", fmt::format("There are no functions in namespace {}.", quote(node.name.substr(0, space + 2))), node.name_range);
  } else {
    diagnostics.add("Call to unknown function", fmt::format("There is no function named {}.{}", quote(node.name), name_suggestion(node.name, names)), node.name_range);
  }
  return nullptr;
}

// One argument: an expression, or a value that `...` took out of a sequence.
struct Argument {
  const Expression* expression;
  std::optional<Value> value;
  [[nodiscard]] Range start_range() const { return value ? expression->range : expression->start_range(); }
};

bool expand(const CallExpr& node, const EvalContext& context, Diagnostics& diagnostics, std::vector<Argument>& arguments) {
  const Expression& last = *node.arguments.back();
  const std::size_t before = diagnostics.size();
  const Value sequence = evaluate(last, context, diagnostics);
  if (diagnostics.size() > before) return false;
  if (sequence.is_null() && (sequence.is_sequence() || sequence.kind() == Kind::dynamic)) {
    diagnostics.add("Invalid expanding argument value", "The expanding argument (indicated by ...) must not be null.", last.range);
    return false;
  }
  if (sequence.kind() == Kind::dynamic) return false;
  if (!sequence.is_sequence()) {
    diagnostics.add("Invalid expanding argument value", "The expanding argument (indicated by ...) must be of a tuple, list, or set type.", last.range);
    return false;
  }
  if (!sequence.is_known()) return false;
  arguments.pop_back();
  for (const Value& item : sequence.as_list()) arguments.push_back({&last, item});
  return true;
}

bool check_count(const CallExpr& node, const Function& function, const std::vector<Argument>& arguments, Diagnostics& diagnostics) {
  const std::size_t wanted = function.parameters.size();
  if (arguments.size() < wanted) {
    diagnostics.add("Not enough function arguments",
                    fmt::format("Function {} expects{} {} argument(s). Missing value for {}.", quote(node.name), function.rest ? " at least" : "", wanted,
                                quote(function.parameters[arguments.size()].name)), node.close_range);
    return false;
  }
  if (!function.rest && arguments.size() > wanted) {
    diagnostics.add("Too many function arguments", fmt::format("Function {} expects only {} argument(s).", quote(node.name), wanted), arguments[wanted].start_range());
    return false;
  }
  return true;
}

}  // namespace

Value evaluate_call(const CallExpr& node, const Expression& whole, const EvalContext& context, Diagnostics& diagnostics) {
  const Function* function = find_function(node, context, diagnostics);
  if (function == nullptr) return {};
  std::vector<Argument> arguments;
  for (const ExprPtr& argument : node.arguments) arguments.push_back({argument.get(), std::nullopt});
  if (node.expand_final && !expand(node, context, diagnostics, arguments)) return {};
  if (!check_count(node, *function, arguments, diagnostics)) return {};
  if (function->special) {
    if (!node.expand_final) return function->special(node, whole, context, diagnostics);
    CallExpr expanded = node;
    expanded.arguments.clear();
    for (const Argument& argument : arguments) {
      if (argument.value) expanded.arguments.push_back(make_expression(LiteralExpr{*argument.value}, argument.expression->range));
      else expanded.arguments.push_back(node.arguments[expanded.arguments.size()]);
    }
    return function->special(expanded, whole, context, diagnostics);
  }

  const auto parameter = [&](std::size_t i) -> const Parameter& { return i < function->parameters.size() ? function->parameters[i] : *function->rest; };
  const auto bad_argument = [&](std::size_t i, const std::string& why) {
    diagnostics.add("Invalid function argument", fmt::format("Invalid value for {} parameter: {}.", quote(parameter(i).name), why), arguments[i].start_range());
  };
  const std::size_t before = diagnostics.size();
  std::vector<Value> values;
  for (std::size_t i = 0; i < arguments.size(); i++) {
    Value value = arguments[i].value ? *arguments[i].value : evaluate(*arguments[i].expression, context, diagnostics);
    if (auto converted = convert(value, parameter(i).type)) values.push_back(std::move(*converted));
    else bad_argument(i, converted.error());
  }
  if (diagnostics.size() > before) return {};
  for (std::size_t i = 0; i < values.size(); i++) {
    if (values[i].is_null() && !parameter(i).allow_null) {
      bad_argument(i, "argument must not be null");
      return {};
    }
    // What could be anything ends the checks of those behind it.
    if (!values[i].is_known() && values[i].type().is_dynamic() && !parameter(i).allow_unknown) return Value::unknown(function->returns);
  }
  for (std::size_t i = 0; i < values.size(); i++) {
    if (values[i].is_wholly_known() || parameter(i).allow_unknown) continue;
    return Value::unknown(function->unknown_type ? function->unknown_type(values) : function->returns);
  }
  FunctionResult result = function->call(values, context.shared_budget());
  if (result) return std::move(*result);
  if (result.error().argument >= 0 && static_cast<std::size_t>(result.error().argument) < arguments.size()) {
    bad_argument(static_cast<std::size_t>(result.error().argument), result.error().message);
  } else {
    diagnostics.add("Error in function call", fmt::format("Call to function {} failed: {}.", quote(node.name), result.error().message), whole.start_range());
  }
  return {};
}

}  // namespace drover::hcl
