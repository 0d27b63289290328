#include <fmt/format.h>

#include <algorithm>

#include "lib/hcl/convert.h"
#include "sdk/base/text.h"
#include "tools/hcldec/spec.h"

namespace drover::hcldec {

using hcl::Type;
using hcl::Value;

namespace {

bool of_same_body(SpecKind kind) { return kind == SpecKind::object || kind == SpecKind::array || kind == SpecKind::fallback || kind == SpecKind::transform; }

// What the specs that look at one body want of it.
void add_to_schema(const Spec& spec, hcl::BodySchema& schema) {
  if (spec.kind == SpecKind::attr) {
    const bool known = std::ranges::any_of(schema.attributes, [&](const auto& item) { return item.name == spec.name; });
    if (!known) schema.attributes.push_back({spec.name, spec.required});
  } else if (of_same_body(spec.kind)) {
    for (const Spec& nested : spec.nested) add_to_schema(nested, schema);
  } else if (spec.kind != SpecKind::literal) {
    const bool known = std::ranges::any_of(schema.blocks, [&](const auto& item) { return item.type == spec.name; });
    if (!known) schema.blocks.push_back({spec.name, spec.labels});
  }
}

class Decoder {
 public:
  Decoder(const hcl::EvalContext& context, const hcl::FunctionTable& functions, hcl::Diagnostics& diagnostics)
      : context_(context), functions_(functions), diagnostics_(diagnostics) {}

  Value body(const hcl::Body& body, const Spec& spec) {
    hcl::BodySchema schema;
    add_to_schema(spec, schema);
    const hcl::Content content = body.content(schema, diagnostics_);
    return value(content, spec);
  }

 private:
  Value value(const hcl::Content& content, const Spec& spec) {
    switch (spec.kind) {
      case SpecKind::object: {
        Value::Map attributes;
        for (std::size_t i = 0; i < spec.nested.size(); i++) attributes[spec.names[i]] = value(content, spec.nested[i]);
        return Value::object(std::move(attributes));
      }
      case SpecKind::array: {
        Value::List elements;
        for (const Spec& nested : spec.nested) elements.push_back(value(content, nested));
        return Value::tuple(std::move(elements));
      }
      case SpecKind::attr: return attribute(content, spec);
      case SpecKind::block: return one_block(content, spec);
      case SpecKind::block_list: case SpecKind::block_set: return all_blocks(content, spec);
      case SpecKind::block_map: return blocks_by_label(content, spec);
      case SpecKind::block_attrs: return attributes_of_block(content, spec);
      case SpecKind::literal: return spec.value;
      case SpecKind::fallback:
        for (const Spec& nested : spec.nested) {
          Value found = value(content, nested);
          if (!found.is_null() || &nested == &spec.nested.back()) return found;
        }
        return {};
      case SpecKind::transform: {
        hcl::EvalContext scope;
        scope.budget = context_.budget;
        scope.functions = &functions_;
        scope.variables["nested"] = value(content, spec.nested[0]);
        return hcl::evaluate(*spec.result, scope, diagnostics_);
      }
    }
    return {};
  }

  Value converted(const hcl::Attribute& attribute, const Type& type, const char* summary, const std::string& detail) {
    const auto value = hcl::convert(hcl::evaluate(*attribute.expression, context_, diagnostics_), type);
    if (value) return *value;
    diagnostics_.add(summary, fmt::format("{}: {}.", detail, value.error()), attribute.expression->range);
    return Value::unknown(type);
  }

  Value attribute(const hcl::Content& content, const Spec& spec) {
    const hcl::Attribute* found = content.attribute(spec.name);
    if (found == nullptr) return Value::null(spec.type);
    return converted(*found, spec.type, "Incorrect attribute value type", fmt::format("Inappropriate value for attribute {}", quote(spec.name)));
  }

  std::vector<const hcl::Block*> blocks(const hcl::Content& content, const Spec& spec) const {
    std::vector<const hcl::Block*> out;
    for (const hcl::Block& block : content.blocks) {
      if (block.type == spec.name) out.push_back(&block);
    }
    return out;
  }

  // The one block there may be; null when there is none.
  const hcl::Block* only_block(const hcl::Content& content, const Spec& spec) {
    const auto found = blocks(content, spec);
    if (found.empty()) {
      if (spec.required) diagnostics_.add(fmt::format("Missing {} block", spec.name), fmt::format("A block of type {} is required here.", quote(spec.name)), content.missing_range);
      return nullptr;
    }
    if (found.size() > 1) {
      diagnostics_.add(fmt::format("Duplicate {} block", spec.name),
                       fmt::format("Only one block of type {} is allowed. Previous definition was at {}.", quote(spec.name), found[0]->definition_range.str()), found[1]->definition_range);
    }
    return found[0];
  }

  Value one_block(const hcl::Content& content, const Spec& spec) {
    const hcl::Block* block = only_block(content, spec);
    return block == nullptr ? Value::null(implied_type(spec.nested[0])) : body(*block->body, spec.nested[0]);
  }

