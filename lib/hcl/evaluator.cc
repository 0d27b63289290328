#include "lib/hcl/evaluator.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/hcl/convert.h"
#include "lib/hcl/eval_steps.h"
#include "sdk/base/error.h"
#include "lib/hcl/unicode.h"
#include "sdk/base/text.h"

namespace drover::hcl {

Budget& EvalContext::shared_budget() const {
  for (const EvalContext* scope = this; scope != nullptr; scope = scope->parent) {
    if (scope->budget != nullptr) return *scope->budget;
  }
  check_failed("an evaluation context without a budget", __FILE__, __LINE__);
}

EvalContext child_of(const EvalContext& parent) {
  EvalContext child;
  child.parent = &parent;
  return child;
}

std::optional<Value> keep_source_text(const ScopeTraversalExpr&, const Range& range) {
  if (!range.file) return std::nullopt;
  const std::string_view text = range.file->text;
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; };
  std::size_t start = range.start.byte;
  std::size_t end = range.end.byte;
  while (start > 0 && blank(text[start - 1])) start--;
  while (end < text.size() && blank(text[end])) end++;
  if (start >= 2 && text.substr(start - 2, 2) == "${" && end < text.size() && text[end] == '}') {
    return Value::string(std::string(text.substr(start - 2, end + 1 - (start - 2))));
  }
  return Value::string(fmt::format("${{{}}}", range.text()));
}

namespace {

Value lookup(const ScopeTraversalExpr& node, const Range& range, const EvalContext& context, Diagnostics& diagnostics, bool& whole) {
  bool any_variables = false;
  std::vector<std::string> names;
  for (const EvalContext* scope = &context; scope != nullptr; scope = scope->parent) {
    if (scope->variables.empty()) continue;
    any_variables = true;
    if (const auto found = scope->variables.find(node.root); found != scope->variables.end()) return found->second;
    for (const auto& [name, value] : scope->variables) names.push_back(name);
  }
  for (const EvalContext* scope = &context; scope != nullptr; scope = scope->parent) {
    if (!scope->undefined) continue;
    if (auto value = scope->undefined(node, range)) {
      whole = true;
      return *value;
    }
  }
  if (!any_variables) {
    diagnostics.add("Variables not allowed", "Variables may not be used here.", node.root_range);
  } else {
    diagnostics.add("Unknown variable", fmt::format("There is no variable named {}.{}", quote(node.root), name_suggestion(node.root, names)), node.root_range);
  }
  whole = true;
  return {};
}

Value traverse(Value value, const std::vector<TraversalStep>& steps, Diagnostics& diagnostics) {
  for (const TraversalStep& step : steps) {
    const std::size_t before = diagnostics.size();
    value = step.key ? get_index(value, *step.key, step.range, diagnostics) : get_attribute(value, step.name, step.range, diagnostics);
    if (diagnostics.size() > before) return {};
  }
  return value;
}

struct Evaluator {
  const Expression& whole;
  const EvalContext& context;
  Diagnostics& diagnostics;

  Value eval(const ExprPtr& expression) const { return evaluate(*expression, context, diagnostics); }

  Value operator()(const LiteralExpr& node) const { return node.value; }

  Value operator()(const TemplateExpr& node) const {
    std::string text;
    bool known = true;
    const std::size_t before = diagnostics.size();
    for (const ExprPtr& part : node.parts) {
      const Value value = eval(part);
      if (value.is_null()) {
        diagnostics.add("Invalid template interpolation value", "The expression result is null. Cannot include a null value in a string template.", part->range);
        continue;
      }
      if (!value.is_known()) {
        known = false;
        continue;
      }
      const auto string = convert(value, Type::string());
      if (!string) {
        diagnostics.add("Invalid template interpolation value", fmt::format("Cannot include the given value in a string template: {}.", string.error()), part->range);
        continue;
      }
      // What comes after a mistake is left out, which shows in later messages.
      if (diagnostics.size() == before) text += string->as_string();
      if (!context.shared_budget().take_bytes(string->as_string().size())) {
        report_exhausted(whole.range, diagnostics);
        return Value::unknown(Type::string());
      }
    }
    return known ? Value::string(std::move(text)) : Value::unknown(Type::string());
  }

  Value operator()(const TemplateWrapExpr& node) const { return eval(node.inner); }

