#include "lib/jobspec/decode.h"

#include <fmt/format.h>

#include "sdk/base/text.h"

namespace drover::jobspec {

namespace {

class BlockDecoder {
 public:
  BlockDecoder(const hcl::Content& content, const hcl::EvalContext& context, hcl::Diagnostics& diagnostics)
      : content_(content), context_(context), diagnostics_(diagnostics) {}

  Json field(const Field& field) {
    const hcl::Attribute* attribute = field.hcl.empty() ? nullptr : content_.attribute(field.hcl);
    std::vector<const hcl::Block*> blocks;
    if (may_be_block(field) && !field.hcl.empty()) {
      for (const hcl::Block& block : content_.blocks) {
        if (block.type == field.hcl) blocks.push_back(&block);
      }
    }
    if (attribute != nullptr) {
      if (!blocks.empty()) {
        diagnostics_.add(fmt::format("Duplicate {} block", field.hcl), fmt::format("{} may not be defined more than once. Another definition is defined at {}.", field.hcl, attribute->range.str()), blocks[0]->definition_range);
      }
      return decode_value(*attribute->expression, field, context_, diagnostics_);
    }
    if (blocks.empty()) return unset_value(field);
    if (field.shape == Shape::many) {
      Json out = Json::array();
      for (const hcl::Block* block : blocks) out.push_back(nested(*block, field));
      return out;
    }
    if (field.shape == Shape::keyed) {
      Json out = Json::object();
      for (const hcl::Block* block : blocks) out[block->labels[0]] = nested(*block, field);
      return out;
    }
    if (blocks.size() > 1) {
      diagnostics_.add(fmt::format("Duplicate {} block", field.hcl), fmt::format("Only one {} block is allowed. Another was defined at {}.", field.hcl, blocks[0]->definition_range.str()), blocks[1]->definition_range);
      return unset_value(field);
    }
    return nested(*blocks[0], field);
  }

 private:
  Json nested(const hcl::Block& block, const Field& field) {
    const hcl::EvalContext& context = block.scope ? *block.scope : context_;
    switch (field.shape) {
      case Shape::free_map: return decode_free_body(*block.body, context, diagnostics_);
      case Shape::text_map: case Shape::text_list_map: return map_body(*block.body, field, context);
      default: break;
    }
    Json out = decode_block(*block.body, *field.nested, block.labels, context, diagnostics_);
    if (field.nested->special == Special::scaling_task) finish_task_scaling(out, block.label_ranges.empty() ? block.type_range : block.label_ranges[0], diagnostics_);
    return out;
  }

  Json map_body(const hcl::Body& body, const Field& field, const hcl::EvalContext& context) {
    Json out = Json::object();
    Field element{field.hcl, field.json, field.shape == Shape::text_map ? Shape::text : Shape::text_list, field.shape == Shape::text_list_map};
    element.form = field.form;
    for (const hcl::Attribute& attribute : body.attributes(diagnostics_)) {
      out[attribute.name] = decode_value(*attribute.expression, element, context, diagnostics_);
    }
    return out;
  }

  const hcl::Content& content_;
  const hcl::EvalContext& context_;
  hcl::Diagnostics& diagnostics_;
};

}  // namespace

Json decode_block(const hcl::Body& body, const Schema& schema, const std::vector<std::string>& labels, const hcl::EvalContext& context,
                  hcl::Diagnostics& diagnostics) {
  if (schema.special == Special::constraint) return decode_constraint(body, context, diagnostics);
  if (schema.special == Special::affinity) return decode_affinity(body, context, diagnostics);
  if (&schema == &task_schema()) {
    // The reference looks at the scaling blocks of a task first, and then once more with everything else: a wrong label is told twice.
    static const hcl::BodySchema scaling{{}, {{"scaling", {"name"}}}};
    (void)body.content(scaling, diagnostics, true);
  }
  const hcl::Content content = body.expanded(schema.body, context, diagnostics);
  BlockDecoder decoder(content, context, diagnostics);
  Json::object_t fields;
  fields.reserve(schema.fields.size() + 1);
  if (!schema.label_json.empty()) fields.emplace_back(schema.label_json, labels.empty() ? "" : labels[0]);
  for (const Field& field : schema.fields) {
    if (field.json.empty() || field.json == schema.label_json) continue;
    Json value = decoder.field(field);
    if (value.is_null() && field.omit_when_unset) continue;
    fields.emplace_back(field.json, std::move(value));
  }
  Json out(std::move(fields));
  if (schema.special == Special::network) finish_network(out);
  if (schema.special == Special::scaling_group) finish_group_scaling(out, content, diagnostics);
  if (const Field* id = schema.find("id"); id != nullptr && id->json == schema.label_json && content.attribute("id") != nullptr) {
    out[std::string(schema.label_json)] = decode_value(*content.attribute("id")->expression, *id, context, diagnostics);
  }
  return out;
}

}  // namespace drover::jobspec
