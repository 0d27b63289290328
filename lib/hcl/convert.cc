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

std::string required(const Type& want, const Type& got) {
  return fmt::format("{} required, but have {}", want.friendly_name(), got.friendly_name());
}

std::string mismatch(const Type& got, const Type& want);

std::string missing_attributes(const std::vector<std::string>& names) {
  if (names.size() == 1) return fmt::format("attribute {} is required", quote(names[0]));
  if (names.size() == 2) return fmt::format("attributes {} and {} are required", quote(names[0]), quote(names[1]));
  std::string list;
  for (std::size_t i = 0; i + 1 < names.size(); i++) list += quote(names[i]) + ", ";
  return fmt::format("attributes {}and {} are required", list, quote(names.back()));
}

std::string mismatch_objects(const Type& got, const Type& want) {
  std::vector<std::string> missing;
  std::string first;
  for (const auto& [name, type] : want.attributes()) {
    const auto found = got.attributes().find(name);
    if (found == got.attributes().end()) missing.push_back(name);
    else if (first.empty() && !convertible(found->second, type)) first = fmt::format("attribute {}: {}", quote(name), mismatch(found->second, type));
  }
  if (!missing.empty()) return missing_attributes(missing);
  return first.empty() ? "incorrect object attributes" : first;
}

// Why values of one type do not convert to another.
std::string mismatch(const Type& got, const Type& want) {
  const bool to_sequence = want.kind() == Kind::list || want.kind() == Kind::set;
  if (got.kind() == Kind::object && want.kind() == Kind::object) return mismatch_objects(got, want);
  if (want.is_collection() && want.element().is_dynamic()) {
    if (got.kind() == Kind::tuple && want.kind() == Kind::list) return "all list elements must have the same type";
    if (got.kind() == Kind::tuple && want.kind() == Kind::set) return "all set elements must have the same type";
    if (got.kind() == Kind::object && want.kind() == Kind::map) return "all map elements must have the same type";
  }
  if (got.kind() == Kind::tuple && to_sequence) {
    for (std::size_t i = 0; i < got.elements().size(); i++) {
      if (!convertible(got.elements()[i], want.element())) return fmt::format("element {}: {}", i, mismatch(got.elements()[i], want.element()));
    }
  }
  if (got.kind() == Kind::object && want.kind() == Kind::map) {
    for (const auto& [name, type] : got.attributes()) {
      if (!convertible(type, want.element())) return fmt::format("element {}: {}", quote(name), mismatch(type, want.element()));
    }
  }
  if (got.is_collection() && want.is_collection() && (got.kind() == Kind::map) == (want.kind() == Kind::map)) {
    const char* noun = want.kind() == Kind::list ? "list" : want.kind() == Kind::set ? "set" : "map";
    return fmt::format("incorrect {} element type: {}", noun, mismatch(got.element(), want.element()));
  }
  return required(want, got);
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
  return tl::unexpected(required(type, value.type()));
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

Converted convert_to_sequence(const Value& value, const Type& type) {
  Type element = type.element();
  if (element.is_dynamic()) {
    std::vector<Type> types = value.kind() == Kind::tuple ? value.type().elements() : std::vector<Type>{value.type().element()};
    auto common = types.empty() ? std::optional<Type>(Type::dynamic()) : unify(types);
    if (!common) return tl::unexpected(mismatch(value.type(), type));
    element = *common;
  }
  auto elements = convert_elements(value, element);
  if (!elements) return tl::unexpected(elements.error());
  return type.kind() == Kind::list ? Value::list(element, std::move(*elements)) : Value::set(element, std::move(*elements));
}

Converted convert_to_map(const Value& value, const Type& type) {
  Type element = type.element();
  if (element.is_dynamic()) {
    std::vector<Type> types = value.kind() == Kind::object ? types_of(value.type().attributes()) : std::vector<Type>{value.type().element()};
    auto common = types.empty() ? std::optional<Type>(Type::dynamic()) : unify(types);
    if (!common) return tl::unexpected(mismatch(value.type(), type));
    element = *common;
  }
  auto items = convert_attributes(value, element);
  if (!items) return tl::unexpected(items.error());
  return Value::map(element, std::move(*items));
}

Converted convert_to_object(const Value& value, const Type& type) {
  Value::Map out;
  std::vector<std::string> missing;
  for (const auto& [name, want] : type.attributes()) {
    const auto found = value.as_map().find(name);
    if (found == value.as_map().end()) {
      missing.push_back(name);
      continue;
    }
    auto converted = convert(found->second, want);
    if (!converted) return tl::unexpected(converted.error());
    out.emplace_hint(out.end(), name, std::move(*converted));
  }
  if (!missing.empty()) return tl::unexpected(missing_attributes(missing));
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
      if (to.element().is_dynamic()) return from.elements().empty() || unify(from.elements()).has_value();
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
  if (value.is_null()) return Value::null(type);
  if (!value.is_known()) return Value::unknown(type);
  switch (type.kind()) {
    case Kind::list: case Kind::set: return convert_to_sequence(value, type);
    case Kind::map: return convert_to_map(value, type);
    case Kind::object: return convert_to_object(value, type);
    case Kind::tuple: return convert_to_tuple(value, type);
    default: return from.kind() == type.kind() ? Converted(value) : convert_primitive(value, type);
  }
}

namespace {

std::optional<Type> unify_to_collection(const std::vector<Type>& types, bool objects) {
  std::vector<Type> elements;
  for (const Type& type : types) {
    const std::vector<Type> inner = objects ? types_of(type.attributes()) : type.elements();
    elements.insert(elements.end(), inner.begin(), inner.end());
  }
  auto common = unify(elements);
  if (!common) return std::nullopt;
  return objects ? Type::map(*common) : Type::list(*common);
}

std::optional<Type> unify_objects(const std::vector<Type>& types) {
  const auto& first = types.front().attributes();
  for (const Type& type : types) {
    const bool same = type.attributes().size() == first.size() &&
                      std::all_of(first.begin(), first.end(), [&](const auto& entry) { return type.attributes().contains(entry.first); });
    if (!same) return unify_to_collection(types, true);
  }
  std::map<std::string, Type, std::less<>> attributes;
  for (const auto& [name, unused] : first) {
    std::vector<Type> across;
    for (const Type& type : types) across.push_back(type.attributes().find(name)->second);
    auto common = unify(across);
    if (!common) return std::nullopt;
    attributes.emplace_hint(attributes.end(), name, *common);
  }
  return Type::object(std::move(attributes));
}

std::optional<Type> unify_tuples(const std::vector<Type>& types) {
  const std::size_t size = types.front().elements().size();
  if (std::any_of(types.begin(), types.end(), [&](const Type& type) { return type.elements().size() != size; })) {
    return unify_to_collection(types, false);
  }
  std::vector<Type> elements;
  for (std::size_t i = 0; i < size; i++) {
    std::vector<Type> across;
    for (const Type& type : types) across.push_back(type.elements()[i]);
    auto common = unify(across);
    if (!common) return std::nullopt;
    elements.push_back(*common);
  }
  return Type::tuple(std::move(elements));
}

}  // namespace

std::optional<Type> unify(const std::vector<Type>& types) {
  std::vector<Type> distinct;
  for (const Type& type : types) {
    if (!type.is_dynamic() && std::find(distinct.begin(), distinct.end(), type) == distinct.end()) distinct.push_back(type);
  }
  if (types.empty()) return std::nullopt;
  if (distinct.empty()) return Type::dynamic();
  if (distinct.size() == 1) return distinct.front();
  const auto all = [&](Kind kind) { return std::all_of(distinct.begin(), distinct.end(), [&](const Type& t) { return t.kind() == kind; }); };
  if (all(Kind::object)) return unify_objects(distinct);
  if (all(Kind::tuple)) return unify_tuples(distinct);
  for (const Kind kind : {Kind::list, Kind::set, Kind::map}) {
    if (!all(kind)) continue;
    std::vector<Type> elements;
    for (const Type& type : distinct) elements.push_back(type.element());
    auto common = unify(elements);
    if (!common) return std::nullopt;
    return kind == Kind::list ? Type::list(*common) : kind == Kind::set ? Type::set(*common) : Type::map(*common);
  }
  // A string can hold what numbers and bools say, never surely the other way round: prefer it.
  if (const auto text = std::find(distinct.begin(), distinct.end(), Type::string()); text != distinct.end()) std::iter_swap(distinct.begin(), text);
  const auto safe = [](const Type& from, const Type& to) {
    return convertible(from, to) && !(from.kind() == Kind::string && to.kind() != Kind::string);
  };
  for (const Type& want : distinct) {
    if (std::all_of(distinct.begin(), distinct.end(), [&](const Type& type) { return type == want || safe(type, want); })) return want;
  }
  return std::nullopt;
}

}  // namespace drover::hcl