  Value operator()(const TemplateJoinExpr& node) const {
    const Value tuple = eval(node.tuple);
    if (!tuple.is_known() || tuple.is_null()) return Value::unknown(Type::string());
    std::string text;
    for (const Value& item : tuple.as_list()) {
      if (item.is_null()) {
        diagnostics.add("Invalid template interpolation value", "An iteration result is null. Cannot include a null value in a string template.", whole.range);
        continue;
      }
      if (!item.is_known()) return Value::unknown(Type::string());
      const auto string = convert(item, Type::string());
      if (!string) {
        diagnostics.add("Invalid template interpolation value", fmt::format("Cannot include one of the interpolation results into the string template: {}.", string.error()), whole.range);
        continue;
      }
      text += string->as_string();
      if (!context.shared_budget().take_bytes(string->as_string().size())) {
        report_exhausted(whole.range, diagnostics);
        return Value::unknown(Type::string());
      }
    }
    return Value::string(std::move(text));
  }

  Value operator()(const ScopeTraversalExpr& node) const {
    bool complete = false;
    Value value = lookup(node, whole.range, context, diagnostics, complete);
    return complete ? value : traverse(std::move(value), node.steps, diagnostics);
  }

  Value operator()(const RelativeTraversalExpr& node) const {
    Value source = eval(node.source);
    return traverse(std::move(source), node.steps, diagnostics);
  }

  Value operator()(const CallExpr& node) const { return evaluate_call(node, whole, context, diagnostics); }
  Value operator()(const ConditionalExpr& node) const { return evaluate_conditional(node, context, diagnostics); }

  Value operator()(const IndexExpr& node) const {
    const Value collection = eval(node.collection);
    const Value key = eval(node.key);
    return get_index(collection, key, between(node.open_range, whole.range), diagnostics);
  }

  Value operator()(const TupleExpr& node) const {
    Value::List elements;
    elements.reserve(node.elements.size());
    for (const ExprPtr& element : node.elements) elements.push_back(eval(element));
    return Value::tuple(std::move(elements));
  }

  // As JSON has objects: what is wrong with one property does not spoil the others, and none may come twice.
  Value json_object(const ObjectExpr& node) const {
    Value::Map attributes;
    std::map<std::string, Range, std::less<>> places;
    bool known = true;
    for (const ObjectItem& item : node.items) {
      const Value key = eval(item.key);
      Value value = eval(item.value);
      const auto complain = [&](const char* summary, std::string detail) { diagnostics.add(summary, std::move(detail), item.key->range); };
      const auto name = convert(key, Type::string());
      if (!name) {
        complain("Invalid object key expression", fmt::format("Cannot use this expression as an object key: {}.", name.error()));
      } else if (name->is_null()) {
        complain("Invalid object key expression", "Cannot use null value as an object key.");
      } else if (!name->is_known()) {
        known = false;
      } else if (const auto [place, fresh] = places.emplace(name->as_string(), item.key->range); !fresh) {
        complain("Duplicate object attribute", fmt::format("An attribute named {} was already defined at {}.", quote(name->as_string()), place->second.str()));
      } else {
        attributes.emplace(name->as_string(), std::move(value));
      }
    }
    return known ? Value::object(std::move(attributes)) : Value();
  }

  Value operator()(const ObjectExpr& node) const {
    if (node.json) return json_object(node);
    Value::Map attributes;
    bool known = true;
    for (const ObjectItem& item : node.items) {
      const std::size_t before = diagnostics.size();
      const Value key = eval(item.key);
      const bool key_failed = diagnostics.size() > before;
      Value value = eval(item.value);
      if (key_failed) {
        known = false;
        continue;
      }
      if (key.is_null()) {
        diagnostics.add("Null value as key", "Can't use a null value as a key.", item.value->range);
        known = false;
        continue;
      }
      const auto name = convert(key, Type::string());
      if (!name) {
        diagnostics.add("Incorrect key type", fmt::format("Can't use this value as a key: {}.", name.error()), item.key->range);
        known = false;
        continue;
      }
      if (!name->is_known()) {
        known = false;
        continue;
      }
      attributes.insert_or_assign(name->as_string(), std::move(value));
    }
    return known ? Value::object(std::move(attributes)) : Value();
  }

  Value operator()(const ObjectKeyExpr& node) const {
    if (!node.force_expression) {
      const auto* traversal = node.wrapped->as<ScopeTraversalExpr>();
      if (traversal != nullptr && !traversal->steps.empty()) {
        diagnostics.add("Ambiguous attribute key", "If this expression is intended to be a reference, wrap it in parentheses. If it's instead intended as a literal name containing periods, wrap it in quotes to create a string literal.", whole.range);
        return {};
      }
      if (auto word = keyword_of(*node.wrapped)) return Value::string(std::move(*word));
    }
    return eval(node.wrapped);
  }

