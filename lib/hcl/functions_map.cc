#include <fmt/format.h>

#include "lib/hcl/convert.h"
#include "lib/hcl/function_table.h"
#include "lib/hcl/unicode.h"
#include "sdk/base/text.h"

namespace drover::hcl {

namespace {

bool has_elements(const Value& value) {
  return value.kind() == Kind::list || value.kind() == Kind::tuple || value.kind() == Kind::map || value.kind() == Kind::set;
}
constexpr const char* wrong_collection = "collection must be a list, a map or a tuple";

FunctionResult length(const Arguments& arguments) {
  if (!has_elements(arguments[0])) return function_error(wrong_collection);
  const std::size_t count = arguments[0].kind() == Kind::map ? arguments[0].as_map().size() : arguments[0].as_list().size();
  return Value::number(static_cast<std::int64_t>(count));
}

FunctionResult index(const Arguments& arguments) {
  const Value& collection = arguments[0];
  const Value& key = arguments[1];
  if (collection.kind() == Kind::map) {
    if (key.kind() != Kind::string) return function_error("key for map must be string");
    const auto found = collection.as_map().find(key.as_string());
    return found == collection.as_map().end() ? FunctionResult(function_error("invalid index")) : found->second;
  }
  if (collection.kind() != Kind::list && collection.kind() != Kind::tuple) return function_error(wrong_collection);
  const char* what = collection.kind() == Kind::list ? "list" : "tuple";
  if (key.kind() != Kind::number) return function_error(fmt::format("key for {} must be number", what));
  const auto position = key.as_number().to_uint64();
  const std::size_t size = collection.as_list().size();
  if (!position || *position >= size) {
    if (collection.kind() == Kind::list) return function_error("invalid index");
    if (const auto number = whole(key); !number) return function_error("invalid key for tuple: " + number.error().message);
    return function_error(fmt::format("key must be between 0 and {} inclusive", size));
  }
  return collection.as_list()[*position];
}

// Something of any type, which the functions below must not look into.
bool untyped(const Value& value) { return value.type().is_dynamic() && !value.is_null(); }

FunctionResult keys(const Arguments& arguments) {
  if (untyped(arguments[0])) return Value();
  if (!arguments[0].is_mapping()) return function_error("must have map or object type", 0);
  if (!arguments[0].is_known()) return arguments[0].kind() == Kind::map ? Value::unknown(Type::list(Type::string())) : Value();
  Value::List out;
  for (const auto& [name, value] : arguments[0].as_map()) out.push_back(Value::string(name));
  return arguments[0].kind() == Kind::map ? Value::list(Type::string(), std::move(out)) : Value::tuple(std::move(out));
}

FunctionResult values(const Arguments& arguments) {
  if (untyped(arguments[0])) return Value();
  if (!arguments[0].is_mapping()) return function_error("values() requires a map as the first argument");
  if (!arguments[0].is_known()) return arguments[0].kind() == Kind::map ? Value::unknown(Type::list(arguments[0].type().element())) : Value();
  Value::List out;
  for (const auto& [name, value] : arguments[0].as_map()) out.push_back(value);
  return arguments[0].kind() == Kind::map ? Value::list(arguments[0].type().element(), std::move(out)) : Value::tuple(std::move(out));
}

FunctionResult lookup(const Arguments& arguments) {
  if (untyped(arguments[0])) return Value();
  if (!arguments[0].is_mapping()) return function_error("lookup() requires a map as the first argument", 0);
  if (std::any_of(arguments.begin(), arguments.end(), [](const Value& argument) { return !argument.is_known(); })) return Value();
  const auto found = arguments[0].as_map().find(arguments[1].as_string());
  if (found != arguments[0].as_map().end()) return found->second;
  if (arguments[0].kind() == Kind::object) return arguments[2];
  const auto standard = convert(arguments[2], arguments[0].type().element());
  if (!standard) return function_error("the default value must have the same type as the map elements", 2);
  return *standard;
}

FunctionResult merged(const Arguments& arguments) {
  Value::Map out;
  // A null counts by its type; one without a type makes an object of the whole, and ends the check of those behind it.
  bool no_type = false;
  bool one_map = !arguments.empty();
  for (const Value& argument : arguments) {
    no_type = no_type || argument.type().is_dynamic();
    if (!argument.is_mapping() && !no_type) {
      return function_error(fmt::format("arguments must be maps or objects, got {}", quote(argument.type().friendly_name())));
    }
    one_map = one_map && argument.kind() == Kind::map && argument.type() == arguments[0].type();
  }
  if (std::any_of(arguments.begin(), arguments.end(), [](const Value& argument) { return !argument.is_known(); })) return Value();
  for (const Value& argument : arguments) {
    if (argument.is_null()) continue;
    if (!argument.is_mapping()) return function_error(fmt::format("arguments must be maps or objects, got {}", quote(argument.type().friendly_name())));
    for (const auto& [name, value] : argument.as_map()) out.insert_or_assign(name, value);
  }
  return one_map ? Value::map(arguments[0].type().element(), std::move(out)) : Value::object(std::move(out));
}

FunctionResult zipped(const Arguments& arguments) {
  if (untyped(arguments[1])) return Value();
  if (arguments[1].kind() != Kind::list && arguments[1].kind() != Kind::tuple) return function_error("values argument must be a list or tuple value");
  if (!arguments[0].is_wholly_known() || !arguments[1].is_known()) return arguments[1].kind() == Kind::list ? Value::unknown(Type::map(arguments[1].type().element())) : Value();
  const auto& names = arguments[0].as_list();
  const auto& items = arguments[1].as_list();
  if (names.size() != items.size()) {
    return function_error(fmt::format("number of keys ({}) does not match number of values ({})", names.size(), items.size()));
  }
  Value::Map out;
  for (std::size_t i = 0; i < names.size(); i++) {
    if (names[i].is_null()) return function_error(fmt::format("keys list has null value at index {}", i));
    out.insert_or_assign(names[i].as_string(), items[i]);
  }
  return arguments[1].kind() == Kind::list ? Value::map(arguments[1].type().element(), std::move(out)) : Value::object(std::move(out));
}

}  // namespace

void add_map_functions(FunctionTable& table) {
  table["length"] = function({any("collection")}, length);
  table["index"] = function({any("collection"), any("key")}, index);
  table["keys"] = function({typed(any("inputMap"))}, keys);
  table["values"] = function({typed(any("mapping"))}, values);
  table["lookup"] = function({typed(any("inputMap")), typed(text("key")), typed(any("default"))}, lookup);
  table["merge"] = variadic({}, nullable(typed(any("maps"))), merged);
  table["zipmap"] = function({typed({"keys", Type::list(Type::string())}), typed(any("values"))}, zipped);
}

}  // namespace drover::hcl
