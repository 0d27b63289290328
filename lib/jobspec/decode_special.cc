// Blocks with shorthands: constraint and affinity, network ports, scaling policies.
#include <fmt/format.h>

#include "lib/hcl/convert.h"
#include "lib/jobspec/decode.h"
#include "sdk/base/text.h"

namespace drover::jobspec {

namespace {

// Reads attributes by name; what has the wrong type is reported under the attribute's name.
class Shorthand {
 public:
  Shorthand(const hcl::Body& body, const Schema& schema, const hcl::EvalContext& context, hcl::Diagnostics& diagnostics)
      : content_(body.expanded(schema.body, context, diagnostics)), context_(context), diagnostics_(diagnostics) {}

  std::optional<hcl::Value> get(const std::string& name, const hcl::Type& type) {
    const hcl::Attribute* attribute = content_.attribute(name);
    if (attribute == nullptr) return std::nullopt;
    const hcl::Value value = hcl::evaluate(*attribute->expression, context_, diagnostics_);
    const auto converted = hcl::convert(value, type);
    if (!converted) {
      diagnostics_.add("Incorrect attribute value type", fmt::format("Inappropriate value for attribute {}: {}.", quote(name), converted.error()), attribute->expression->range);
      return std::nullopt;
    }
    if (converted->is_null() || !converted->is_known()) return std::nullopt;
    return *converted;
  }
  std::string text(const std::string& name) {
    const auto value = get(name, hcl::Type::string());
    return value ? value->as_string() : std::string();
  }

 private:
  hcl::Content content_;
  const hcl::EvalContext& context_;
  hcl::Diagnostics& diagnostics_;
};

}  // namespace

const std::vector<std::string>& shorthand_names(Special special) {
  static const std::vector<std::string> constraint{"attribute", "value", "operator", "version", "semver", "regexp", "set_contains", "set_contains_all",
                                                   "set_contains_any", "distinct_hosts", "distinct_property", "is_set", "is_not_set"};
  static const std::vector<std::string> affinity{"attribute", "value", "operator", "weight", "version", "semver", "regexp", "set_contains",
                                                 "set_contains_all", "set_contains_any"};
  return special == Special::affinity ? affinity : constraint;
}

Json decode_constraint(const hcl::Body& body, const hcl::EvalContext& context, hcl::Diagnostics& diagnostics) {
  Shorthand in(body, constraint_schema(), context, diagnostics);
  std::string left = in.text("attribute");
  std::string right = in.text("value");
  std::string operand = in.text("operator");
  for (const char* name : {"version", "semver", "regexp", "set_contains"}) {
    if (std::string value = in.text(name); !value.empty()) {
      operand = name;
      right = std::move(value);
    }
  }
  // Accepted, and without effect, as in the reference: the long form with `operator` works.
  for (const char* name : {"set_contains_all", "set_contains_any"}) (void)in.text(name);
  for (const char* name : {"is_set", "is_not_set"}) (void)in.get(name, hcl::Type::boolean());
  if (const auto hosts = in.get("distinct_hosts", hcl::Type::boolean())) {
    operand = "distinct_hosts";
    if (!hosts->as_bool()) right = "false";
  }
  if (std::string property = in.text("distinct_property"); !property.empty()) {
    operand = "distinct_property";
    left = std::move(property);
  }
  if (operand.empty()) operand = "=";
  return {{"LTarget", left}, {"RTarget", right}, {"Operand", operand}};
}

Json decode_affinity(const hcl::Body& body, const hcl::EvalContext& context, hcl::Diagnostics& diagnostics) {
  Shorthand in(body, affinity_schema(), context, diagnostics);
  const std::string left = in.text("attribute");
  std::string right = in.text("value");
  std::string operand = in.text("operator");
  for (const char* name : {"version", "semver", "regexp", "set_contains", "set_contains_all", "set_contains_any"}) {
    if (std::string value = in.text(name); !value.empty()) {
      operand = name;
      right = std::move(value);
    }
  }
  if (operand.empty()) operand = "=";
  Json weight = nullptr;
  if (const auto value = in.get("weight", hcl::Type::number())) {
    // The API's weight has eight bits and the reference lets it wrap.
    const auto whole = value->as_number().to_int64();
    weight = static_cast<std::int8_t>(whole ? *whole : static_cast<std::int64_t>(value->as_number().to_double()));
  }
  return {{"LTarget", left}, {"RTarget", right}, {"Operand", operand}, {"Weight", weight}};
}

void finish_network(Json& network) {
  Json dynamic = Json::array();
  Json reserved = network["ReservedPorts"].is_array() ? network["ReservedPorts"] : Json::array();
  if (network["DynamicPorts"].is_array()) {
    for (Json& port : network["DynamicPorts"]) {
      if (port["Value"].get<std::int64_t>() > 0) reserved.push_back(std::move(port));
      else dynamic.push_back(std::move(port));
    }
  }
  network["DynamicPorts"] = dynamic.empty() ? Json(nullptr) : std::move(dynamic);
  network["ReservedPorts"] = reserved.empty() ? Json(nullptr) : std::move(reserved);
}

void finish_group_scaling(Json& policy, const hcl::Content& content, hcl::Diagnostics& diagnostics) {
  const std::string type = policy["Type"].get<std::string>();
  if (type.empty()) {
    policy["Type"] = "horizontal";
  } else if (type != "horizontal") {
    diagnostics.add("Invalid group scaling type", fmt::format("task group scaling policy had invalid type: {}", quote(type)), content.attribute("type")->expression->range);
  }
}

void finish_task_scaling(Json& policy, const hcl::Range& label_range, hcl::Diagnostics& diagnostics) {
  const std::string label = policy["Type"].get<std::string>();
  if (label == "cpu") policy["Type"] = "vertical_cpu";
  else if (label == "mem") policy["Type"] = "vertical_mem";
  else diagnostics.add("Invalid scaling policy name", "scaling policy name must be \"cpu\" or \"mem\"", label_range);
}

}  // namespace drover::jobspec
