#include <fmt/format.h>

#include "lib/hcl/convert.h"
#include "lib/jobspec/decode.h"
#include "sdk/base/text.h"

namespace drover::jobspec {

using hcl::Kind;
using hcl::Value;

namespace {

constexpr const char* not_null = "null value is not allowed";
constexpr const char* not_known = "value must be known";

struct Bounds {
  std::int64_t low;
  std::uint64_t high;
  bool inclusive;  // in the message only
};

Bounds bounds_of(Shape shape) {
  switch (shape) {
    case Shape::int8: return {-128, 127, true};
    case Shape::uint8: return {0, 255, true};
    case Shape::uint16: case Shape::uint16_list: return {0, 65535, true};
    case Shape::uint32: return {0, 4294967295, true};
    case Shape::uint64: return {0, 18446744073709551615U, true};
    default: return {INT64_MIN, INT64_MAX, false};
  }
}

tl::expected<Json, std::string> whole_number(const hcl::Number& number, Shape shape) {
  const Bounds bounds = bounds_of(shape);
  if (shape == Shape::uint64) {
    if (const auto value = number.to_uint64()) return Json(*value);
  } else if (const auto value = number.to_int64(); value && *value >= bounds.low && (*value < 0 || static_cast<std::uint64_t>(*value) <= bounds.high)) {
    return Json(*value);
  }
  return tl::unexpected(fmt::format("value must be a whole number, between {} and {}{}", bounds.low, bounds.high, bounds.inclusive ? " inclusive" : ""));
}

// Go's %s of a type structure, which the reference prints where a duration has the wrong type.
std::string raw_type(const hcl::Type& type) {
  switch (type.kind()) {
    case Kind::string: return "{{{} %!s(cty.primitiveTypeKind=83)}}";
    case Kind::number: return "{{{} %!s(cty.primitiveTypeKind=78)}}";
    case Kind::boolean: return "{{{} %!s(cty.primitiveTypeKind=66)}}";
    case Kind::dynamic: return "{{{}}}";
    case Kind::list: case Kind::set: case Kind::map: return fmt::format("{{{{{{}} {}}}}}", raw_type(type.element()));
    case Kind::tuple: {
      std::string out;
      for (const hcl::Type& element : type.elements()) out += (out.empty() ? "" : " ") + raw_type(element);
      return fmt::format("{{{{{{}} [{}]}}}}", out);
    }
    case Kind::object: {
      std::string out;
      for (const auto& [name, attribute] : type.attributes()) out += fmt::format("{}{}:{}", out.empty() ? "" : " ", name, raw_type(attribute));
      return fmt::format("{{{{{{}} map[{}] map[]}}}}", out);
    }
  }
  return {};
}

Json decode_duration(const hcl::Expression& expression, const Value& value, const Field& field, hcl::Diagnostics& diagnostics) {
  const auto fail = [&](const char* summary, std::string detail) {
    diagnostics.add(summary, std::move(detail), expression.start_range());
    return unset_value(field);
  };
  if (value.is_null()) {
    if (field.nullable) return nullptr;
    return fail("Unsuitable value", "Unsuitable duration value: nil");
  }
  if (!value.is_known()) return fail("Unsuitable value type", fmt::format("Unsuitable value: {}", not_known));
  if (value.kind() == Kind::string) {
    const auto parsed = parse_duration(value.as_string());
    if (!parsed) return fail("Unsuitable value type", fmt::format("Unsuitable duration value: {}", parsed.error().message()));
    return parsed->count();
  }
  if (value.kind() == Kind::number) {
    const auto whole = value.as_number().to_int64();
    return whole ? *whole : static_cast<std::int64_t>(value.as_number().to_double());
  }
  return fail("Unsuitable value type", fmt::format("Unsuitable value: expected a string but found {}", raw_type(value.type())));
}

hcl::Type type_of(Shape shape) {
  using hcl::Type;
  switch (shape) {
    case Shape::text: return Type::string();
    case Shape::boolean: return Type::boolean();
    case Shape::text_list: return Type::list(Type::string());
    case Shape::uint16_list: return Type::list(Type::number());
    case Shape::text_map: return Type::map(Type::string());
    case Shape::text_list_map: return Type::map(Type::list(Type::string()));
    default: return Type::number();
  }
}

tl::expected<Json, std::string> to_json(const Value& value, Shape shape) {
  if (!value.is_known()) return tl::unexpected(std::string(not_known));
  switch (value.kind()) {
    case Kind::string: return Json(value.as_string());
    case Kind::boolean: return Json(value.as_bool());
    case Kind::number: return whole_number(value.as_number(), shape);
    case Kind::list: {
      Json out = Json::array();
      for (const Value& item : value.as_list()) {
        if (item.is_null()) return tl::unexpected(std::string(not_null));
        auto element = to_json(item, shape);
        if (!element) return element;
        out.push_back(std::move(*element));
      }
      return out;
    }
    case Kind::map: {
      Json out = Json::object();
      for (const auto& [name, item] : value.as_map()) {
        if (item.is_null()) return tl::unexpected(std::string(not_null));
        auto element = to_json(item, shape);
        if (!element) return element;
        out[name] = std::move(*element);
      }
      return out;
    }
    default: return tl::unexpected(std::string(not_known));
  }
}

}  // namespace

Json unset_value(const Field& field) {
  if (field.preset != nullptr) return Json::parse(field.preset);
  if (field.nullable) return nullptr;
  switch (field.shape) {
    case Shape::text: return "";
    case Shape::boolean: return false;
    case Shape::integer: case Shape::int8: case Shape::uint8: case Shape::uint16: case Shape::uint32: case Shape::uint64: case Shape::duration: return 0;
    default: return nullptr;
  }
}

Json decode_value(const hcl::Expression& expression, const Field& field, const hcl::EvalContext& context, hcl::Diagnostics& diagnostics) {
  const Value value = hcl::evaluate(expression, context, diagnostics);
  if (field.shape == Shape::duration) return decode_duration(expression, value, field, diagnostics);
  const auto fail = [&](const std::string& why) {
    diagnostics.add("Unsuitable value type", fmt::format("Unsuitable value: {}", why), expression.start_range());
    return unset_value(field);
  };
  const auto converted = hcl::convert(value, type_of(field.shape));
  if (!converted) return fail(converted.error());
  if (converted->is_null()) {
    if (field.nullable || field.preset != nullptr) return unset_value(field);
    return fail(not_null);
  }
  auto json = to_json(*converted, field.shape);
  return json ? *json : fail(json.error());
}

namespace {

// A value without a field to fit: numbers stay whole when they can; an object that is not an element of a list becomes a list of one.
tl::expected<Json, std::string> free_value(const Value& value, bool in_list) {
  if (!value.is_known()) return tl::unexpected(std::string(not_known));
  if (value.is_null()) return Json(nullptr);
  switch (value.kind()) {
    case Kind::string: return Json(value.as_string());
    case Kind::boolean: return Json(value.as_bool());
    case Kind::number:
      if (const auto whole = value.as_number().to_int64()) return Json(*whole);
      return Json(value.as_number().to_double());
    case Kind::list: case Kind::set: case Kind::tuple: {
      Json out = Json::array();
      for (const Value& item : value.as_list()) {
        auto element = free_value(item, true);
        if (!element) return element;
        out.push_back(std::move(*element));
      }
      return out;
    }
    case Kind::map: case Kind::object: {
      Json out = Json::object();
      for (const auto& [name, item] : value.as_map()) {
        auto element = free_value(item, false);
        if (!element) return element;
        out[name] = std::move(*element);
      }
      if (in_list || value.kind() == Kind::map) return out;
      return Json::array({std::move(out)});
    }
    case Kind::dynamic: break;
  }
  return tl::unexpected(std::string(not_known));
}

// How many labels a dynamic block gives to what it makes.
std::size_t dynamic_labels(const hcl::NativeBlock& block) {
  for (const hcl::NativeAttribute& attribute : block.body->attributes) {
    if (attribute.name != "labels") continue;
    const auto* tuple = attribute.expression->as<hcl::TupleExpr>();
    return tuple == nullptr ? 0 : tuple->elements.size();
  }
  return 0;
}

void add_free_block(Json& out, const std::string& type, const std::vector<std::string>& labels, const hcl::Body& body, const hcl::EvalContext& context,
                    hcl::Diagnostics& diagnostics) {
  Json content = decode_free_body(body, context, diagnostics);
  for (auto label = labels.rbegin(); label != labels.rend(); ++label) content = Json{{*label, Json::array({std::move(content)})}};
  if (!out.contains(type) || !out[type].is_array()) out[type] = Json::array();
  out[type].push_back(std::move(content));
}

}  // namespace

Json decode_free_body(const hcl::Body& body, const hcl::EvalContext& context, hcl::Diagnostics& diagnostics) {
  Json out = Json::object();
  const auto add_attribute = [&](const std::string& name, const hcl::Expression& expression) {
    auto value = free_value(hcl::evaluate(expression, context, diagnostics), false);
    if (value) out[name] = std::move(*value);
    else diagnostics.add("Unsuitable value type", fmt::format("Unsuitable value: {}", value.error()), expression.start_range());
  };
  const hcl::NativeBody* native = body.native();
  if (native == nullptr) {
    for (const hcl::Attribute& attribute : body.attributes(diagnostics)) add_attribute(attribute.name, *attribute.expression);
    return out;
  }
  for (const hcl::NativeAttribute& attribute : native->attributes) add_attribute(attribute.name, *attribute.expression);
  for (const hcl::NativeBlock& block : native->blocks) {
    const auto inner = std::make_shared<hcl::Body>(block.body);
    if (block.type != "dynamic" || block.labels.size() != 1) {
      add_free_block(out, block.type, block.labels, *inner, context, diagnostics);
      continue;
    }
    const hcl::Block dynamic{block.type, block.labels, inner, nullptr, block.type_range, block.header_range(), block.label_ranges};
    const hcl::BlockSchema schema{block.labels[0], std::vector<std::string>(dynamic_labels(block), "name")};
    for (const hcl::Block& made : hcl::expand_dynamic(dynamic, schema, context, diagnostics)) {
      add_free_block(out, made.type, made.labels, *made.body, *made.scope, diagnostics);
    }
  }
  return out;
}

}  // namespace drover::jobspec
