#include "sdk/plugin/schema_json.h"

#include <nlohmann/json.hpp>

namespace drover::plugin {
namespace {
using json = nlohmann::json;
// A little more than check_schema() accepts, which says what is wrong.
constexpr int max_depth = 40;

json encode(const Spec& spec);

struct Encoder {
  json operator()(const ObjectSpec& kind) const {
    json attributes = json::object();
    for (const auto& [key, child] : kind.attributes) attributes[key] = encode(child);
    return {{"object", {{"attributes", std::move(attributes)}}}};
  }
  json operator()(const ArraySpec& kind) const {
    json values = json::array();
    for (const Spec& child : kind.values) values.push_back(encode(child));
    return {{"array", {{"values", std::move(values)}}}};
  }
  json operator()(const AttrSpec& kind) const { return {{"attr", {{"name", kind.name}, {"type", kind.type}, {"required", kind.required}}}}; }
  json operator()(const BlockSpec& kind) const { return {{"block_value", {{"name", kind.name}, {"required", kind.required}, {"nested", encode(kind.nested)}}}}; }
  json operator()(const BlockAttrsSpec& kind) const { return {{"block_attrs", {{"name", kind.name}, {"type", kind.type}, {"required", kind.required}}}}; }
  json operator()(const BlockListSpec& kind) const { return {{"block_list", items(kind)}}; }
  json operator()(const BlockSetSpec& kind) const { return {{"block_set", items(kind)}}; }
  json operator()(const BlockMapSpec& kind) const { return {{"block_map", {{"name", kind.name}, {"labels", kind.labels}, {"nested", encode(kind.nested)}}}}; }
  json operator()(const DefaultSpec& kind) const { return {{"default", {{"primary", encode(kind.primary)}, {"default", encode(kind.fallback)}}}}; }
  json operator()(const LiteralSpec& kind) const { return {{"literal", {{"value", kind.value}}}}; }

 private:
  template <class Items>
  static json items(const Items& kind) {
    return {{"name", kind.name}, {"min_items", kind.min_items}, {"max_items", kind.max_items}, {"nested", encode(kind.nested)}};
  }
};

json encode(const Spec& spec) { return spec ? std::visit(Encoder{}, spec.node().kind) : json(nullptr); }

// Members of an object that may be absent or of another type.
std::string text(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}
bool flag(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_boolean() && found->get<bool>();
}
std::uint64_t number(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

Result<Spec> decode(const json& document, int depth);

Result<Spec> nested(const json& object, const char* name, int depth) {
  const auto found = object.find(name);
  if (found == object.end()) return fail(Code::invalid_argument, "a schema without \"{}\"", name);
  return decode(*found, depth + 1);
}

Result<Spec> decode_kind(const std::string& kind, const json& body, int depth) {
  if (kind == "attr") return attr(text(body, "name"), text(body, "type"), flag(body, "required"));
  if (kind == "block_attrs") return block_attrs(text(body, "name"), text(body, "type"), flag(body, "required"));
  if (kind == "literal") return literal(text(body, "value"));
  if (kind == "object") {
    std::map<std::string, Spec> attributes;
    const auto found = body.find("attributes");
    if (found != body.end() && !found->is_object()) return fail(Code::invalid_argument, "the attributes of a schema are no object");
    if (found != body.end()) {
      for (const auto& [key, child] : found->items()) {
        auto spec = decode(child, depth + 1);
        if (!spec) return fail(spec.error(), "\"{}\"", key);
        attributes.emplace(key, std::move(*spec));
      }
    }
    return object(std::move(attributes));
  }
  if (kind == "array") {
    std::vector<Spec> values;
    const auto found = body.find("values");
    if (found != body.end() && found->is_array()) {
      for (const json& child : *found) {
        auto spec = decode(child, depth + 1);
        if (!spec) return spec;
        values.push_back(std::move(*spec));
      }
    }
    return array(std::move(values));
  }
  if (kind == "default") {
    auto primary = nested(body, "primary", depth);
    if (!primary) return primary;
    auto fallback = nested(body, "default", depth);
    if (!fallback) return fallback;
    return default_spec(std::move(*primary), std::move(*fallback));
  }
  if (kind != "block_value" && kind != "block_list" && kind != "block_set" && kind != "block_map") {
    return fail(Code::invalid_argument, "a schema of the unknown kind \"{}\"", kind);
  }
  auto inner = nested(body, "nested", depth);
  if (!inner) return inner;
  if (kind == "block_value") return block(text(body, "name"), std::move(*inner), flag(body, "required"));
  if (kind == "block_list") return block_list(text(body, "name"), std::move(*inner), number(body, "min_items"), number(body, "max_items"));
  if (kind == "block_set") return block_set(text(body, "name"), std::move(*inner), number(body, "min_items"), number(body, "max_items"));
  std::vector<std::string> labels;
  if (const auto found = body.find("labels"); found != body.end() && found->is_array()) {
    for (const json& label : *found) {
      if (label.is_string()) labels.push_back(label.get<std::string>());
    }
  }
  return block_map(text(body, "name"), std::move(labels), std::move(*inner));
}

Result<Spec> decode(const json& document, int depth) {
  if (depth > max_depth) return fail(Code::invalid_argument, "the schema is nested too deeply");
  if (!document.is_object() || document.size() != 1 || !document.begin()->is_object()) {
    return fail(Code::invalid_argument, "a schema is an object with one member that names its kind");
  }
  return decode_kind(document.begin().key(), *document.begin(), depth);
}
}  // namespace

json schema_to_json(const Spec& spec) { return encode(spec); }

Result<Spec> schema_from_json(const json& document) {
  if (document.is_null()) return Spec();
  auto out = decode(document, 0);
  if (!out) return out;
  DROVER_TRY(check_schema(*out));
  return out;
}

}  // namespace drover::plugin
