#include "tools/hcldec/spec.h"

#include <fmt/format.h>

#include "lib/hcl/convert.h"

namespace drover::hcldec {

using hcl::Kind;
using hcl::Type;
using hcl::Value;

namespace {

const std::map<std::string, SpecKind, std::less<>>& kinds() {
  static const std::map<std::string, SpecKind, std::less<>> value{
      {"object", SpecKind::object},         {"array", SpecKind::array},         {"attr", SpecKind::attr},       {"block", SpecKind::block},
      {"block_list", SpecKind::block_list}, {"block_set", SpecKind::block_set}, {"block_map", SpecKind::block_map},
      {"block_attrs", SpecKind::block_attrs}, {"literal", SpecKind::literal},   {"default", SpecKind::fallback}, {"transform", SpecKind::transform}};
  return value;
}

hcl::BodySchema with_specs(std::vector<hcl::AttributeSchema> attributes, bool labelled) {
  hcl::BodySchema schema{std::move(attributes), {}};
  for (const auto& [word, kind] : kinds()) schema.blocks.push_back({word, labelled ? std::vector<std::string>{"key"} : std::vector<std::string>{}});
  return schema;
}

class Reader {
 public:
  Reader(const hcl::EvalContext& context, hcl::Diagnostics& diagnostics) : context_(context), diagnostics_(diagnostics) {}

  Spec read(const hcl::Block& block) {
    Spec spec;
    spec.kind = kinds().find(block.type)->second;
    if (!block.labels.empty()) spec.name = block.labels[0];
    const hcl::Content content = block.body->content(schema_of(spec.kind), diagnostics_);
    take(content, "name", Type::string(), [&](const Value& value) { spec.name = value.as_string(); });
    take(content, "block_type", Type::string(), [&](const Value& value) { spec.name = value.as_string(); });
    take(content, "required", Type::boolean(), [&](const Value& value) { spec.required = value.as_bool(); });
    take(content, "min_items", Type::number(), [&](const Value& value) { spec.min_items = value.as_number().to_uint64().value_or(0); });
    take(content, "max_items", Type::number(), [&](const Value& value) { spec.max_items = value.as_number().to_uint64().value_or(0); });
    take(content, "value", Type::dynamic(), [&](const Value& value) { spec.value = value; }, true);
    take(content, "labels", Type::list(Type::string()), [&](const Value& value) {
      for (const Value& label : value.as_list()) spec.labels.push_back(label.as_string());
    });
    for (const char* name : {"type", "element_type"}) {
      if (const hcl::Attribute* type = content.attribute(name)) spec.type = hcl::type_from_expression(*type->expression, true, diagnostics_).value_or(Type());
    }
    if (const hcl::Attribute* result = content.attribute("result")) spec.result = result->expression;
    for (const hcl::Block& nested : content.blocks) {
      if (spec.kind == SpecKind::object) spec.names.push_back(nested.labels[0]);
      spec.nested.push_back(read(nested));
    }
    check(spec, block);
    return spec;
  }

 private:
  static hcl::BodySchema schema_of(SpecKind kind) {
    switch (kind) {
      case SpecKind::object: return with_specs({}, true);
      case SpecKind::array: case SpecKind::fallback: return with_specs({}, false);
      case SpecKind::attr: return {{{"name"}, {"type"}, {"required"}}, {}};
      case SpecKind::block: return with_specs({{"block_type"}, {"required"}}, false);
      case SpecKind::block_list: case SpecKind::block_set: return with_specs({{"block_type"}, {"min_items"}, {"max_items"}}, false);
      case SpecKind::block_map: return with_specs({{"block_type"}, {"labels", true}}, false);
      case SpecKind::block_attrs: return {{{"block_type"}, {"element_type", true}, {"required"}}, {}};
      case SpecKind::literal: return {{{"value", true}}, {}};
      case SpecKind::transform: return with_specs({{"result", true}}, false);
    }
    return {};
  }

  template <class Use>
  void take(const hcl::Content& content, std::string_view name, const Type& type, Use use, bool nullable = false) {
    const hcl::Attribute* attribute = content.attribute(name);
    if (attribute == nullptr) return;
    const auto value = hcl::convert(hcl::evaluate(*attribute->expression, context_, diagnostics_), type);
    if (value && value->is_wholly_known() && (nullable || !value->is_null())) return use(*value);
    diagnostics_.add("Invalid spec argument", value ? "A value that is known and not null is required here." : value.error(), attribute->expression->range);
  }

  void check(const Spec& spec, const hcl::Block& block) {
    const bool named = spec.kind != SpecKind::object && spec.kind != SpecKind::array && spec.kind != SpecKind::literal && spec.kind != SpecKind::fallback &&
                       spec.kind != SpecKind::transform;
    if (named && spec.name.empty()) diagnostics_.add("Missing name in spec", "The name of an attribute or block to read is required here.", block.definition_range);
    const bool wraps = spec.kind == SpecKind::block || spec.kind == SpecKind::block_list || spec.kind == SpecKind::block_set || spec.kind == SpecKind::block_map ||
                       spec.kind == SpecKind::transform;
    if (wraps && spec.nested.size() != 1) diagnostics_.add("Wrong number of nested specs", "Exactly one nested spec block is required here.", block.definition_range);
    if (spec.kind == SpecKind::fallback && spec.nested.empty()) diagnostics_.add("Missing spec block", "A default needs at least one nested spec block.", block.definition_range);
  }

