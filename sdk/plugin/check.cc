#include "sdk/plugin/check.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sdk/base/text.h"
#include "sdk/plugin/config_body.h"
#include "sdk/plugin/type.h"

namespace drover::plugin {
namespace {
using json = nlohmann::json;
constexpr int max_depth = 64;
constexpr std::size_t max_problems = 100;

bool is_open(const json& value) {
  if (!value.is_string()) return false;
  const auto& text = value.get_ref<const std::string&>();
  return text.find("${") != std::string::npos || text.find("%{") != std::string::npos;
}

// The value with something of the right type where it is not known yet.
json filled(const json& value, const Type& type, int depth) {
  if (depth > max_depth) return value;
  if (is_open(value)) {
    switch (type.kind) {
      case Type::Kind::string: case Type::Kind::any: return "";
      case Type::Kind::number: return 0;
      case Type::Kind::boolean: return false;
      case Type::Kind::list: case Type::Kind::set: return json::array();
      case Type::Kind::map: return json::object();
      case Type::Kind::object: {
        json out = json::object();
        for (const auto& [name, element] : type.attributes) out[name] = filled("${}", element, depth + 1);
        return out;
      }
      case Type::Kind::tuple: {
        json out = json::array();
        for (const Type& element : type.elements) out.push_back(filled("${}", element, depth + 1));
        return out;
      }
    }
  }
  if (value.is_array()) {
    json out = json::array();
    for (std::size_t i = 0; i < value.size(); i++) {
      const bool one = type.kind == Type::Kind::list || type.kind == Type::Kind::set;
      const bool known = one ? !type.elements.empty() : type.kind == Type::Kind::tuple && i < type.elements.size();
      out.push_back(known ? filled(value[i], type.elements[one ? 0 : i], depth + 1) : value[i]);
    }
    return out;
  }
  if (value.is_object()) {
    json out = json::object();
    for (const auto& [name, item] : value.items()) {
      const auto attribute = type.attributes.find(name);
      if (type.kind == Type::Kind::map && !type.elements.empty()) out[name] = filled(item, type.elements[0], depth + 1);
      else out[name] = attribute == type.attributes.end() ? item : filled(item, attribute->second, depth + 1);
    }
    return out;
  }
  return value;
}

class Checker {
 public:
  void check_body(const Spec& spec, const Body& body) {
    if (path_.size() > max_depth) return add("too deep", "the configuration is nested too deeply");
    const std::set<std::string> known = known_names(spec);
    for (const auto& [key, value] : body.properties) {
      if (known.contains(key)) continue;
      std::string detail = unknown_name(key, known);
      if (detail.ends_with('.') && !known.empty()) detail += fmt::format(" There are: {}.", join({known.begin(), known.end()}, ", "));
      add_at(key, "unknown argument", std::move(detail));
    }
    check(spec, body, {});
  }

  std::vector<ConfigProblem> problems;

 private:
  void add(std::string summary, std::string detail) {
    if (problems.size() < max_problems) problems.push_back({path_, std::move(summary), std::move(detail)});
  }
  void add_at(const std::string& name, std::string summary, std::string detail) {
    path_.push_back({name});
    add(std::move(summary), std::move(detail));
    path_.pop_back();
  }

  void check(const Spec& spec, const Body& body, const std::string& implied) {
    std::visit([&](const auto& kind) { check_kind(kind, body, implied); }, spec.node().kind);
  }
  void check_kind(const ObjectSpec& kind, const Body& body, const std::string&) {
    for (const auto& [key, child] : kind.attributes) check(child, body, key);
  }
  void check_kind(const ArraySpec& kind, const Body& body, const std::string&) {
    for (const Spec& child : kind.values) check(child, body, {});
  }
  void check_kind(const DefaultSpec& kind, const Body& body, const std::string&) { check(kind.primary, body, {}); }
  void check_kind(const LiteralSpec&, const Body&, const std::string&) {}

  void check_kind(const AttrSpec& kind, const Body& body, const std::string& implied) {
    const std::string& name = name_or(kind.name, implied);
    const json* given = body.find(name);
    if (given != nullptr) return check_value(name, kind.type, *given);
    if (kind.required) add("missing argument", fmt::format("The argument \"{}\" is required, but no definition was found.", name));
  }
  void check_value(const std::string& name, const std::string& type_text, const json& given) {
    const auto type = parse_type(type_text);
    if (!type || given.is_null()) return;
    const auto fits = convert(filled(given, *type, 0), *type);
    if (!fits) add_at(name, "wrong type", fmt::format("\"{}\" is a {}: {}", name, describe(*type), fits.error().message()));
  }

