#include <fmt/format.h>

#include "lib/hcl/convert.h"
#include "lib/hcl/eval_steps.h"
#include "lib/hcl/unicode.h"
#include "sdk/base/text.h"

namespace drover::hcl {

namespace {

// How two types differ, for the arms of a conditional that have no type in common.
std::string describe_difference(const Type& a, const Type& b) {
  if (a.kind() == Kind::object && b.kind() == Kind::object) {
    for (const auto& [name, type] : a.attributes()) {
      const auto other = b.attributes().find(name);
      if (other == b.attributes().end()) {
        return fmt::format("The 'true' value includes object attribute {}, which is absent in the 'false' value", quote(name));
      }
      if (!(type == other->second)) return fmt::format("Type mismatch for object attribute {}: {}", quote(name), describe_difference(type, other->second));
    }
    for (const auto& [name, type] : b.attributes()) {
      if (!a.attributes().contains(name)) {
        return fmt::format("The 'false' value includes object attribute {}, which is absent in the 'true' value", quote(name));
      }
    }
  }
  if (a.kind() == Kind::tuple && b.kind() == Kind::tuple) {
    if (a.elements().size() != b.elements().size()) {
      return fmt::format("The 'true' tuple has length {}, but the 'false' tuple has length {}", a.elements().size(), b.elements().size());
    }
    for (std::size_t i = 0; i < a.elements().size(); i++) {
      if (!(a.elements()[i] == b.elements()[i])) return fmt::format("Type mismatch for tuple element {}: {}", i, describe_difference(a.elements()[i], b.elements()[i]));
    }
  }
  if (a.is_collection() && a.kind() == b.kind() && a.element().kind() == b.element().kind() &&
      (a.element().kind() == Kind::object || a.element().kind() == Kind::tuple)) {
    const char* noun = a.kind() == Kind::list ? "list" : a.kind() == Kind::set ? "set" : "map";
    return fmt::format("Mismatched {} element types: {}", noun, describe_difference(a.element(), b.element()));
  }
  if (a.friendly_name() == b.friendly_name()) {
    return "At least one deeply-nested attribute or element is not compatible across both the 'true' and the 'false' value";
  }
  return fmt::format("The 'true' value is {}, but the 'false' value is {}", a.friendly_name(), b.friendly_name());
}

}  // namespace

namespace {

// A conditional whose condition is not known, as far as both arms say the same.
Value either_of(const Value& when_true, const Value& when_false, const Type& type) {
  if (when_true.is_null() && when_false.is_null()) return Value::null(type);
  const bool known = when_true.is_known() && when_false.is_known() && !when_true.is_null() && !when_false.is_null();
  if (!known || !(when_true.type() == when_false.type())) return Value::unknown(type);
  if (when_true.kind() == Kind::number && when_true.as_number() == when_false.as_number()) return when_true;
  if (when_true.kind() == Kind::map && when_true.as_map().empty() && when_false.as_map().empty()) return when_true;
  if (when_true.kind() != Kind::list && when_true.kind() != Kind::set) return Value::unknown(type);
  const std::size_t size = when_true.as_list().size();
  if (size != when_false.as_list().size()) return Value::unknown(type);
  if (size == 0) return when_true;
  if (when_true.kind() == Kind::set) return Value::unknown(type);
  return Value::list(type.element(), Value::List(size, Value::unknown(type.element())));
}

}  // namespace

Value evaluate_conditional(const ConditionalExpr& node, const EvalContext& context, Diagnostics& diagnostics) {
  Diagnostics true_diagnostics;
  Diagnostics false_diagnostics;
  const Value when_true = evaluate(*node.when_true, context, true_diagnostics);
  const Value when_false = evaluate(*node.when_false, context, false_diagnostics);
  const auto bare_null = [](const Value& value) { return value.is_null() && value.type().is_dynamic(); };
  Type type;
  if (bare_null(when_true)) type = when_false.type();
  else if (bare_null(when_false)) type = when_true.type();
  else if (!when_true.type().is_dynamic() && !when_false.type().is_dynamic()) {
    auto common = unify({when_true.type(), when_false.type()});
    if (!common) {
      diagnostics.add("Inconsistent conditional result types",
                      fmt::format("The true and false result expressions must have consistent types. {}.", describe_difference(when_true.type(), when_false.type())),
                      between(node.when_true->range, node.when_false->range));
      return {};
    }
    type = *common;
  }
  const Value condition = evaluate(*node.condition, context, diagnostics);
  if (condition.is_null()) {
    diagnostics.add("Null condition", "The condition value is null. Conditions must either be true or false.", node.condition->range);
    return Value::unknown(type);
  }
  if (!condition.is_known()) return either_of(when_true, when_false, type);
  const auto choice = convert(condition, Type::boolean());
  if (!choice) {
    diagnostics.add("Incorrect condition type", "The condition expression must be of type bool.", node.condition->range);
    return Value::unknown(type);
  }
  const bool taken = choice->as_bool();
  diagnostics.append(taken ? true_diagnostics : false_diagnostics);
  const auto result = convert(taken ? when_true : when_false, type);
  if (result) return *result;
  diagnostics.add("Inconsistent conditional result types", fmt::format("The {} result value has the wrong type: {}.", taken ? "true" : "false", result.error()),
                  (taken ? node.when_true : node.when_false)->range);
  return Value::unknown(type);
}

namespace {

Value equals(const Value& a, const Value& b) {
  if (a.is_null() || b.is_null()) {
    // Whether an unknown value is null cannot be said.
    if (!a.is_known() || !b.is_known()) return Value::unknown(Type::boolean());
    return Value::boolean(a.is_null() && b.is_null());
  }
  if (!a.is_wholly_known() || !b.is_wholly_known()) return Value::unknown(Type::boolean());
  return Value::boolean(a == b);
}

Type operand_type(BinaryOp op) {
  switch (op) {
    case BinaryOp::logical_or: case BinaryOp::logical_and: return Type::boolean();
    case BinaryOp::equal: case BinaryOp::not_equal: return Type::dynamic();
    default: return Type::number();
  }
}

Type result_type(BinaryOp op) { return op >= BinaryOp::add ? Type::number() : Type::boolean(); }

tl::expected<Value, std::string> apply(BinaryOp op, const Value& a, const Value& b) {
  const auto number = [](std::optional<Number> value, const char* why) -> tl::expected<Value, std::string> {
    if (!value) return tl::unexpected(std::string(why));
    return Value::number(*value);
  };
  switch (op) {
    case BinaryOp::logical_or: return Value::boolean(a.as_bool() || b.as_bool());
    case BinaryOp::logical_and: return Value::boolean(a.as_bool() && b.as_bool());
    case BinaryOp::equal: return equals(a, b);
    case BinaryOp::not_equal: {
      const Value same = equals(a, b);
      return same.is_known() ? Value::boolean(!same.as_bool()) : same;
    }
    case BinaryOp::greater: return Value::boolean(a.as_number() > b.as_number());
    case BinaryOp::greater_equal: return Value::boolean(a.as_number() >= b.as_number());
    case BinaryOp::less: return Value::boolean(a.as_number() < b.as_number());
    case BinaryOp::less_equal: return Value::boolean(a.as_number() <= b.as_number());
    case BinaryOp::add: return number(add(a.as_number(), b.as_number()), "can't compute sum of opposing infinities");
    case BinaryOp::subtract: return number(subtract(a.as_number(), b.as_number()), "can't subtract infinity from itself");
    case BinaryOp::multiply: return number(multiply(a.as_number(), b.as_number()), "can't multiply zero by infinity");
    case BinaryOp::divide: return number(divide(a.as_number(), b.as_number()), "can't divide zero by zero or infinity by infinity");
    case BinaryOp::modulo: return number(modulo(a.as_number(), b.as_number()), "can't use modulo with zero and infinity");
  }
  return Value();
}

}  // namespace

Value evaluate_binary(const BinaryExpr& node, const Expression& whole, const EvalContext& context, Diagnostics& diagnostics) {
  const Type wanted = operand_type(node.op);
  const Value unknown = Value::unknown(result_type(node.op));
  const std::size_t before = diagnostics.size();
  // Both sides count, also where the left one of && and || would decide alone.
  Value values[2] = {evaluate(*node.left, context, diagnostics), evaluate(*node.right, context, diagnostics)};
  for (const bool right : {false, true}) {
    auto converted = convert(values[right], wanted);
    if (converted) values[right] = std::move(*converted);
    else diagnostics.add("Invalid operand", fmt::format("Unsuitable value for {} operand: {}.", right ? "right" : "left", converted.error()), (right ? node.right : node.left)->range);
  }
  if (diagnostics.size() > before) return unknown;
  if (!wanted.is_dynamic() && (values[0].is_null() || values[1].is_null())) {
    diagnostics.add("Operation failed", "Error during operation: argument must not be null.", whole.range);
    return unknown;
  }
  if ((!values[0].is_known() || !values[1].is_known()) && !wanted.is_dynamic()) return unknown;
  const auto result = apply(node.op, values[0], values[1]);
  if (result) return *result;
  diagnostics.add("Operation failed", fmt::format("Error during operation: {}.", result.error()), whole.range);
  return unknown;
}

Value evaluate_unary(const UnaryExpr& node, const Expression& whole, const EvalContext& context, Diagnostics& diagnostics) {
  const Type type = node.negate ? Type::number() : Type::boolean();
  const std::size_t before = diagnostics.size();
  const Value given = evaluate(*node.operand, context, diagnostics);
  const auto value = convert(given, type);
  if (!value) {
    diagnostics.add("Invalid operand", fmt::format("Unsuitable value for unary operand: {}.", value.error()), node.operand->range);
    return Value::unknown(type);
  }
  if (diagnostics.size() > before) return Value::unknown(type);
  if (value->is_null()) {
    diagnostics.add("Operation failed", "Error during operation: argument must not be null.", whole.range);
    return Value::unknown(type);
  }
  if (!value->is_known()) return Value::unknown(type);
  return node.negate ? Value::number(-value->as_number()) : Value::boolean(!value->as_bool());
}

}  // namespace drover::hcl