  Value operator()(const ForExpr& node) const { return evaluate_for(node, context, diagnostics); }

  Value operator()(const SplatExpr& node) const {
    const std::size_t before = diagnostics.size();
    Value source = eval(node.source);
    if (diagnostics.size() > before) return {};
    const bool single = !source.is_sequence();
    if (source.is_null()) {
      if (single) return Value::tuple({});
      diagnostics.add("Splat of null value", "Splat expressions (with the * symbol) cannot be applied to null sequences.", node.source->range);
      return {};
    }
    if (source.kind() == Kind::dynamic) return {};
    const auto each = [&](const Value& item, Diagnostics& found) {
      EvalContext child = child_of(context);
      child.item = &item;
      return evaluate(*node.each, child, found);
    };
    const bool list = source.kind() == Kind::list || source.kind() == Kind::set;
    // What type the whole would have, going by the types of the items alone.
    const auto type_of_whole = [&](Diagnostics& found) {
      if (list) return Type::list(each(Value::unknown(source.type().element()), found).type());
      std::vector<Type> types;
      for (const Type& type : single ? std::vector<Type>{source.type()} : source.type().elements()) types.push_back(each(Value::unknown(type), found).type());
      return Type::tuple(std::move(types));
    };
    if (!source.is_known() && !single) return Value::unknown(type_of_whole(diagnostics));
    Value::List results;
    if (single) {
      results.push_back(each(source, diagnostics));
      // Whether an unknown value is null, and so gives nothing, cannot be said.
      if (!source.is_known()) return {};
    } else {
      results.reserve(source.as_list().size());
      for (const Value& item : source.as_list()) results.push_back(each(item, diagnostics));
    }
    if (diagnostics.size() > before) {
      Diagnostics repeated;
      return Value::unknown(type_of_whole(repeated));
    }
    if (!list) return Value::tuple(std::move(results));
    const Type type = results.empty() ? type_of_whole(diagnostics).element() : results.front().type();
    const bool same = std::all_of(results.begin(), results.end(), [&](const Value& result) { return result.type() == type; });
    return same ? Value::list(type, std::move(results)) : Value::tuple(std::move(results));
  }

  Value operator()(const ItemExpr&) const {
    for (const EvalContext* scope = &context; scope != nullptr; scope = scope->parent) {
      if (scope->item != nullptr) return *scope->item;
    }
    return {};
  }

  Value operator()(const ParenthesesExpr& node) const { return eval(node.inner); }
  Value operator()(const BinaryExpr& node) const { return evaluate_binary(node, whole, context, diagnostics); }
  Value operator()(const UnaryExpr& node) const { return evaluate_unary(node, whole, context, diagnostics); }

  Value operator()(const JsonTextExpr& node) const { return eval(node.inner); }

  Value operator()(const FailedExpr& node) const {
    diagnostics.append(node.diagnostics);
    return {};
  }
};

}  // namespace

void report_exhausted(const Range& range, Diagnostics& diagnostics) {
  for (const Diagnostic& item : diagnostics.items()) {
    if (item.summary == "Evaluation too large") return;
  }
  diagnostics.add("Evaluation too large", fmt::format("Expressions of one file may take {} steps and make {} bytes of text.", max_values, max_string_bytes), range);
}

Value evaluate(const Expression& expression, const EvalContext& context, Diagnostics& diagnostics) {
  // A-30: what is spent once is spent for the whole file, so nested loops cannot multiply.
  if (!context.shared_budget().take_step()) {
    report_exhausted(expression.range, diagnostics);
    return {};
  }
  return visit_node(Evaluator{expression, context, diagnostics}, expression.node);
}