  // The blocks of a name, or nothing after a complaint about what stands there instead.
  std::vector<Body> blocks_of(const std::string& name, const json* given) {
    if (given != nullptr && is_open(*given)) return {};
    auto found = bodies(name, given);
    if (found) return std::move(*found);
    add_at(name, "a block is needed", fmt::format("\"{}\" is written as a block: {} {{ ... }}", name, name));
    return {};
  }
  void at_most_one(const std::string& name, std::size_t count, bool required) {
    if (count > 1) {
      path_.push_back({name, 1});
      add("duplicate block", fmt::format("Only one block of type \"{}\" is allowed.", name));
      path_.pop_back();
    }
    if (count == 0 && required) add("missing block", fmt::format("A block of type \"{}\" is required here.", name));
  }
  void nested(const std::string& name, std::size_t index, const Spec& spec, const Body& body) {
    path_.push_back({name, index});
    check_body(spec, body);
    path_.pop_back();
  }
  void check_kind(const BlockSpec& kind, const Body& body, const std::string& implied) {
    const std::string& name = name_or(kind.name, implied);
    const json* given = body.find(name);
    const auto blocks = blocks_of(name, given);
    at_most_one(name, blocks.size(), kind.required && given == nullptr);
    if (!blocks.empty()) nested(name, 0, kind.nested, blocks.front());
  }
  void check_kind(const BlockAttrsSpec& kind, const Body& body, const std::string& implied) {
    const std::string& name = name_or(kind.name, implied);
    const json* given = body.find(name);
    const auto blocks = blocks_of(name, given);
    at_most_one(name, blocks.size(), kind.required && given == nullptr);
    if (blocks.empty()) return;
    path_.push_back({name});
    for (const auto& [key, value] : blocks.front().properties) check_value(key, kind.type, *value);
    path_.pop_back();
  }
  void check_kind(const BlockListSpec& kind, const Body& body, const std::string& implied) {
    check_list(name_or(kind.name, implied), kind.min_items, kind.max_items, kind.nested, body);
  }
  void check_kind(const BlockSetSpec& kind, const Body& body, const std::string& implied) {
    check_list(name_or(kind.name, implied), kind.min_items, kind.max_items, kind.nested, body);
  }
  void check_list(const std::string& name, std::uint64_t least, std::uint64_t most, const Spec& spec, const Body& body) {
    const json* given = body.find(name);
    const auto blocks = blocks_of(name, given);
    if (blocks.size() < least && (given == nullptr || !given->is_string())) add("too few blocks", fmt::format("At least {1} \"{0}\" blocks are required.", name, least));
    if (most != 0 && blocks.size() > most) add_at(name, "too many blocks", fmt::format("No more than {1} \"{0}\" blocks are allowed.", name, most));
    for (std::size_t i = 0; i < blocks.size(); i++) nested(name, i, spec, blocks[i]);
  }
  void check_kind(const BlockMapSpec& kind, const Body& body, const std::string& implied) {
    const std::string& name = name_or(kind.name, implied);
    check_labels(name, kind, 0, body.find(name));
  }
  void check_labels(const std::string& name, const BlockMapSpec& kind, std::size_t level, const json* given) {
    std::size_t index = 0;
    for (const Body& block : blocks_of(name, given)) {
      if (level == kind.labels.size()) {
        nested(name, index++, kind.nested, block);
        continue;
      }
      for (const auto& [label, inner] : block.properties) check_labels(name, kind, level + 1, inner);
    }
  }

  std::vector<ConfigStep> path_;
};

std::string type_text(const std::string& text) {
  const auto type = parse_type(text);
  return type ? describe(*type) : text;
}

void collect(const Spec& spec, const std::string& implied, std::vector<ConfigOption>& out) {
  std::visit(
      [&](const auto& kind) {
        using Kind = std::decay_t<decltype(kind)>;
        if constexpr (std::is_same_v<Kind, ObjectSpec>) {
          for (const auto& [key, child] : kind.attributes) collect(child, key, out);
        } else if constexpr (std::is_same_v<Kind, ArraySpec>) {
          for (const Spec& child : kind.values) collect(child, {}, out);
        } else if constexpr (std::is_same_v<Kind, DefaultSpec>) {
          collect(kind.primary, {}, out);
        } else if constexpr (std::is_same_v<Kind, AttrSpec>) {
          out.push_back({name_or(kind.name, implied), type_text(kind.type), false, kind.required, {}});
        } else if constexpr (std::is_same_v<Kind, BlockAttrsSpec>) {
          out.push_back({name_or(kind.name, implied), fmt::format("block of {}", type_text(kind.type)), true, kind.required, {}});
        } else if constexpr (std::is_same_v<Kind, BlockSpec>) {
          out.push_back({name_or(kind.name, implied), "block", true, kind.required, kind.nested});
        } else if constexpr (std::is_same_v<Kind, BlockListSpec> || std::is_same_v<Kind, BlockSetSpec>) {
          out.push_back({name_or(kind.name, implied), "block", true, kind.min_items > 0, kind.nested});
        } else if constexpr (std::is_same_v<Kind, BlockMapSpec>) {
          out.push_back({name_or(kind.name, implied), "block with a label", true, false, kind.nested});
        }
      },
      spec.node().kind);
}
}  // namespace

Result<std::vector<ConfigProblem>> check_config(const Spec& schema, const json& config) {
  DROVER_TRY(check_schema(schema));
  const auto parts = bodies("config", &config);
  if (!parts) return fail(parts.error());
  Body root;
  for (const Body& part : *parts) root.properties.insert(root.properties.end(), part.properties.begin(), part.properties.end());
  Checker checker;
  checker.check_body(schema, root);
  return std::move(checker.problems);
}

std::vector<ConfigOption> config_options(const Spec& schema) {
  std::vector<ConfigOption> out;
  if (schema) collect(schema, {}, out);
  std::sort(out.begin(), out.end(), [](const ConfigOption& a, const ConfigOption& b) { return a.name < b.name; });
  return out;
}

}  // namespace drover::plugin
