#include "lib/hcl/value.h"

#include <algorithm>

#include "lib/hcl/unicode.h"
#include "sdk/base/error.h"

namespace drover::hcl {

struct Type::Detail {
  std::vector<Type> elements;
  std::map<std::string, Type, std::less<>> attributes;
};

namespace {
const std::vector<Type> no_types;
const std::map<std::string, Type, std::less<>> no_attributes;
}  // namespace

Type Type::list(Type element) {
  Type type(Kind::list);
  type.detail_ = std::make_shared<const Detail>(Detail{{std::move(element)}, {}});
  return type;
}
Type Type::set(Type element) {
  Type type = list(std::move(element));
  type.kind_ = Kind::set;
  return type;
}
Type Type::map(Type element) {
  Type type = list(std::move(element));
  type.kind_ = Kind::map;
  return type;
}
Type Type::tuple(std::vector<Type> elements) {
  Type type(Kind::tuple);
  type.detail_ = std::make_shared<const Detail>(Detail{std::move(elements), {}});
  return type;
}
Type Type::object(std::map<std::string, Type, std::less<>> attributes) {
  Type type(Kind::object);
  type.detail_ = std::make_shared<const Detail>(Detail{{}, std::move(attributes)});
  return type;
}

const Type& Type::element() const {
  DROVER_CHECK(detail_ && !detail_->elements.empty());
  return detail_->elements.front();
}
const std::vector<Type>& Type::elements() const { return detail_ ? detail_->elements : no_types; }
const std::map<std::string, Type, std::less<>>& Type::attributes() const { return detail_ ? detail_->attributes : no_attributes; }

bool Type::has_dynamic() const {
  if (is_dynamic()) return true;
  if (!detail_) return false;
  return std::any_of(detail_->elements.begin(), detail_->elements.end(), [](const Type& t) { return t.has_dynamic(); }) ||
         std::any_of(detail_->attributes.begin(), detail_->attributes.end(), [](const auto& entry) { return entry.second.has_dynamic(); });
}

std::string Type::friendly_name() const {
  switch (kind_) {
    case Kind::dynamic: return "dynamic";
    case Kind::string: return "string";
    case Kind::number: return "number";
    case Kind::boolean: return "bool";
    case Kind::list: return "list of " + element().friendly_name();
    case Kind::set: return "set of " + element().friendly_name();
    case Kind::map: return "map of " + element().friendly_name();
    case Kind::tuple: return "tuple";
    case Kind::object: return "object";
  }
  return {};
}

std::string Type::constraint_name() const {
  if (is_dynamic()) return "any type";
  if (!is_collection()) return friendly_name();
  const std::string inner = element().is_dynamic() ? "any single type" : element().constraint_name();
  return std::string(kind_ == Kind::list ? "list of " : kind_ == Kind::set ? "set of " : "map of ") + inner;
}

bool operator==(const Type& a, const Type& b) {
  if (a.kind_ != b.kind_) return false;
  if (a.detail_ == b.detail_) return true;
  if (!a.detail_ || !b.detail_) return a.elements().empty() == b.elements().empty() && a.attributes().empty() && b.attributes().empty();
  return a.detail_->elements == b.detail_->elements && a.detail_->attributes == b.detail_->attributes;
}

Value Value::string(std::string text) { return Value(Type::string(), std::make_shared<const std::string>(normalize_nfc(text))); }

Value Value::tuple(List elements) {
  std::vector<Type> types;
  types.reserve(elements.size());
  for (const Value& element : elements) types.push_back(element.type());
  return Value(Type::tuple(std::move(types)), std::make_shared<const List>(std::move(elements)));
}

Value Value::object(Map attributes) {
  std::map<std::string, Type, std::less<>> types;
  for (const auto& [name, value] : attributes) types.emplace_hint(types.end(), name, value.type());
  return Value(Type::object(std::move(types)), std::make_shared<const Map>(std::move(attributes)));
}

Value Value::list(Type element, List elements) {
  return Value(Type::list(std::move(element)), std::make_shared<const List>(std::move(elements)));
}

Value Value::set(Type element, List elements) {
  std::sort(elements.begin(), elements.end(), [](const Value& a, const Value& b) { return compare(a, b) < 0; });
  elements.erase(std::unique(elements.begin(), elements.end(), [](const Value& a, const Value& b) { return compare(a, b) == 0; }),
                 elements.end());
  return Value(Type::set(std::move(element)), std::make_shared<const List>(std::move(elements)));
}

Value Value::map(Type element, Map elements) {
  return Value(Type::map(std::move(element)), std::make_shared<const Map>(std::move(elements)));
}

bool Value::is_wholly_known() const {
  if (!is_known()) return false;
  if (is_null()) return true;
  if (is_sequence()) {
    return std::all_of(as_list().begin(), as_list().end(), [](const Value& v) { return v.is_wholly_known(); });
  }
  if (is_mapping()) {
    return std::all_of(as_map().begin(), as_map().end(), [](const auto& entry) { return entry.second.is_wholly_known(); });
  }
  return true;
}

int compare(const Value& a, const Value& b) {
  const auto order = [](auto x, auto y) { return x < y ? -1 : y < x ? 1 : 0; };
  if (a.is_known() != b.is_known()) return a.is_known() ? -1 : 1;
  if (!a.is_known()) return 0;
  // Nulls sort last.
  if (a.is_null() != b.is_null()) return a.is_null() ? 1 : -1;
  if (a.is_null()) return 0;
  if (a.data_.index() != b.data_.index()) return order(a.data_.index(), b.data_.index());
  if (std::holds_alternative<bool>(a.data_)) return order(a.as_bool(), b.as_bool());
  if (std::holds_alternative<Number>(a.data_)) return a.as_number() == b.as_number() ? 0 : a.as_number() < b.as_number() ? -1 : 1;
  if (a.kind() == Kind::string) return a.as_string().compare(b.as_string());
  if (a.is_sequence()) {
    const auto& x = a.as_list();
    const auto& y = b.as_list();
    for (std::size_t i = 0; i < x.size() && i < y.size(); i++) {
      if (const int result = compare(x[i], y[i]); result != 0) return result;
    }
    return order(x.size(), y.size());
  }
  auto x = a.as_map().begin();
  auto y = b.as_map().begin();
  for (; x != a.as_map().end() && y != b.as_map().end(); ++x, ++y) {
    if (const int result = x->first.compare(y->first); result != 0) return result;
    if (const int result = compare(x->second, y->second); result != 0) return result;
  }
  return order(a.as_map().size(), b.as_map().size());
}

}  // namespace drover::hcl
