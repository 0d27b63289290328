#include "sdk/plugin/type.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

namespace drover::plugin {
namespace {
using json = nlohmann::json;
using Kind = Type::Kind;

class TypeParser {
 public:
  explicit TypeParser(std::string_view text) : text_(text) {}
  Result<Type> parse_all() {
    auto type = parse(0);
    if (!type) return type;
    skip_space();
    if (at_ != text_.size()) return bad();
    return type;
  }

 private:
  Unexpected bad() const { return fail(Code::invalid_argument, "\"{}\" is not a type expression", text_); }
  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) ++at_;
  }
  bool eat(char c) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  std::string word() {
    skip_space();
    const std::size_t from = at_;
    while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) || text_[at_] == '_' || text_[at_] == '-')) ++at_;
    return std::string(text_.substr(from, at_ - from));
  }
  Result<Type> parse(int depth) {
    if (depth > 32) return bad();
    const std::string name = word();
    if (name == "string") return Type{Kind::string, {}, {}};
    if (name == "number") return Type{Kind::number, {}, {}};
    if (name == "bool") return Type{Kind::boolean, {}, {}};
    if (name == "any") return Type{Kind::any, {}, {}};
    if (name == "list" || name == "set" || name == "map") {
      if (!eat('(')) return bad();
      auto element = parse(depth + 1);
      if (!element) return element;
      if (!eat(')')) return bad();
      Type out{name == "list" ? Kind::list : name == "set" ? Kind::set : Kind::map, {}, {}};
      out.elements.push_back(std::move(*element));
      return out;
    }
    if (name == "tuple") return parse_tuple(depth);
    if (name == "object") return parse_object(depth);
    return bad();
  }
  Result<Type> parse_tuple(int depth) {
    Type out{Kind::tuple, {}, {}};
    if (!eat('(') || !eat('[')) return bad();
    while (!eat(']')) {
      auto element = parse(depth + 1);
      if (!element) return element;
      out.elements.push_back(std::move(*element));
      if (!eat(',')) {
        if (!eat(']')) return bad();
        break;
      }
    }
    if (!eat(')')) return bad();
    return out;
  }
  Result<Type> parse_object(int depth) {
    Type out{Kind::object, {}, {}};
    if (!eat('(') || !eat('{')) return bad();
    while (!eat('}')) {
      const bool quoted = eat('"');
      const std::string key = word();
      if (key.empty() || (quoted && !eat('"')) || !(eat('=') || eat(':'))) return bad();
      auto value = parse(depth + 1);
      if (!value) return value;
      out.attributes.emplace(key, std::move(*value));
      eat(',');
    }
    if (!eat(')')) return bad();
    return out;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

const char* name_of(const json& value) {
  switch (value.type()) {
    case json::value_t::string: return "string";
    case json::value_t::boolean: return "bool";
    case json::value_t::array: return "tuple";
    case json::value_t::object: return "object";
    default: return "number";
  }
}

Unexpected required(const Type& type, const json& value) {
  const bool says_more = value.is_primitive() || type.kind == Kind::object;
  if (says_more) return fail(Code::invalid_argument, "{} required, but have {}.", describe(type), name_of(value));
  return fail(Code::invalid_argument, "{} required.", describe(type));
}

void sort_unique(json& array) {
  std::sort(array.begin(), array.end());
  array.erase(std::unique(array.begin(), array.end()), array.end());
}

Result<json> convert_elements(const json& value, const Type& type) {
  const bool tuple = type.kind == Kind::tuple;
  if (!value.is_array() || (tuple && value.size() != type.elements.size())) return required(type, value);
  json out = json::array();
  for (std::size_t i = 0; i < value.size(); ++i) {
    auto element = convert(value[i], type.elements[tuple ? i : 0]);
    // A wrong scalar in a list is told with its place, a wrong shape as the whole.
    if (!element) {
      if (value[i].is_primitive()) return fail(element.error(), "element {}", i);
      return required(type, value);
    }
    out.push_back(std::move(*element));
  }
  if (type.kind == Kind::set) sort_unique(out);
  return out;
}

Result<json> convert_map(const json& value, const Type& type) {
  if (!value.is_object()) return required(type, value);
  json out = json::object();
  for (const auto& [key, item] : value.items()) {
    auto element = convert(item, type.elements[0]);
    if (!element) return fail(element.error(), "element \"{}\"", key);
    out[key] = std::move(*element);
  }
  return out;
}

Result<json> convert_object(const json& value, const Type& type) {
  if (!value.is_object()) return required(type, value);
  json out = json::object();
  for (const auto& [key, wanted] : type.attributes) {
    const auto found = value.find(key);
    if (found == value.end()) return fail(Code::invalid_argument, "attribute \"{}\" is required.", key);
    auto element = convert(*found, wanted);
    if (!element) return fail(element.error(), "attribute \"{}\"", key);
    out[key] = std::move(*element);
  }
  return out;
}
}  // namespace

