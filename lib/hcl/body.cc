#include "lib/hcl/body.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "lib/hcl/json_syntax.h"
#include "lib/hcl/parser.h"
#include "lib/hcl/unicode.h"
#include "sdk/base/text.h"

namespace drover::hcl {

namespace {

std::string joined_labels(const BlockSchema& schema) { return join(schema.labels, ", "); }

// False when a block's labels are not as the schema wants.
bool check_labels(const NativeBlock& block, const BlockSchema& schema, Diagnostics& diagnostics) {
  const std::size_t wanted = schema.labels.size();
  if (block.labels.size() > wanted) {
    diagnostics.add(fmt::format("Extraneous label for {}", schema.type),
                    wanted == 0 ? fmt::format("No labels are expected for {} blocks.", schema.type)
                                : fmt::format("Only {} labels ({}) are expected for {} blocks.", wanted, joined_labels(schema), schema.type),
                    block.label_ranges[wanted]);
    return false;
  }
  if (block.labels.size() < wanted) {
    diagnostics.add(fmt::format("Missing {} for {}", schema.labels[block.labels.size()], schema.type),
                    fmt::format("All {} blocks must have {} labels ({}).", schema.type, wanted, joined_labels(schema)), block.open_range);
    return false;
  }
  return true;
}

bool has_attribute(const BodySchema& schema, std::string_view name) {
  return std::any_of(schema.attributes.begin(), schema.attributes.end(), [&](const auto& item) { return item.name == name; });
}
bool has_block(const BodySchema& schema, std::string_view type) {
  return std::any_of(schema.blocks.begin(), schema.blocks.end(), [&](const auto& item) { return item.type == type; });
}

}  // namespace

Content Body::native_content(const NativeBody& body, const BodySchema& schema, Diagnostics& diagnostics, bool partial) const {
  Content content;
  content.missing_range = missing_range();
  for (const AttributeSchema& wanted : schema.attributes) {
    const auto found = std::find_if(body.attributes.begin(), body.attributes.end(), [&](const auto& item) { return item.name == wanted.name; });
    if (found != body.attributes.end()) {
      content.attributes[wanted.name] = {found->name, found->expression, found->range, found->name_range};
    } else if (wanted.required) {
      diagnostics.add("Missing required argument", fmt::format("The argument {} is required, but no definition was found.", quote(wanted.name)), content.missing_range);
    }
  }
  for (const NativeBlock& block : body.blocks) {
    const auto wanted = std::find_if(schema.blocks.begin(), schema.blocks.end(), [&](const auto& item) { return item.type == block.type; });
    if (wanted == schema.blocks.end() || !check_labels(block, *wanted, diagnostics)) continue;
    content.blocks.push_back({block.type, block.labels, std::make_shared<Body>(block.body), nullptr, block.type_range, block.header_range(), block.label_ranges});
  }
  if (partial) return content;

  for (const NativeAttribute& attribute : body.attributes) {
    if (has_attribute(schema, attribute.name)) continue;
    std::vector<std::string> names;
    for (const AttributeSchema& candidate : schema.attributes) {
      const bool taken = std::any_of(body.attributes.begin(), body.attributes.end(), [&](const auto& item) { return item.name == candidate.name; });
      if (!taken) names.push_back(candidate.name);
    }
    std::string hint = name_suggestion(attribute.name, names);
    if (hint.empty() && has_block(schema, attribute.name)) hint = fmt::format(" Did you mean to define a block of type {}?", quote(attribute.name));
    diagnostics.add("Unsupported argument", fmt::format("An argument named {} is not expected here.{}", quote(attribute.name), hint), attribute.name_range);
  }
  for (const NativeBlock& block : body.blocks) {
    if (has_block(schema, block.type)) continue;
    std::vector<std::string> names;
    for (const BlockSchema& candidate : schema.blocks) names.push_back(candidate.type);
    std::string hint = name_suggestion(block.type, names);
    if (hint.empty() && has_attribute(schema, block.type)) {
      hint = fmt::format(" Did you mean to define argument {}? If so, use the equals sign to assign it a value.", quote(block.type));
    }
    diagnostics.add("Unsupported block type", fmt::format("Blocks of type {} are not expected here.{}", quote(block.type), hint), block.type_range);
  }
  return content;
}

BodySchema expandable(BodySchema schema) {
  schema.blocks.push_back({"dynamic", {"type"}});
  return schema;
}

Content Body::content(const BodySchema& schema, Diagnostics& diagnostics, bool partial) const {
  if (const auto* json = std::get_if<Json>(&body_)) return json_content(**json, schema, diagnostics, partial);
  return native_content(*std::get<std::shared_ptr<const NativeBody>>(body_), schema, diagnostics, partial);
}

Content Body::expanded(const BodySchema& schema, const EvalContext& context, Diagnostics& diagnostics, bool partial) const {
  Content out = content(schema, diagnostics, partial);
  if (std::ranges::none_of(out.blocks, [](const Block& block) { return block.type == "dynamic"; })) return out;
  std::vector<Block> written = std::move(out.blocks);
  out.blocks.clear();
  for (Block& block : written) {
    if (block.type != "dynamic") {
      out.blocks.push_back(std::move(block));
      continue;
    }
    const auto wanted = std::find_if(schema.blocks.begin(), schema.blocks.end(), [&](const auto& item) { return item.type == block.labels[0]; });
    if (wanted == schema.blocks.end() || wanted->type == "dynamic") {
      if (!partial) {
        diagnostics.add("Unsupported block type", fmt::format("Blocks of type {} are not expected here.", quote(block.labels[0])), block.label_ranges[0]);
      }
      continue;
    }
    for (Block& made : expand_dynamic(block, *wanted, context, diagnostics)) out.blocks.push_back(std::move(made));
  }
  return out;
}

const NativeBody* Body::native() const {
  const auto* body = std::get_if<std::shared_ptr<const NativeBody>>(&body_);
  return body == nullptr ? nullptr : body->get();
}

Range Body::missing_range() const {
  if (const auto* json = std::get_if<Json>(&body_)) return (*json)->kind == JsonNode::Kind::object ? (*json)->close_range : (*json)->start_range;
  const Range& range = native()->range;
  return {range.file, range.start, range.start};
}

std::shared_ptr<const Body> parse_file(const SourcePtr& file, Diagnostics& diagnostics) {
  const std::size_t first = file->text.find_first_not_of(' ');
  if (first != std::string::npos && file->text[first] == '{') return parse_json(file, diagnostics);
  return std::make_shared<Body>(parse_native(file, diagnostics));
}

}  // namespace drover::hcl