Value get_attribute(const Value& value, std::string_view name, const Range& range, Diagnostics& diagnostics) {
  if (value.is_null()) {
    diagnostics.add("Attempt to get attribute from null value", "This value is null, so it does not have any attributes.", range);
    return {};
  }
  const Type& type = value.type();
  const auto unsupported = [&](std::string detail) {
    diagnostics.add("Unsupported attribute", std::move(detail), range);
    return Value();
  };
  switch (type.kind()) {
    case Kind::dynamic: return {};
    case Kind::object: {
      const auto attribute = type.attributes().find(name);
      if (attribute == type.attributes().end()) return unsupported(fmt::format("This object does not have an attribute named {}.", quote(name)));
      if (!value.is_known()) return Value::unknown(attribute->second);
      return value.as_map().find(name)->second;
    }
    case Kind::map: {
      if (!value.is_known()) return Value::unknown(type.element());
      const auto found = value.as_map().find(name);
      if (found != value.as_map().end()) return found->second;
      diagnostics.add("Missing map element", fmt::format("This map does not have an element with the key {}.", quote(name)), range);
      return {};
    }
    case Kind::list:
      if (type.element().kind() == Kind::object) {
        if (type.element().attributes().contains(name)) {
          return unsupported(fmt::format("Can't access attributes on a list of objects. Did you mean to access attribute {} for a specific element of the list, or across all elements of the list?", quote(name)));
        }
        return unsupported("Can't access attributes on a list of objects. Did you mean to access an attribute for a specific element of the list, or across all elements of the list?");
      }
      break;
    case Kind::set:
      if (type.element().kind() == Kind::object) {
        return unsupported("Can't access attributes on a set of objects. Did you mean to access an attribute across all elements of the set?");
      }
      break;
    default: break;
  }
  if (type.is_primitive()) return unsupported(fmt::format("Can't access attributes on a primitive-typed value ({}).", type.friendly_name()));
  return unsupported("This value does not have any attributes.");
}

namespace {
const char* index_complaint(const Number& index, std::size_t length) {
  if (!index.is_integer()) return ": indexing a sequence requires a whole number, but the given index has a fractional part";
  if (index.sign() < 0) return ": a negative number is not a valid index for a sequence";
  if (index == Number(static_cast<std::int64_t>(length))) {
    return length == 0 ? ": the collection has no elements" : ": the given index is greater than or equal to the length of the collection";
  }
  return "";
}
}  // namespace

Value get_index(const Value& value, const Value& key, const Range& range, Diagnostics& diagnostics) {
  if (value.is_null()) {
    diagnostics.add("Attempt to index null value", "This value is null, so it does not have any indices.", range);
    return {};
  }
  const auto invalid = [&](std::string detail) {
    diagnostics.add("Invalid index", std::move(detail), range);
    return Value();
  };
  const auto no_element = [&](std::string_view why) {
    return invalid(fmt::format("The given key does not identify an element in this collection value{}.", why));
  };
  if (key.is_null()) return invalid("Can't use a null value as an indexing key.");
  const Type& type = value.type();
  if (type.is_dynamic() || key.type().is_dynamic()) return {};
  switch (type.kind()) {
    case Kind::list: case Kind::tuple: {
      const auto index = convert(key, Type::number());
      if (!index) return no_element(": " + index.error());
      if (!index->is_known()) return type.kind() == Kind::list ? Value::unknown(type.element()) : Value();
      const auto position = index->as_number().to_uint64();
      if (!value.is_known()) {
        if (type.kind() == Kind::list) return Value::unknown(type.element());
        if (!position || *position >= type.elements().size()) return no_element(index_complaint(index->as_number(), type.elements().size()));
        return Value::unknown(type.elements()[*position]);
      }
      if (!position || *position >= value.as_list().size()) return no_element(index_complaint(index->as_number(), value.as_list().size()));
      return value.as_list()[*position];
    }
    case Kind::map: {
      const auto name = convert(key, Type::string());
      if (!name) return no_element(": " + name.error());
      if (!name->is_known() || !value.is_known()) return Value::unknown(type.element());
      const auto found = value.as_map().find(name->as_string());
      return found == value.as_map().end() ? no_element("") : found->second;
    }
    case Kind::object: {
      const auto name = convert(key, Type::string());
      if (!name) return no_element(": " + name.error());
      if (!name->is_known() || !value.is_known()) return {};
      const auto found = value.as_map().find(name->as_string());
      if (found != value.as_map().end()) return found->second;
      return invalid(fmt::format("The given key does not identify an element in this collection value.{}", key.kind() == Kind::number ? " An object only supports looking up attributes by name, not by numeric index." : ""));
    }
    case Kind::set:
      return invalid("Elements of a set are identified only by their value and don't have any separate index or key to select with, so it's only possible to perform operations across all elements of the set.");
    default: return invalid("This value does not have any indices.");
  }
}

}  // namespace drover::hcl
