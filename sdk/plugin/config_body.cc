#include "sdk/plugin/config_body.h"

#include <nlohmann/json.hpp>

#include "sdk/plugin/expression.h"

namespace drover::plugin {

namespace {
using json = nlohmann::json;

void collect_names(const Spec& spec, const std::string& implied, std::set<std::string>& out) {
  std::visit(
      [&](const auto& kind) {
        using Kind = std::decay_t<decltype(kind)>;
        if constexpr (std::is_same_v<Kind, ObjectSpec>) {
          for (const auto& [key, child] : kind.attributes) collect_names(child, key, out);
        } else if constexpr (std::is_same_v<Kind, ArraySpec>) {
          for (const Spec& child : kind.values) collect_names(child, {}, out);
        } else if constexpr (std::is_same_v<Kind, DefaultSpec>) {
          collect_names(kind.primary, {}, out);
        } else if constexpr (!std::is_same_v<Kind, LiteralSpec>) {
          out.insert(name_or(kind.name, implied));
        }
      },
      spec.node().kind);
}
}  // namespace

const json* Body::find(const std::string& name) const {
  const json* out = nullptr;
  for (const auto& [key, value] : properties) {
    if (key == name) out = value;
  }
  return out;
}

Result<std::vector<Body>> bodies(const std::string& name, const json* value) {
  std::vector<Body> out;
  if (value == nullptr || value->is_null()) return out;
  const auto add = [&](const json& object) {
    Body body;
    for (const auto& [key, item] : object.items()) {
      if (key != "//") body.properties.emplace_back(key, &item);
    }
    out.push_back(std::move(body));
  };
  if (value->is_object()) {
    add(*value);
    return out;
  }
  bool good = value->is_array();
  for (std::size_t i = 0; good && i < value->size(); ++i) {
    good = (*value)[i].is_object();
    if (good) add((*value)[i]);
  }
  if (good) return out;
  return fail(Code::invalid_argument,
              "Incorrect JSON value type: Either a JSON object or a JSON array is required, representing the contents of one or more \"{}\" blocks.", name);
}

std::set<std::string> known_names(const Spec& spec) {
  std::set<std::string> out;
  collect_names(spec, {}, out);
  return out;
}

std::string unknown_name(const std::string& name, const std::set<std::string>& known) {
  const std::string near = nearest_name(name, known);
  return fmt::format("No argument or block type is named \"{}\".{}", name, near.empty() ? "" : fmt::format(" Did you mean \"{}\"?", near));
}

}  // namespace drover::plugin
