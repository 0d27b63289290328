#include <fmt/format.h>

#include "lib/hcl/convert.h"
#include "lib/hcl/eval_steps.h"
#include "lib/hcl/unicode.h"
#include "sdk/base/text.h"

namespace drover::hcl {

namespace {

class Loop {
 public:
  Loop(const ForExpr& node, const EvalContext& context, Diagnostics& diagnostics) : node_(node), context_(context), diagnostics_(diagnostics) {}

  Value run() {
    const Value collection = evaluate(*node_.collection, context_, diagnostics_);
    if (collection.is_null()) {
      diagnostics_.add("Iteration over null value", "A null value cannot be used as the collection in a 'for' expression.", node_.collection->range);
      return {};
    }
    if (collection.type().is_dynamic()) return {};
    if (!collection.can_iterate()) {
      diagnostics_.add("Iteration over non-iterable value",
                       fmt::format("A value of type {} cannot be used as the collection in a 'for' expression.", collection.type().friendly_name()),
                       node_.collection->range);
      return {};
    }
    if (!collection.is_known()) return {};
    if (node_.condition && !condition_has_good_type()) return {};
    if (collection.is_mapping()) {
      for (const auto& [name, value] : collection.as_map()) item(Value::string(name), value);
    } else {
      std::int64_t index = 0;
      for (const Value& value : collection.as_list()) {
        item(collection.kind() == Kind::set ? value : Value::number(index), value);
        index++;
      }
    }
    if (!known_) return {};
    if (!node_.key) return Value::tuple(std::move(elements_));
    if (node_.group) {
      for (auto& [name, group] : groups_) attributes_.insert_or_assign(name, Value::tuple(std::move(group)));
    }
    return Value::object(std::move(attributes_));
  }

 private:
  EvalContext scope(Value key, Value value) const {
    EvalContext child = child_of(context_);
    if (!node_.key_name.empty()) child.variables[node_.key_name] = std::move(key);
    child.variables[node_.value_name] = std::move(value);
    return child;
  }

  // Once with unknown items, so that a wrong condition is reported once and not for every item.
  bool condition_has_good_type() {
    const EvalContext child = scope(Value(), Value());
    const std::size_t before = diagnostics_.size();
    const Value result = evaluate(*node_.condition, child, diagnostics_);
    if (result.is_null()) {
      diagnostics_.add("Condition is null", "The value of the 'if' clause must not be null.", node_.condition->range);
      return false;
    }
    if (const auto converted = convert(result, Type::boolean()); !converted) {
      diagnostics_.add("Invalid 'for' condition", fmt::format("The 'if' clause value is invalid: {}.", converted.error()), node_.condition->range);
      return false;
    }
    return diagnostics_.size() == before;
  }

  void item(Value key, Value value) {
    const EvalContext child = scope(std::move(key), std::move(value));
    if (node_.condition && !included(child)) return;
    if (!node_.key) {
      elements_.push_back(evaluate(*node_.value, child, diagnostics_));
      return;
    }
    const Value raw = evaluate(*node_.key, child, diagnostics_);
    if (raw.is_null()) return fail_once("Invalid object key", "Key expression in 'for' expression must not produce a null value.", *node_.key);
    if (!raw.is_known()) {
      known_ = false;
      return;
    }
    const auto name = convert(raw, Type::string());
    if (!name) return fail_once("Invalid object key", fmt::format("The key expression produced an invalid result: {}.", name.error()), *node_.key);
    Value result = evaluate(*node_.value, child, diagnostics_);
    if (node_.group) {
      groups_[name->as_string()].push_back(std::move(result));
    } else if (!attributes_.emplace(name->as_string(), std::move(result)).second) {
      diagnostics_.add("Duplicate object key",
                       fmt::format("Two different items produced the key {} in this 'for' expression. If duplicates are expected, use the ellipsis (...) after the value expression to enable grouping by key.", quote(name->as_string())),
                       node_.key->range);
    }
  }

  bool included(const EvalContext& child) {
    const Value raw = evaluate(*node_.condition, child, diagnostics_);
    if (raw.is_null()) {
      fail_once("Invalid 'for' condition", "The value of the 'if' clause must not be null.", *node_.condition);
      return false;
    }
    if (!node_.key && !raw.is_known()) {
      known_ = false;
      return false;
    }
    const auto value = convert(raw, Type::boolean());
    if (!value) {
      fail_once("Invalid 'for' condition", fmt::format("The 'if' clause value is invalid: {}.", value.error()), *node_.condition);
      return false;
    }
    if (!value->is_known()) {
      known_ = false;
      return false;
    }
    return value->as_bool();
  }

  void fail_once(std::string summary, std::string detail, const Expression& about) {
    if (known_) diagnostics_.add(std::move(summary), std::move(detail), about.range);
    known_ = false;
  }

  const ForExpr& node_;
  const EvalContext& context_;
  Diagnostics& diagnostics_;
  bool known_ = true;
  Value::List elements_;
  Value::Map attributes_;
  std::map<std::string, Value::List> groups_;
};

}  // namespace

Value evaluate_for(const ForExpr& node, const EvalContext& context, Diagnostics& diagnostics) {
  return Loop(node, context, diagnostics).run();
}

}  // namespace drover::hcl
