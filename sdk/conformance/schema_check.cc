#include "sdk/conformance/schema_check.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "sdk/plugin/expression.h"
#include "sdk/plugin/type.h"

namespace drover::conformance {
namespace {
using namespace plugin;

void visit(const Spec& spec, std::vector<std::string>& out);

void visit_default(const DefaultSpec& spec, std::vector<std::string>& out) {
  visit(spec.primary, out);
  visit(spec.fallback, out);
  const auto* attribute = std::get_if<AttrSpec>(&spec.primary.node().kind);
  const auto* literal = std::get_if<LiteralSpec>(&spec.fallback.node().kind);
  if (attribute == nullptr || literal == nullptr) return;
  const auto type = parse_type(attribute->type);
  const auto value = evaluate_expression(literal->value, nlohmann::json::object());
  if (!value) return out.push_back(attribute->name + ": " + value.error().message());
  if (!type) return;
  const auto converted = convert(*value, *type);
  if (!converted) out.push_back(attribute->name + ": " + converted.error().message());
  // A text that can be made a number still arrives as a text.
  else if (!value->is_null() && converted->type_name() != std::string_view(value->type_name()))
    out.push_back(attribute->name + ": the default is a " + value->type_name() + ", the attribute " + describe(*type));
}

void visit(const Spec& spec, std::vector<std::string>& out) {
  if (!spec) return;
  std::visit(
      [&](const auto& node) {
        using T = std::decay_t<decltype(node)>;
        if constexpr (std::is_same_v<T, ObjectSpec>) {
          for (const auto& [name, child] : node.attributes) visit(child, out);
        } else if constexpr (std::is_same_v<T, ArraySpec>) {
          for (const Spec& child : node.values) visit(child, out);
        } else if constexpr (std::is_same_v<T, DefaultSpec>) {
          visit_default(node, out);
        } else if constexpr (requires { node.nested; }) {
          visit(node.nested, out);
        }
      },
      spec.node().kind);
}
}  // namespace

std::vector<std::string> check_defaults(const Spec& schema) {
  std::vector<std::string> out;
  visit(schema, out);
  return out;
}

bool is_unit(std::string_view unit) {
  static constexpr std::array<std::string_view, 13> bytes = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "kB", "KB", "MB", "GB", "TB", "PB", "EB"};
  static constexpr std::array<std::string_view, 7> others = {"MHz", "GHz", "mW", "W", "kW", "MW", "GW"};
  const std::string_view of_rate = unit.ends_with("/s") ? unit.substr(0, unit.size() - 2) : unit;
  return std::find(bytes.begin(), bytes.end(), of_rate) != bytes.end() || std::find(others.begin(), others.end(), unit) != others.end();
}

}  // namespace drover::conformance