Result<Type> parse_type(std::string_view text) { return TypeParser(text).parse_all(); }

std::string describe(const Type& type) {
  switch (type.kind) {
    case Kind::string: return "string";
    case Kind::number: return "number";
    case Kind::boolean: return "bool";
    case Kind::any: return "any";
    case Kind::list: return "list of " + describe(type.elements[0]);
    case Kind::set: return "set of " + describe(type.elements[0]);
    case Kind::map: return "map of " + describe(type.elements[0]);
    case Kind::object: return "object";
    case Kind::tuple: return "tuple";
  }
  return "any";
}

std::string number_text(const json& number) {
  if (number.is_number_unsigned()) return std::to_string(number.get<std::uint64_t>());
  if (number.is_number_integer()) return std::to_string(number.get<std::int64_t>());
  const double value = number.get<double>();
  if (std::trunc(value) == value && std::abs(value) < 1e21) return fmt::format("{:.0f}", value);
  // The shortest digits that name this number, written out: 1e+30 is a one and thirty zeros.
  std::string text = fmt::format("{}", value);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  const std::size_t e = text.find('e');
  if (e == std::string::npos) return text;
  const int exponent = std::atoi(text.c_str() + e + 1);
  const std::string sign = text.front() == '-' ? "-" : "";
  std::string digits = text.substr(sign.size(), e - sign.size());
  const std::size_t dot = std::min(digits.find('.'), digits.size());
  if (dot < digits.size()) digits.erase(dot, 1);
  const int point = static_cast<int>(dot) + exponent;
  if (point <= 0) return sign + "0." + std::string(static_cast<std::size_t>(-point), '0') + digits;
  const auto whole = static_cast<std::size_t>(point);
  if (digits.size() <= whole) return sign + digits + std::string(whole - digits.size(), '0');
  return sign + digits.substr(0, whole) + "." + digits.substr(whole);
}

json make_number(double value) {
  if (std::trunc(value) == value && std::abs(value) < 9.2e18) return static_cast<std::int64_t>(value);
  return value;
}

Result<json> parse_number(std::string_view text) {
  std::int64_t integer = 0;
  const char* end = text.data() + text.size();
  if (const auto [at, error] = std::from_chars(text.data(), end, integer); error == std::errc() && at == end) return json(integer);
  double real = 0;
  const auto [at, error] = std::from_chars(text.data(), end, real);
  if (text.empty() || error != std::errc() || at != end || !std::isfinite(real)) return fail(Code::invalid_argument, "a number is required.");
  return make_number(real);
}

Result<json> convert(const json& value, const Type& type) {
  if (value.is_null()) return value;
  switch (type.kind) {
    case Kind::any: return value;
    case Kind::string:
      if (value.is_string()) return value;
      if (value.is_boolean()) return json(value.get<bool>() ? "true" : "false");
      if (value.is_number()) return json(number_text(value));
      return required(type, value);
    case Kind::number:
      if (value.is_number_float()) return make_number(value.get<double>());
      if (value.is_number()) return value;
      if (value.is_string()) return parse_number(value.get_ref<const std::string&>());
      return required(type, value);
    case Kind::boolean: {
      if (value.is_boolean()) return value;
      if (!value.is_string()) return required(type, value);
      const auto& text = value.get_ref<const std::string&>();
      if (text == "true" || text == "1") return json(true);
      if (text == "false" || text == "0") return json(false);
      return fail(Code::invalid_argument, "a bool is required.");
    }
    case Kind::list: case Kind::set: case Kind::tuple: return convert_elements(value, type);
    case Kind::map: return convert_map(value, type);
    case Kind::object: return convert_object(value, type);
  }
  return value;
}

}  // namespace drover::plugin
