#include "sdk/plugin/config.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "sdk/base/text.h"
#include "sdk/plugin/config_body.h"
#include "sdk/plugin/expression.h"
#include "sdk/plugin/type.h"

namespace drover::plugin {
namespace {
using json = nlohmann::json;
constexpr int max_depth = 64;

class Decoder {
 public:
  explicit Decoder(const json& variables) : variables_(variables) {}

  Result<json> decode_body(const Spec& spec, const Body& body) {
    if (++depth_ > max_depth) return fail(Code::invalid_argument, "the configuration is nested too deeply");
    const std::set<std::string> known = known_names(spec);
    for (const auto& [key, value] : body.properties) {
      if (!known.contains(key)) return fail(Code::invalid_argument, "Invalid label: {}", unknown_name(key, known));
    }
    auto out = decode(spec, body, {});
    --depth_;
    return out;
  }

 private:
  Result<json> decode(const Spec& spec, const Body& body, const std::string& implied) {
    return std::visit([&](const auto& kind) { return decode_kind(kind, body, implied); }, spec.node().kind);
  }

  Result<json> decode_kind(const ObjectSpec& kind, const Body& body, const std::string&) {
    json out = json::object();
    for (const auto& [key, child] : kind.attributes) {
      auto value = decode(child, body, key);
      if (!value) return value;
      out[key] = std::move(*value);
    }
    return out;
  }
  Result<json> decode_kind(const ArraySpec& kind, const Body& body, const std::string&) {
    json out = json::array();
    for (const Spec& child : kind.values) {
      auto value = decode(child, body, {});
      if (!value) return value;
      out.push_back(std::move(*value));
    }
    return out;
  }
  Result<json> decode_kind(const AttrSpec& kind, const Body& body, const std::string& implied) {
    const std::string& name = name_or(kind.name, implied);
    const json* given = body.find(name);
    if (given == nullptr) {
      if (!kind.required) return json(nullptr);
      return fail(Code::invalid_argument, "Missing required argument: The argument \"{}\" is required, but no definition was found.", name);
    }
    return converted(name, kind.type, *given);
  }
  Result<json> decode_kind(const BlockSpec& kind, const Body& body, const std::string& implied) {
    const std::string& name = name_or(kind.name, implied);
    const auto blocks = bodies(name, body.find(name));
    if (!blocks) return fail(blocks.error());
    DROVER_TRY(at_most_one(name, blocks->size(), kind.required));
    if (blocks->empty()) return json(nullptr);
    return decode_body(kind.nested, blocks->front());
  }
  Result<json> decode_kind(const BlockAttrsSpec& kind, const Body& body, const std::string& implied) {
    const std::string& name = name_or(kind.name, implied);
    const auto blocks = bodies(name, body.find(name));
    if (!blocks) return fail(blocks.error());
    DROVER_TRY(at_most_one(name, blocks->size(), kind.required));
    if (blocks->empty()) return json(nullptr);
    json out = json::object();
    for (const auto& [key, given] : blocks->front().properties) {
      auto value = converted(key, kind.type, *given);
      if (!value) return value;
      out[key] = std::move(*value);
    }
    return out;
  }
  Result<json> decode_kind(const BlockListSpec& kind, const Body& body, const std::string& implied) {
    return decode_list(name_or(kind.name, implied), kind.min_items, kind.max_items, kind.nested, body);
  }
  Result<json> decode_kind(const BlockSetSpec& kind, const Body& body, const std::string& implied) {
    auto list = decode_list(name_or(kind.name, implied), kind.min_items, kind.max_items, kind.nested, body);
    if (!list) return list;
    std::sort(list->begin(), list->end());
    list->erase(std::unique(list->begin(), list->end()), list->end());
    return list;
  }
  Result<json> decode_list(const std::string& name, std::uint64_t least, std::uint64_t most, const Spec& nested, const Body& body) {
    const auto blocks = bodies(name, body.find(name));
    if (!blocks) return fail(blocks.error());
    if (blocks->size() < least) {
      return fail(Code::invalid_argument, "Insufficient {0} blocks: At least {1} \"{0}\" blocks are required.", name, least);
    }
    if (most != 0 && blocks->size() > most) {
      return fail(Code::invalid_argument, "Too many {0} blocks: No more than {1} \"{0}\" blocks are allowed", name, most);
    }
    json out = json::array();
    for (const Body& block : *blocks) {
      auto value = decode_body(nested, block);
      if (!value) return value;
      out.push_back(std::move(*value));
    }
    return out;
  }
  Result<json> decode_kind(const BlockMapSpec& kind, const Body& body, const std::string& implied) {
    const std::string& name = name_or(kind.name, implied);
    json out = json::object();
    const json* given = body.find(name);
    DROVER_TRY(decode_labels(name, kind, 0, given, out));
    return out;
  }
  Result<> decode_labels(const std::string& name, const BlockMapSpec& kind, std::size_t level, const json* given, json& out) {
    const auto blocks = bodies(name, given);
    if (!blocks) return fail(blocks.error());
    for (const Body& block : *blocks) {
      if (level == kind.labels.size()) {
        if (!out.is_null()) return fail(Code::already_exists, "{}", name);
        auto value = decode_body(kind.nested, block);
        if (!value) return fail(value.error());
        out = std::move(*value);
        continue;
      }
      for (const auto& [label, inner] : block.properties) {
        json& slot = out[label];
        if (slot.is_null() && level + 1 < kind.labels.size()) slot = json::object();
        auto result = decode_labels(name, kind, level + 1, inner, slot);
        if (!result && result.error().code() == Code::already_exists) {
          return fail(Code::invalid_argument, "Duplicate {0} block: A block for {0} \"{1}\" was already defined. The {0} labels must be unique.", name, label);
        }
        DROVER_TRY(std::move(result));
      }
    }
    return {};
  }
  Result<json> decode_kind(const DefaultSpec& kind, const Body& body, const std::string&) {
    auto value = decode(kind.primary, body, {});
    if (!value || !value->is_null()) return value;
    return decode(kind.fallback, body, {});
  }
  Result<json> decode_kind(const LiteralSpec& kind, const Body&, const std::string&) {
    auto value = evaluate_expression(kind.value, json::object());
    if (!value) return fail(value.error(), "evaluating the plugin's default `{}`", kind.value);
    return value;
  }

