#include <fmt/format.h>

#include "lib/hcl/body.h"
#include "lib/hcl/convert.h"
#include "lib/hcl/unicode.h"
#include "sdk/base/text.h"

namespace drover::hcl {

namespace {

struct Spec {
  std::string iterator;
  Value collection;
  std::vector<ExprPtr> labels;
  std::shared_ptr<const Body> content;
};

std::optional<Spec> decode_spec(const Block& block, const BlockSchema& schema, const EvalContext& context, Diagnostics& diagnostics) {
  static const BodySchema without_labels{{{"for_each", true}, {"iterator", false}}, {{"content", {}}}};
  static const BodySchema with_labels{{{"for_each", true}, {"iterator", false}, {"labels", true}}, {{"content", {}}}};
  const std::size_t before = diagnostics.size();
  const Content content = block.body->content(schema.labels.empty() ? without_labels : with_labels, diagnostics);
  if (diagnostics.size() > before) return std::nullopt;
  Spec spec;
  spec.iterator = block.labels[0];
  if (const Attribute* iterator = content.attribute("iterator")) {
    const auto word = keyword_of(*iterator->expression);
    if (!word) {
      diagnostics.add("Invalid dynamic iterator name", "Dynamic iterator must be a single variable name.", iterator->expression->range);
      return std::nullopt;
    }
    spec.iterator = *word;
  }
  const Attribute& each = *content.attribute("for_each");
  spec.collection = evaluate(*each.expression, context, diagnostics);
  const auto bad_collection = [&](std::string detail) {
    diagnostics.add("Invalid dynamic for_each value", std::move(detail), each.expression->range);
    return std::nullopt;
  };
  if (diagnostics.size() > before) return std::nullopt;
  if (!spec.collection.can_iterate() && !spec.collection.type().is_dynamic()) {
    return bad_collection(fmt::format("Cannot use a {} value in for_each. An iterable collection is required.", spec.collection.type().friendly_name()));
  }
  if (spec.collection.is_null()) return bad_collection("Cannot use a null value in for_each.");
  if (const Attribute* labels = content.attribute("labels")) {
    const auto* tuple = labels->expression->as<TupleExpr>();
    if (tuple == nullptr) {
      diagnostics.add("Invalid expression", "A static list expression is required.", labels->expression->range);
      return std::nullopt;
    }
    spec.labels = tuple->elements;
    if (spec.labels.size() > schema.labels.size()) {
      diagnostics.add("Extraneous dynamic block label", fmt::format("Blocks of type {} require {} label(s).", quote(schema.type), schema.labels.size()), spec.labels[schema.labels.size()]->range);
      return std::nullopt;
    }
    if (spec.labels.size() < schema.labels.size()) {
      diagnostics.add("Insufficient dynamic block labels", fmt::format("Blocks of type {} require {} label(s).", quote(schema.type), schema.labels.size()), labels->expression->range);
      return std::nullopt;
    }
  }
  if (content.blocks.empty()) {
    diagnostics.add("Missing dynamic content block", "A dynamic block must have a nested block of type \"content\" to describe the body of each generated block.", content.missing_range);
    return std::nullopt;
  }
  if (content.blocks.size() > 1) {
    diagnostics.add("Extraneous dynamic content block", "Only one nested content block is allowed for each dynamic block.", content.blocks[1].definition_range);
    return std::nullopt;
  }
  spec.content = content.blocks[0].body;
  return spec;
}

bool make_labels(const Spec& spec, const EvalContext& scope, Block& out, Diagnostics& diagnostics) {
  for (const ExprPtr& expression : spec.labels) {
    const std::size_t before = diagnostics.size();
    const Value value = evaluate(*expression, scope, diagnostics);
    if (diagnostics.size() > before) return false;
    const auto complain = [&](std::string detail) {
      diagnostics.add("Invalid dynamic block label", std::move(detail), expression->range);
      return false;
    };
    const auto text = convert(value, Type::string());
    if (!text) return complain(fmt::format("Cannot use this value as a dynamic block label: {}.", text.error()));
    if (text->is_null()) return complain("Cannot use a null value as a dynamic block label.");
    if (!text->is_known()) return complain("This value is not yet known. Dynamic block labels must be immediately-known values.");
    out.labels.push_back(text->as_string());
    out.label_ranges.push_back(expression->range);
  }
  return true;
}

}  // namespace

std::vector<Block> expand_dynamic(const Block& block, const BlockSchema& schema, const EvalContext& context, Diagnostics& diagnostics) {
  std::vector<Block> out;
  const auto spec = decode_spec(block, schema, context, diagnostics);
  if (!spec) return out;
  const auto add = [&](Value key, Value value) {
    auto scope = std::make_shared<EvalContext>(child_of(context));
    scope->variables[spec->iterator] = Value::object({{"key", std::move(key)}, {"value", std::move(value)}});
    Block made{schema.type, {}, spec->content, scope, block.label_ranges[0], block.definition_range, {}};
    if (make_labels(*spec, *scope, made, diagnostics)) out.push_back(std::move(made));
  };
  if (!spec->collection.is_known()) {
    // How many blocks there will be is open; what is wrong with their labels is not.
    add(Value(), Value());
    out.clear();
    return out;
  }
  if (spec->collection.is_mapping()) {
    for (const auto& [name, value] : spec->collection.as_map()) add(Value::string(name), value);
    return out;
  }
  std::int64_t index = 0;
  for (const Value& value : spec->collection.as_list()) {
    add(spec->collection.kind() == Kind::set ? value : Value::number(index), value);
    index++;
  }
  return out;
}

}  // namespace drover::hcl