  const hcl::EvalContext& context_;
  hcl::Diagnostics& diagnostics_;
};

// A function that the spec file defines by an expression.
hcl::Function defined_function(const hcl::Block& block, const hcl::FunctionTable& functions, hcl::Diagnostics& diagnostics) {
  const hcl::Content content = block.body->content({{{"params", true}, {"variadic_param"}, {"result", true}}, {}}, diagnostics);
  hcl::Function out;
  std::string rest;
  if (const hcl::Attribute* names = content.attribute("params")) {
    const auto* list = names->expression->as<hcl::TupleExpr>();
    if (list == nullptr) diagnostics.add("Invalid params argument", "A list of names is required here.", names->expression->range);
    for (std::size_t i = 0; list != nullptr && i < list->elements.size(); i++) {
      out.parameters.push_back({hcl::keyword_of(*list->elements[i]).value_or(""), Type(), true, true});
    }
  }
  if (const hcl::Attribute* name = content.attribute("variadic_param")) {
    rest = hcl::keyword_of(*name->expression).value_or("");
    out.rest = hcl::Parameter{rest, Type(), true, true};
  }
  const hcl::Attribute* result = content.attribute("result");
  if (result == nullptr) return out;
  out.call = [parameters = out.parameters, rest, result = result->expression, &functions](const std::vector<Value>& arguments, hcl::Budget& budget) -> hcl::FunctionResult {
    hcl::EvalContext scope;
    scope.budget = &budget;
    scope.functions = &functions;
    for (std::size_t i = 0; i < parameters.size(); i++) scope.variables[parameters[i].name] = arguments[i];
    if (!rest.empty()) scope.variables[rest] = Value::tuple({arguments.begin() + static_cast<std::ptrdiff_t>(parameters.size()), arguments.end()});
    hcl::Diagnostics problems;
    Value value = hcl::evaluate(*result, scope, problems);
    if (problems.has_errors()) return hcl::function_error(problems.items()[0].detail);
    return value;
  };
  return out;
}

}  // namespace

SpecFile read_spec(const hcl::SourcePtr& file, const hcl::FunctionTable& functions, hcl::Diagnostics& diagnostics) {
  SpecFile out;
  const auto body = hcl::parse_file(file, diagnostics);
  if (diagnostics.has_errors()) return out;
  hcl::BodySchema schema = with_specs({}, false);
  schema.blocks.push_back({"variables", {}});
  schema.blocks.push_back({"function", {"name"}});
  const hcl::Content content = body->content(schema, diagnostics);
  hcl::Budget budget;
  hcl::EvalContext context;
  context.budget = &budget;
  context.functions = &functions;
  std::vector<const hcl::Block*> roots;
  for (const hcl::Block& block : content.blocks) {
    if (block.type == "variables") {
      for (const hcl::Attribute& attribute : block.body->attributes(diagnostics)) out.variables[attribute.name] = hcl::evaluate(*attribute.expression, context, diagnostics);
    } else if (block.type == "function") {
      out.functions[block.labels[0]] = defined_function(block, functions, diagnostics);
    } else {
      roots.push_back(&block);
    }
  }
  if (diagnostics.has_errors()) return out;
  const char* one_root = "A spec file must have exactly one root block specifying how to map to a JSON value.";
  if (roots.empty()) diagnostics.add("Missing spec block", one_root, content.missing_range);
  else if (roots.size() > 1) diagnostics.add("Extraneous spec block", one_root, roots[1]->definition_range);
  else out.root = Reader(context, diagnostics).read(*roots[0]);
  return out;
}

Type implied_type(const Spec& spec) {
  switch (spec.kind) {
    case SpecKind::object: {
      std::map<std::string, Type, std::less<>> attributes;
      for (std::size_t i = 0; i < spec.nested.size(); i++) attributes[spec.names[i]] = implied_type(spec.nested[i]);
      return Type::object(std::move(attributes));
    }
    case SpecKind::array: {
      std::vector<Type> elements;
      for (const Spec& nested : spec.nested) elements.push_back(implied_type(nested));
      return Type::tuple(std::move(elements));
    }
    case SpecKind::attr: return spec.type;
    case SpecKind::block: case SpecKind::fallback: return implied_type(spec.nested[0]);
    case SpecKind::block_list: return Type::list(implied_type(spec.nested[0]));
    case SpecKind::block_set: return Type::set(implied_type(spec.nested[0]));
    case SpecKind::block_map: {
      Type out = implied_type(spec.nested[0]);
      for (std::size_t i = 0; i < spec.labels.size(); i++) out = Type::map(std::move(out));
      return out;
    }
    case SpecKind::block_attrs: return Type::map(spec.type);
    case SpecKind::literal: return spec.value.type();
    case SpecKind::transform: return Type::dynamic();
  }
  return {};
}

}  // namespace drover::hcldec