  static Result<> at_most_one(const std::string& name, std::size_t count, bool required) {
    if (count > 1) return fail(Code::invalid_argument, "Duplicate {0} block: Only one block of type \"{0}\" is allowed.", name);
    if (count == 0 && required) return fail(Code::invalid_argument, "Missing {0} block: A block of type \"{0}\" is required here.", name);
    return {};
  }
  Result<json> converted(const std::string& name, const std::string& type_text, const json& given) {
    auto value = evaluate(given);
    if (!value) return fail(value.error());
    const auto type = parse_type(type_text);
    if (!type) return fail(type.error());
    auto out = convert(*value, *type);
    if (out) return out;
    return fail(Code::invalid_argument, "Incorrect attribute value type: Inappropriate value for attribute \"{}\": {}", name, out.error().message());
  }
  // Strings, and the keys of objects, are templates.
  Result<json> evaluate(const json& given) {
    if (given.is_string()) return evaluate_template(given.get_ref<const std::string&>(), variables_);
    if (given.is_array()) {
      json out = json::array();
      for (const json& item : given) {
        auto value = evaluate(item);
        if (!value) return value;
        out.push_back(std::move(*value));
      }
      return out;
    }
    if (!given.is_object()) return given;
    json out = json::object();
    for (const auto& [key, item] : given.items()) {
      const auto name = evaluate_template(key, variables_);
      if (!name) return name;
      auto value = evaluate(item);
      if (!value) return value;
      out[name->is_string() ? name->get<std::string>() : name->is_number() ? number_text(*name) : name->dump(-1, ' ', false, json::error_handler_t::replace)] = std::move(*value);
    }
    return out;
  }

  const json& variables_;
  int depth_ = 0;
};
}  // namespace

Result<json> evaluate_config(const Spec& schema, const json& config, const json& variables) {
  DROVER_TRY(check_schema(schema));
  const bool root_good = config.is_null() || config.is_object() ||
                         (config.is_array() && std::all_of(config.begin(), config.end(), [](const json& v) { return v.is_object(); }));
  if (!root_good) {
    return fail(Code::invalid_argument,
                "Root value must be object: The root value in a JSON-based configuration must be either a JSON object or a JSON array of objects.");
  }
  Body root;
  auto parts = bodies("config", &config);
  if (!parts) return fail(parts.error());
  for (Body& part : *parts) {
    root.properties.insert(root.properties.end(), part.properties.begin(), part.properties.end());
  }
  return Decoder(variables).decode_body(schema, root);
}

Result<std::string> encode_config(const Spec& schema, const json& config, const json& variables) {
  const auto value = evaluate_config(schema, config, variables);
  if (!value) return fail(value.error());
  return to_msgpack(*value);
}

json nest_variables(const json& flat) {
  json out = json::object();
  for (const auto& [key, value] : flat.items()) {
    const auto parts = split(key, '.');
    bool good = true;
    for (const auto& part : parts) good = good && !part.empty();
    if (!good) continue;
    json* at = &out;
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
      json& next = (*at)[parts[i]];
      if (!next.is_object()) next = json::object();
      at = &next;
    }
    json& leaf = (*at)[parts.back()];
    if (!leaf.is_object()) leaf = value;
  }
  return out;
}

namespace {
const json* member(const json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}
std::string as_text(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number()) return number_text(value);
  // What came as MessagePack need not be UTF-8.
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}
}  // namespace

std::string get_string(const json& object, const char* key, std::string fallback) {
  const json* value = member(object, key);
  return value == nullptr ? std::move(fallback) : as_text(*value);
}

bool get_bool(const json& object, const char* key, bool fallback) {
  const json* value = member(object, key);
  if (value == nullptr) return fallback;
  if (value->is_boolean()) return value->get<bool>();
  if (value->is_number()) return value->get<double>() != 0;
  return value->is_string() && (*value == "true" || *value == "1");
}

double get_number(const json& object, const char* key, double fallback) {
  const json* value = member(object, key);
  if (value == nullptr) return fallback;
  const auto number = convert(*value, Type{Type::Kind::number, {}, {}});
  return number ? number->get<double>() : fallback;
}

std::int64_t get_int(const json& object, const char* key, std::int64_t fallback) {
  const json* value = member(object, key);
  if (value == nullptr) return fallback;
  const auto number = convert(*value, Type{Type::Kind::number, {}, {}});
  return number ? number->get<std::int64_t>() : fallback;
}

std::vector<std::string> get_strings(const json& object, const char* key) {
  std::vector<std::string> out;
  const json* value = member(object, key);
  if (value == nullptr || !value->is_array()) return out;
  for (const json& item : *value) out.push_back(as_text(item));
  return out;
}

std::map<std::string, std::string> get_string_map(const json& object, const char* key) {
  std::map<std::string, std::string> out;
  const json* value = member(object, key);
  if (value == nullptr) return out;
  const auto merge = [&](const json& part) {
    if (!part.is_object()) return;
    for (const auto& [name, item] : part.items()) out[name] = as_text(item);
  };
  if (value->is_array()) {
    for (const json& part : *value) merge(part);
  } else {
    merge(*value);
  }
  return out;
}

}  // namespace drover::plugin
