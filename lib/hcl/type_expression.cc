#include <fmt/format.h>

#include "lib/hcl/evaluator.h"
#include "lib/hcl/parser.h"
#include "sdk/base/text.h"

namespace drover::hcl {

namespace {

constexpr const char* summary = "Invalid type specification";

std::string needs_argument(std::string_view constructor) {
  if (constructor == "object") return "The object type constructor requires one argument specifying the attribute types and values as a map.";
  if (constructor == "tuple") return "The tuple type constructor requires one argument specifying the element types as a list.";
  return fmt::format("The {} type constructor requires one argument specifying the element type.", constructor);
}

bool is_constructor(std::string_view name) { return name == "list" || name == "set" || name == "map" || name == "object" || name == "tuple"; }

std::optional<Type> keyword_type(const std::string& word, const Expression& expression, bool constraint, Diagnostics& diagnostics) {
  if (word == "string") return Type::string();
  if (word == "number") return Type::number();
  if (word == "bool") return Type::boolean();
  if (word == "any") {
    if (constraint) return Type::dynamic();
    diagnostics.add(summary, "The keyword \"any\" cannot be used in this type specification: an exact type is required.", expression.range);
    return std::nullopt;
  }
  diagnostics.add(summary, is_constructor(word) ? needs_argument(word) : fmt::format("The keyword {} is not a valid type specification.", quote(word)), expression.range);
  return std::nullopt;
}

std::optional<Type> object_type(const CallExpr& call, bool constraint, Diagnostics& diagnostics) {
  const Expression& argument = *call.arguments.front();
  const auto* object = argument.as<ObjectExpr>();
  if (object == nullptr) {
    diagnostics.add(summary, "Object type constructor requires a map whose keys are attribute names and whose values are the corresponding attribute types.", argument.range);
    return std::nullopt;
  }
  std::map<std::string, Type, std::less<>> attributes;
  bool good = true;
  for (const ObjectItem& item : object->items) {
    const auto* key = item.key->as<ObjectKeyExpr>();
    const auto name = key != nullptr ? keyword_of(*key->wrapped) : std::nullopt;
    if (!name) {
      diagnostics.add(summary, "Object constructor map keys must be attribute names.", item.key->range);
      good = false;
      continue;
    }
    if (attributes.contains(*name)) {
      diagnostics.add(summary, "Object constructor map keys must be unique.", item.key->range);
      good = false;
      continue;
    }
    if (const auto* modifier = item.value->as<CallExpr>(); modifier != nullptr && modifier->name == "optional") {
      diagnostics.add(summary, "Optional attribute modifier is only for type constraints, not for exact types.", item.value->range);
      good = false;
      continue;
    }
    auto type = type_from_expression(*item.value, constraint, diagnostics);
    good = good && type.has_value();
    attributes[*name] = type.value_or(Type());
  }
  return good ? std::optional<Type>(Type::object(std::move(attributes))) : std::nullopt;
}

std::optional<Type> tuple_type(const CallExpr& call, bool constraint, Diagnostics& diagnostics) {
  const Expression& argument = *call.arguments.front();
  const auto* tuple = argument.as<TupleExpr>();
  if (tuple == nullptr) {
    diagnostics.add(summary, "Tuple type constructor requires a list of element types.", argument.range);
    return std::nullopt;
  }
  std::vector<Type> elements;
  bool good = true;
  for (const ExprPtr& element : tuple->elements) {
    auto type = type_from_expression(*element, constraint, diagnostics);
    good = good && type.has_value();
    elements.push_back(type.value_or(Type()));
  }
  return good ? std::optional<Type>(Type::tuple(std::move(elements))) : std::nullopt;
}

}  // namespace

std::optional<Type> type_from_expression(const Expression& expression, bool constraint, Diagnostics& diagnostics) {
  if (const auto word = keyword_of(expression)) return keyword_type(*word, expression, constraint, diagnostics);
  if (const auto* text = expression.as<JsonTextExpr>()) {
    Diagnostics unused;
    Pos start = expression.range.start;
    start.byte = 0;
    const ExprPtr parsed = parse_expression(make_source(expression.range.file->name, text->text), unused, start);
    if (!unused.has_errors() && parsed->as<CallExpr>() != nullptr) return type_from_expression(*parsed, constraint, diagnostics);
  }
  const auto* call = expression.as<CallExpr>();
  if (call == nullptr) {
    diagnostics.add(summary, "A type specification is either a primitive type keyword (bool, number, string) or a complex type constructor call, like list(string).", expression.range);
    return std::nullopt;
  }
  const Range arguments_range = between(call->open_range, call->close_range);
  if (call->name == "string" || call->name == "number" || call->name == "bool") {
    diagnostics.add(summary, fmt::format("Primitive type keyword {} does not expect arguments.", quote(call->name)), arguments_range);
    return std::nullopt;
  }
  if (call->name == "any") {
    diagnostics.add(summary, "Type constraint keyword \"any\" does not expect arguments.", arguments_range);
    return std::nullopt;
  }
  if (call->name == "optional") {
    diagnostics.add(summary, "Keyword \"optional\" is valid only as a modifier for object type attributes.", call->name_range);
    return std::nullopt;
  }
  if (!is_constructor(call->name)) {
    diagnostics.add(summary, fmt::format("Keyword {} is not a valid type constructor.", quote(call->name)), expression.range);
    return std::nullopt;
  }
  if (call->arguments.size() != 1) {
    const Range subject = call->arguments.size() > 1 ? between(call->arguments[1]->range, call->arguments.back()->range) : arguments_range;
    diagnostics.add(summary, needs_argument(call->name), subject);
    return std::nullopt;
  }
  if (call->name == "object") return object_type(*call, constraint, diagnostics);
  if (call->name == "tuple") return tuple_type(*call, constraint, diagnostics);
  auto element = type_from_expression(*call->arguments.front(), constraint, diagnostics);
  if (!element) return std::nullopt;
  if (call->name == "list") return Type::list(*element);
  return call->name == "set" ? Type::set(*element) : Type::map(*element);
}

}  // namespace drover::hcl
