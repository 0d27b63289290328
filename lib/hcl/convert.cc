#include "lib/hcl/convert.h"

#include <fmt/format.h>

#include <algorithm>

#include "sdk/base/text.h"

namespace drover::hcl {

namespace {

using Converted = tl::expected<Value, std::string>;

std::vector<Type> types_of(const std::map<std::string, Type, std::less<>>& attributes) {
  std::vector<Type> out;
  out.reserve(attributes.size());
  for (const auto& [name, type] : attributes) out.push_back(type);
  return out;
}

Converted convert_primitive(const Value& value, const Type& type) {
  const Kind from = value.kind();
  if (type.kind() == Kind::string) {
    if (from == Kind::number) return Value::string(value.as_number().str());
    if (from == Kind::boolean) return Value::string(value.as_bool() ? "true" : "false");
  }
  if (from == Kind::string) {
    const std::string& text = value.as_string();
    if (type.kind() == Kind::number) {
      if (auto number = Number::parse(text)) return Value::number(*number);
      return tl::unexpected(std::string("a number is required"));
    }
    if (type.kind() == Kind::boolean) {
      if (text == "true" || text == "1") return Value::boolean(true);
      if (text == "false" || text == "0") return Value::boolean(false);
      const std::string lower = to_lower(text);
      if (lower == "true" || lower == "false") return tl::unexpected(fmt::format("a bool is required; to convert from string, use lowercase \"{}\"", lower));
      return tl::unexpected(std::string("a bool is required"));
    }
  }
  return tl::unexpected(mismatch(value.type(), type));
}

tl::expected<Value::List, std::string> convert_elements(const Value& value, const Type& element) {
  Value::List out;
  out.reserve(value.as_list().size());
  for (const Value& item : value.as_list()) {
    auto converted = convert(item, element);
    if (!converted) return tl::unexpected(converted.error());
    out.push_back(std::move(*converted));
  }
  return out;
}

tl::expected<Value::Map, std::string> convert_attributes(const Value& value, const Type& element) {
  Value::Map out;
  for (const auto& [name, item] : value.as_map()) {
    auto converted = convert(item, element);
    if (!converted) return tl::unexpected(converted.error());
    out.emplace_hint(out.end(), name, std::move(*converted));
  }
  return out;
}

// The type that a tuple's elements have in common. When only some are of dynamic type there is none.
std::optional<Type> common_element(const std::vector<Type>& types) {
  auto common = unify(types);
  const bool mixed = common && common->is_dynamic() && std::any_of(types.begin(), types.end(), [](const Type& type) { return !type.is_dynamic(); });
  return mixed ? std::nullopt : common;
}

// `to` with what `from` has in the places where `to` allows anything. The two are known to fit.
Type replace_dynamic(const Type& from, const Type& to) {
  if (from.is_dynamic()) return to;
  const auto element = [&]() -> Type {
    if (from.is_collection()) return replace_dynamic(from.element(), to.element());
    const std::vector<Type> inner = from.kind() == Kind::tuple ? from.elements() : types_of(from.attributes());
    const auto common = unify(inner);
    return common ? replace_dynamic(*common, to.element()) : to.element();
  };
  switch (to.kind()) {
    case Kind::dynamic: return from;
    case Kind::list: return Type::list(element());
    case Kind::set: return Type::set(element());
    case Kind::map: return Type::map(element());
    case Kind::tuple: {
      std::vector<Type> elements;
      for (std::size_t i = 0; i < to.elements().size(); i++) elements.push_back(replace_dynamic(from.elements()[i], to.elements()[i]));
      return Type::tuple(std::move(elements));
    }
    case Kind::object: {
      std::map<std::string, Type, std::less<>> attributes;
      for (const auto& [name, type] : to.attributes()) {
        if (from.kind() == Kind::map) attributes[name] = replace_dynamic(from.element(), type);
        else attributes[name] = replace_dynamic(from.attributes().find(name)->second, type);
      }
      return Type::object(std::move(attributes));
    }
    default: return to;
  }
}

Converted convert_to_sequence(const Value& value, const Type& type) {
  const Type element = replace_dynamic(value.type(), type).element();
  auto elements = convert_elements(value, element);
  if (!elements) return tl::unexpected(elements.error());
  return type.kind() == Kind::list ? Value::list(element, std::move(*elements)) : Value::set(element, std::move(*elements));
}

// The one type that the values with a type have; dynamic when none has one, nothing when they differ.
std::optional<Type> only_type(const Value::Map& items) {
  Type out;
  for (const auto& [name, item] : items) {
    if (item.type().is_dynamic()) continue;
    if (out.is_dynamic()) out = item.type();
    else if (!(out == item.type())) return std::nullopt;
  }
  return out;
}

Converted convert_to_map(const Value& value, const Type& type) {
  Type element = replace_dynamic(value.type(), type).element();
  if (element.is_dynamic() && value.kind() == Kind::object) {
    const auto common = only_type(value.as_map());
    if (!common) return tl::unexpected(std::string("attribute types must all match for conversion to map"));
    element = *common;
  }
  auto items = convert_attributes(value, element);
  if (!items) return tl::unexpected(items.error());
  return Value::map(element, std::move(*items));
}

Converted convert_to_object(const Value& value, const Type& type) {
  Value::Map out;
  for (const auto& [name, want] : type.attributes()) {
    const auto found = value.as_map().find(name);
    // Of a map only; an object's attributes are known to be there.
    if (found == value.as_map().end()) return tl::unexpected(fmt::format("map has no element for required attribute {}", quote(name)));
    auto converted = convert(found->second, want);
    if (!converted) return tl::unexpected(converted.error());
    out.emplace_hint(out.end(), name, std::move(*converted));
  }
  return Value::object(std::move(out));
}

Converted convert_to_tuple(const Value& value, const Type& type) {
  Value::List out;
  for (std::size_t i = 0; i < type.elements().size(); i++) {
    auto converted = convert(value.as_list()[i], type.elements()[i]);
    if (!converted) return converted;
    out.push_back(std::move(*converted));
  }
  return Value::tuple(std::move(out));
}

}  // namespace

bool convertible(const Type& from, const Type& to) {
  if (to.is_dynamic() || from.is_dynamic() || from == to) return true;
  if (to.is_primitive()) {
    if (!from.is_primitive()) return false;
    return from.kind() == to.kind() || from.kind() == Kind::string || to.kind() == Kind::string;
  }
  const bool from_sequence = from.kind() == Kind::list || from.kind() == Kind::set;
  switch (to.kind()) {
    case Kind::list: case Kind::set:
      if (from_sequence) return convertible(from.element(), to.element());
      if (from.kind() != Kind::tuple) return false;
      if (to.element().is_dynamic()) return from.elements().empty() || common_element(from.elements()).has_value();
      return std::all_of(from.elements().begin(), from.elements().end(), [&](const Type& type) { return convertible(type, to.element()); });
    case Kind::map:
      if (from.kind() == Kind::map) return convertible(from.element(), to.element());
      if (from.kind() != Kind::object) return false;
      if (to.element().is_dynamic()) return from.attributes().empty() || unify(types_of(from.attributes())).has_value();
      return std::all_of(from.attributes().begin(), from.attributes().end(), [&](const auto& entry) { return convertible(entry.second, to.element()); });
    case Kind::object:
      if (from.kind() == Kind::map) {
        return std::all_of(to.attributes().begin(), to.attributes().end(), [&](const auto& entry) { return convertible(from.element(), entry.second); });
      }
      if (from.kind() != Kind::object) return false;
      return std::all_of(to.attributes().begin(), to.attributes().end(), [&](const auto& entry) {
        const auto found = from.attributes().find(entry.first);
        return found != from.attributes().end() && convertible(found->second, entry.second);
      });
    case Kind::tuple:
      return from.kind() == Kind::tuple && from.elements().size() == to.elements().size() &&
             std::equal(from.elements().begin(), from.elements().end(), to.elements().begin(), convertible);
    default: return false;
  }
}

Converted convert(const Value& value, const Type& type) {
  const Type& from = value.type();
  if (type.is_dynamic() || (from == type && !type.has_dynamic())) return value;
  if (from.is_dynamic()) return value.is_null() ? Value::null(type) : Value::unknown(type);
  if (!convertible(from, type)) return tl::unexpected(mismatch(from, type));
  if (value.is_null()) return Value::null(replace_dynamic(from, type));
  if (!value.is_known()) return Value::unknown(replace_dynamic(from, type));
  switch (type.kind()) {
    case Kind::list: case Kind::set: return convert_to_sequence(value, type);
    case Kind::map: return convert_to_map(value, type);
    case Kind::object: return convert_to_object(value, type);
    case Kind::tuple: return convert_to_tuple(value, type);
    default: return from.kind() == type.kind() ? Converted(value) : convert_primitive(value, type);
  }
}

}  // namespace drover::hcl