  Value all_blocks(const hcl::Content& content, const Spec& spec) {
    const auto found = blocks(content, spec);
    Value::List items;
    std::vector<Type> types;
    for (const hcl::Block* block : found) {
      items.push_back(body(*block->body, spec.nested[0]));
      types.push_back(items.back().type());
    }
    if (items.size() < spec.min_items) {
      diagnostics_.add(fmt::format("Insufficient {} blocks", spec.name), fmt::format("At least {} {} blocks are required.", spec.min_items, quote(spec.name)), content.missing_range);
    } else if (spec.max_items > 0 && items.size() > spec.max_items) {
      diagnostics_.add(fmt::format("Too many {} blocks", spec.name), fmt::format("No more than {} {} blocks are allowed", spec.max_items, quote(spec.name)), found[spec.max_items]->definition_range);
    }
    Type type = implied_type(spec.nested[0]);
    if (!items.empty()) {
      const auto common = hcl::unify(types);
      if (!common) {
        diagnostics_.add(fmt::format("Unconsistent argument types in {} blocks", spec.name), "Corresponding attributes in all blocks of this type must be the same.", found[0]->definition_range);
        return {};
      }
      type = *common;
      for (Value& item : items) item = hcl::convert(item, type).value_or(Value::unknown(type));
    }
    return spec.kind == SpecKind::block_list ? Value::list(type, std::move(items)) : Value::set(type, std::move(items));
  }

  // One level of map per label.
  Value by_label(const std::vector<const hcl::Block*>& blocks, const Spec& spec, std::size_t level) {
    Type type = implied_type(spec.nested[0]);
    for (std::size_t i = level + 1; i < spec.labels.size(); i++) type = Type::map(std::move(type));
    Value::Map out;
    if (level + 1 == spec.labels.size()) {
      for (const hcl::Block* block : blocks) {
        Value item = body(*block->body, spec.nested[0]);
        if (out.emplace(block->labels[level], std::move(item)).second) continue;
        std::string labels;
        for (const std::string& label : block->labels) labels += " " + quote(label);
        diagnostics_.add(fmt::format("Duplicate {} block", spec.name), fmt::format("A block for {0}{1} was already defined. The {0} labels must be unique.", spec.name, labels), block->definition_range);
      }
    } else {
      std::map<std::string, std::vector<const hcl::Block*>> groups;
      for (const hcl::Block* block : blocks) groups[block->labels[level]].push_back(block);
      for (const auto& [label, group] : groups) out[label] = by_label(group, spec, level + 1);
    }
    std::vector<Type> types;
    for (const auto& [label, item] : out) types.push_back(item.type());
    if (!types.empty()) type = hcl::unify(types).value_or(Type());
    for (auto& [label, item] : out) item = hcl::convert(item, type).value_or(Value::unknown(type));
    return Value::map(type, std::move(out));
  }

  Value blocks_by_label(const hcl::Content& content, const Spec& spec) { return by_label(blocks(content, spec), spec, 0); }

  Value attributes_of_block(const hcl::Content& content, const Spec& spec) {
    const hcl::Block* block = only_block(content, spec);
    if (block == nullptr) return Value::null(Type::map(spec.type));
    Value::Map out;
    for (const hcl::Attribute& attribute : block->body->attributes(diagnostics_)) {
      out[attribute.name] = converted(attribute, spec.type, "Invalid attribute value", fmt::format("Invalid value for attribute of {} block", quote(spec.name)));
    }
    return Value::map(spec.type, std::move(out));
  }

  const hcl::EvalContext& context_;
  const hcl::FunctionTable& functions_;
  hcl::Diagnostics& diagnostics_;
};

void add_variables(const hcl::Body& body, const Spec& spec, std::vector<hcl::Reference>& out);

void add_variables(const hcl::Content& content, const Spec& spec, std::vector<hcl::Reference>& out) {
  const auto add = [&out](const hcl::Attribute& attribute) {
    for (hcl::Reference& reference : hcl::references(*attribute.expression)) out.push_back(std::move(reference));
  };
  if (spec.kind == SpecKind::attr) {
    if (const hcl::Attribute* attribute = content.attribute(spec.name)) add(*attribute);
  } else if (of_same_body(spec.kind)) {
    for (const Spec& nested : spec.nested) add_variables(content, nested, out);
  } else {
    hcl::Diagnostics unused;
    for (const hcl::Block& block : content.blocks) {
      if (block.type != spec.name) continue;
      if (spec.kind == SpecKind::block_attrs) {
        for (const hcl::Attribute& attribute : block.body->attributes(unused)) add(attribute);
      } else {
        add_variables(*block.body, spec.nested[0], out);
      }
    }
  }
}

void add_variables(const hcl::Body& body, const Spec& spec, std::vector<hcl::Reference>& out) {
  hcl::BodySchema schema;
  add_to_schema(spec, schema);
  hcl::Diagnostics unused;
  add_variables(body.content(schema, unused), spec, out);
}

}  // namespace

Value decode(const hcl::Body& body, const Spec& spec, const hcl::EvalContext& context, const hcl::FunctionTable& functions, hcl::Diagnostics& diagnostics) {
  return Decoder(context, functions, diagnostics).body(body, spec);
}

std::vector<hcl::Reference> variables(const hcl::Body& body, const Spec& spec) {
  std::vector<hcl::Reference> out;
  add_variables(body, spec, out);
  return out;
}

}  // namespace drover::hcldec
