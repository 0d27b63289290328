#include "cli/spec_file.h"

#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "lib/hcl/body.h"
#include "sdk/base/file.h"

namespace drover::cli {
namespace {
model::Json to_json(const hcl::Value& value) {
  if (value.is_null() || !value.is_known()) return nullptr;
  if (value.is_sequence()) {
    model::Json out = model::Json::array();
    for (const auto& item : value.as_list()) out.push_back(to_json(item));
    return out;
  }
  if (value.is_mapping()) {
    model::Json out = model::Json::object();
    for (const auto& [key, item] : value.as_map()) out[key] = to_json(item);
    return out;
  }
  switch (value.kind()) {
    case hcl::Kind::string: return value.as_string();
    case hcl::Kind::boolean: return value.as_bool();
    case hcl::Kind::number: {
      auto number = model::Json::parse(value.as_number().str(), nullptr, false);
      return number.is_discarded() ? model::Json(nullptr) : number;
    }
    default: return nullptr;
  }
}

model::Json decode(const hcl::Body& body, const SpecShape& shape, const hcl::EvalContext& context, hcl::Diagnostics& diagnostics) {
  model::Json out = model::Json::object();
  if (shape.free) {
    for (const auto& attribute : body.attributes(diagnostics)) out[attribute.name] = to_json(hcl::evaluate(*attribute.expression, context, diagnostics));
    return out;
  }
  hcl::BodySchema schema;
  for (const auto& [name, json] : shape.attributes) schema.attributes.push_back({name});
  for (const auto& [name, block] : shape.blocks) schema.blocks.push_back({name, block.labelled ? std::vector<std::string>{"name"} : std::vector<std::string>{}});
  const hcl::Content content = body.content(schema, diagnostics);
  for (const auto& [name, attribute] : content.attributes) {
    out[shape.attributes.at(name)] = to_json(hcl::evaluate(*attribute.expression, context, diagnostics));
  }
  for (const hcl::Block& block : content.blocks) {
    const SpecShape& inner = shape.blocks.at(block.type);
    model::Json value = decode(*block.body, inner, context, diagnostics);
    if (inner.labelled && !block.labels.empty()) value["Name"] = block.labels[0];
    out[inner.json] = std::move(value);
  }
  return out;
}
}  // namespace

Result<std::string> read_spec(const std::string& path) {
  if (path == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  auto text = read_file(path);
  if (!text && text.error().code() == Code::not_found) return fail(Code::not_found, "open {}: no such file or directory", path);
  return text;
}

Result<model::Json> parse_spec(const std::string& name, const std::string& text, const SpecShape& shape) {
  hcl::Diagnostics diagnostics;
  const auto body = hcl::parse_file(hcl::make_source(name, text), diagnostics);
  model::Json out;
  if (!diagnostics.has_errors()) {
    const hcl::FunctionTable functions = hcl::standard_functions({});
    hcl::Budget budget;
    hcl::EvalContext context;
    context.functions = &functions;
    context.budget = &budget;
    out = decode(*body, shape, context, diagnostics);
  }
  if (!diagnostics.has_errors()) return out;
  std::string problems;
  for (const auto& one : diagnostics.items()) problems += (problems.empty() ? "" : "\n") + hcl::to_line(one) + "\n" + hcl::excerpt(one);
  problems.erase(problems.find_last_not_of('\n') + 1);
  return fail(Error(Code::invalid_argument, std::move(problems)));
}

}  // namespace drover::cli
