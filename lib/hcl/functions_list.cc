#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "lib/hcl/convert.h"
#include "lib/hcl/function_table.h"
#include "lib/hcl/unicode.h"

namespace drover::hcl {

namespace {

bool is_list_like(const Value& value) { return value.kind() == Kind::list || value.kind() == Kind::tuple; }

Parameter list_of(std::string name, Type element) { return {std::move(name), Type::list(std::move(element))}; }

FunctionResult chunked(const Arguments& arguments) {
  const auto size = whole(arguments[1]);
  if (!size) return function_error("invalid size: " + size.error().message);
  if (*size < 0) return function_error("the size argument must be positive");
  const Value::List& items = arguments[0].as_list();
  const Type& type = arguments[0].type();
  Value::List chunks;
  const std::size_t step = *size == 0 ? std::max<std::size_t>(items.size(), 1) : static_cast<std::size_t>(*size);
  for (std::size_t at = 0; at < items.size(); at += step) {
    const std::size_t end = std::min(items.size(), at + step);
    chunks.push_back(Value::list(type.element(), Value::List(items.begin() + static_cast<std::ptrdiff_t>(at), items.begin() + static_cast<std::ptrdiff_t>(end))));
  }
  return Value::list(type, std::move(chunks));
}

FunctionResult first_not_null(const Arguments& arguments) {
  std::vector<Type> types;
  for (const Value& argument : arguments) types.push_back(argument.type());
  const auto common = unify(types);
  if (!common) return function_error("all arguments must have the same type");
  for (const Value& argument : arguments) {
    if (argument.is_null()) continue;
    const auto converted = convert(argument, *common);
    if (!converted) return function_error(converted.error());
    return *converted;
  }
  return function_error("no non-null arguments");
}

FunctionResult first_not_empty(const Arguments& arguments) {
  if (arguments.empty()) return function_error("at least one argument is required");
  for (const Value& argument : arguments) {
    if (!argument.is_known()) return Value();
    if (!is_list_like(argument)) return function_error("coalescelist arguments must be lists or tuples");
  }
  for (const Value& argument : arguments) {
    if (!argument.is_null() && !argument.as_list().empty()) return argument;
  }
  return function_error("no non-null arguments");
}

FunctionResult compacted(const Arguments& arguments) {
  Value::List out;
  for (const Value& item : arguments[0].as_list()) {
    if (!item.is_null() && !item.as_string().empty()) out.push_back(item);
  }
  return Value::list(Type::string(), std::move(out));
}

FunctionResult concatenated(const Arguments& arguments) {
  if (arguments.empty()) return function_error("at least one argument is required");
  Value::List out;
  bool all_lists = true;
  std::vector<Type> types;
  for (std::size_t i = 0; i < arguments.size(); i++) {
    if (!is_list_like(arguments[i])) {
      return function_error(fmt::format("all arguments must be lists or tuples; got {}", arguments[i].type().friendly_name()), static_cast<int>(i));
    }
    all_lists = all_lists && arguments[i].kind() == Kind::list;
    types.push_back(arguments[i].type());
    out.insert(out.end(), arguments[i].as_list().begin(), arguments[i].as_list().end());
  }
  const auto common = all_lists ? unify(types) : std::nullopt;
  if (!common || common->is_dynamic()) return Value::tuple(std::move(out));
  for (Value& item : out) {
    auto converted = convert(item, common->element());
    if (!converted) return function_error(converted.error());
    item = std::move(*converted);
  }
  return Value::list(common->element(), std::move(out));
}

FunctionResult has_element(const Arguments& arguments) {
  if (!arguments[0].is_sequence()) return function_error("argument must be list, tuple, or set");
  // A null without a type could be anything.
  if (arguments[1].is_null() && arguments[1].type().is_dynamic()) return Value();
  const auto& items = arguments[0].as_list();
  return Value::boolean(std::any_of(items.begin(), items.end(), [&](const Value& item) { return item == arguments[1]; }));
}

FunctionResult without_repeats(const Arguments& arguments) {
  Value::List out;
  const auto less = [](const Value& a, const Value& b) { return compare(a, b) < 0; };
  std::set<Value, decltype(less)> seen(less);
  for (const Value& item : arguments[0].as_list()) {
    if (seen.insert(item).second) out.push_back(item);
  }
  return Value::list(arguments[0].type().element(), std::move(out));
}

FunctionResult wrapped_element(const Arguments& arguments) {
  if (!is_list_like(arguments[0])) return function_error(fmt::format("cannot read elements from {}", arguments[0].type().friendly_name()));
  const auto index = whole(arguments[1]);
  if (!index) return function_error("invalid index: " + index.error().message);
  const auto& items = arguments[0].as_list();
  if (items.empty()) return function_error("cannot use element function with an empty list");
  const auto size = static_cast<std::int64_t>(items.size());
  return items[static_cast<std::size_t>(((*index % size) + size) % size)];
}

bool flatten_into(const Value& value, Value::List& out, Budget& budget) {
  for (const Value& item : value.as_list()) {
    if (!budget.take_step()) return false;
    if (item.is_sequence() && !item.is_null()) {
      if (!flatten_into(item, out, budget)) return false;
    } else {
      out.push_back(item);
    }
  }
  return true;
}

FunctionResult flattened(const Arguments& arguments, Budget& budget) {
  if (!arguments[0].is_sequence()) return function_error("can only flatten lists, sets and tuples");
  Value::List out;
  if (!flatten_into(arguments[0], out, budget)) return function_error("the result would be too large");
  return Value::tuple(std::move(out));
}

FunctionResult sliced(const Arguments& arguments) {
  if (arguments[0].kind() == Kind::set) {
    return function_error("cannot slice a set, because its elements do not have indices; explicitly convert to a list if the ordering of the result is not important", 0);
  }
  if (!is_list_like(arguments[0])) return function_error("must be a list or tuple value", 0);
  const auto start = whole(arguments[1]);
  const auto end = whole(arguments[2]);
  const auto& items = arguments[0].as_list();
  const auto size = static_cast<std::int64_t>(items.size());
  if (!start) return function_error("invalid start index: " + start.error().message, 1);
  if (*start < 0) return function_error("start index must not be less than zero", 1);
  if (*start > size) return function_error("start index must not be greater than the length of the list", 1);
  if (!end) return function_error("invalid end index: " + end.error().message, 2);
  if (*end < 0) return function_error("end index must not be less than zero", 2);
  if (*end > size) return function_error("end index must not be greater than the length of the list", 2);
  if (*start > *end) return function_error("start index must not be greater than end index", 1);
  Value::List out(items.begin() + *start, items.begin() + *end);
  return arguments[0].kind() == Kind::list ? Value::list(arguments[0].type().element(), std::move(out)) : Value::tuple(std::move(out));
}

FunctionResult sorted(const Arguments& arguments) {
  Value::List out = arguments[0].as_list();
  for (std::size_t i = 0; i < out.size(); i++) {
    if (out[i].is_null()) return function_error(fmt::format("given list element {} is null; a null string cannot be sorted", i));
  }
  std::sort(out.begin(), out.end(), [](const Value& a, const Value& b) { return a.as_string() < b.as_string(); });
  return Value::list(Type::string(), std::move(out));
}

// Sets of one element type, whatever the arguments' were.
tl::expected<std::vector<Value>, FunctionError> common_sets(const Arguments& arguments) {
  std::vector<Type> types;
  for (const Value& argument : arguments) {
    // An empty one whose type says nothing has no say.
    if (!argument.as_list().empty() || !argument.type().element().is_dynamic()) types.push_back(argument.type().element());
  }
  const auto common = types.empty() ? std::optional<Type>(Type()) : unify(types);
  if (!common) return function_error("given sets must all have compatible element types");
  std::vector<Value> out;
  for (const Value& argument : arguments) {
    auto set = convert(argument, Type::set(*common));
    if (!set) return function_error(set.error());
    out.push_back(std::move(*set));
  }
  return out;
}

// What they make, as far as the types say it.
Type common_set_type(const Arguments& arguments) {
  std::vector<Type> types;
  for (const Value& argument : arguments) types.push_back(argument.type().element());
  return Type::set(unify(types).value_or(Type()));
}

FunctionResult intersection(const Arguments& arguments) {
  const auto sets = common_sets(arguments);
  if (!sets) return tl::unexpected(sets.error());
  Value::List out;
  for (const Value& item : (*sets)[0].as_list()) {
    const bool everywhere = std::all_of(sets->begin() + 1, sets->end(), [&](const Value& set) {
      return std::any_of(set.as_list().begin(), set.as_list().end(), [&](const Value& other) { return compare(item, other) == 0; });
    });
    if (everywhere) out.push_back(item);
  }
  return Value::set((*sets)[0].type().element(), std::move(out));
}

FunctionResult united(const Arguments& arguments) {
  const auto sets = common_sets(arguments);
  if (!sets) return tl::unexpected(sets.error());
  Value::List out;
  for (const Value& set : *sets) out.insert(out.end(), set.as_list().begin(), set.as_list().end());
  return Value::set((*sets)[0].type().element(), std::move(out));
}

FunctionResult product(const Arguments& arguments, Budget& budget) {
  if (arguments.size() < 2) return function_error("at least two arguments are required");
  bool all_lists = true;
  for (std::size_t i = 0; i < arguments.size(); i++) {
    if (!arguments[i].is_sequence()) return function_error("a set or a list is required", static_cast<int>(i));
    all_lists = all_lists && is_list_like(arguments[i]);
    if (arguments[i].kind() == Kind::tuple && !arguments[i].as_list().empty() && !unify(arguments[i].type().elements())) {
      return function_error("all elements must be of the same type", static_cast<int>(i));
    }
  }
  std::vector<Value::List> rows{{}};
  std::vector<Type> elements;
  for (const Value& argument : arguments) {
    // Tuples take the type their elements have in common.
    const auto list = convert(argument, Type::list(Type()));
    const Value::List& items = list ? list->as_list() : argument.as_list();
    elements.push_back(list ? list->type().element() : unify(argument.type().elements()).value_or(Type()));
    if (!budget.take_step(rows.size() * items.size())) return function_error("the result would be too large");
    std::vector<Value::List> longer;
    for (const Value::List& row : rows) {
      for (const Value& item : items) {
        Value::List next = row;
        next.push_back(item);
        longer.push_back(std::move(next));
      }
    }
    rows = std::move(longer);
  }
  Value::List out;
  for (Value::List& row : rows) out.push_back(Value::tuple(std::move(row)));
  const Type element = out.empty() ? Type::tuple(std::move(elements)) : out[0].type();
  return all_lists ? Value::list(element, std::move(out)) : Value::set(element, std::move(out));
}

}  // namespace

void add_list_functions(FunctionTable& table) {
  table["chunklist"] = function({list_of("list", Type()), number("size")}, chunked);
  table["chunklist"].unknown_type = [](const Arguments& arguments) { return Type::list(arguments[0].type()); };
  table["coalesce"] = variadic({}, nullable(any("vals")), first_not_null);
  table["coalescelist"] = variadic({}, nullable(typed(any("vals"))), first_not_empty);
  table["compact"] = function({list_of("list", Type::string())}, compacted);
  table["concat"] = variadic({}, any("seqs"), concatenated);
  table["contains"] = function({any("list"), nullable(any("value"))}, has_element);
  table["distinct"] = function({list_of("list", Type())}, without_repeats);
  table["distinct"].unknown_type = [](const Arguments& arguments) { return arguments[0].type(); };
  table["element"] = function({any("list"), number("index")}, wrapped_element);
  Function flatten = function({any("list")}, [](const Arguments&) { return Value(); });
  flatten.call = flattened;
  table["flatten"] = flatten;
  table["slice"] = function({any("list"), number("start_index"), number("end_index")}, sliced);
  table["sort"] = function({list_of("list", Type::string())}, sorted);
  table["setintersection"] = variadic({{"first_set", Type::set(Type())}}, {"other_sets", Type::set(Type())}, intersection);
  table["setunion"] = variadic({{"first_set", Type::set(Type())}}, {"other_sets", Type::set(Type())}, united);
  for (const char* name : {"setintersection", "setunion"}) table[name].unknown_type = common_set_type;
  Function setproduct;
  setproduct.rest = any("sets");
  setproduct.call = product;
  table["setproduct"] = setproduct;
}

}  // namespace drover::hcl
