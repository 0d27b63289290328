#include <fmt/format.h>

#include <algorithm>

#include "lib/hcl/body.h"
#include "lib/hcl/json_syntax.h"
#include "sdk/base/text.h"

namespace drover::hcl {

namespace {

// Turns a property's value into blocks: one level of object per label, arrays for repetition.
class BlockReader {
 public:
  BlockReader(const BlockSchema& schema, const JsonProperty& property, Diagnostics& diagnostics, std::vector<Block>& out)
      : schema_(schema), property_(property), diagnostics_(diagnostics), out_(out) {}

  void read(const JsonPtr& value, std::size_t label) {
    if (label < schema_.labels.size()) return read_labels(value, label);
    if (value->kind == JsonNode::Kind::null) return;
    if (value->kind == JsonNode::Kind::object) return add({value}, value->range);
    if (value->kind == JsonNode::Kind::array) {
      for (const JsonPtr& element : value->elements) {
        if (element->kind == JsonNode::Kind::null) continue;
        if (element->kind == JsonNode::Kind::object) add({element}, element->range);
        else wrong("A JSON object is required here, setting the arguments for this block.", element->start_range);
      }
      return;
    }
    wrong(fmt::format("Either a JSON object or a JSON array is required, representing the contents of one or more {} blocks.", quote(schema_.type)), value->start_range);
  }

 private:
  void read_labels(const JsonPtr& value, std::size_t label) {
    std::vector<const JsonProperty*> properties;
    if (value->kind == JsonNode::Kind::object) {
      for (const JsonProperty& property : value->properties) properties.push_back(&property);
    } else if (value->kind == JsonNode::Kind::array) {
      for (const JsonPtr& element : value->elements) {
        if (element->kind != JsonNode::Kind::object) {
          wrong(fmt::format("A JSON object is required here, to specify {} labels for this block.", schema_.labels[label]), element->start_range);
          continue;
        }
        for (const JsonProperty& property : element->properties) properties.push_back(&property);
      }
    } else if (value->kind != JsonNode::Kind::null) {
      wrong(fmt::format("Either a JSON object or JSON array of objects is required here, to specify {} labels for this block.", schema_.labels[label]), value->start_range);
      return;
    }
    if (properties.empty() && value->kind != JsonNode::Kind::null) {
      diagnostics_.add("Missing block label", fmt::format("At least one object property is required, whose name represents the {} block's {}.", schema_.type, schema_.labels[label]), value->start_range);
      return;
    }
    for (const JsonProperty* property : properties) {
      if (property->name == "//") continue;
      labels_.push_back(property->name);
      label_ranges_.push_back(property->name_range);
      read(property->value, label + 1);
      labels_.pop_back();
      label_ranges_.pop_back();
    }
  }

  void add(std::vector<JsonPtr> objects, const Range& range) {
    out_.push_back({schema_.type, labels_, std::make_shared<Body>(std::move(objects), range), nullptr, property_.name_range, property_.name_range, label_ranges_});
  }
  void wrong(std::string detail, const Range& range) { diagnostics_.add("Incorrect JSON value type", std::move(detail), range); }

  const BlockSchema& schema_;
  const JsonProperty& property_;
  Diagnostics& diagnostics_;
  std::vector<Block>& out_;
  std::vector<std::string> labels_;
  std::vector<Range> label_ranges_;
};

}  // namespace

Content Body::json_content(const Json& json, const BodySchema& schema, Diagnostics& diagnostics, bool partial) const {
  Content content;
  content.missing_range = missing_range();
  for (const JsonPtr& object : json.objects) {
    for (const JsonProperty& property : object->properties) {
      if (property.name == "//") continue;
      const auto attribute = std::find_if(schema.attributes.begin(), schema.attributes.end(), [&](const auto& item) { return item.name == property.name; });
      const auto block = std::find_if(schema.blocks.begin(), schema.blocks.end(), [&](const auto& item) { return item.type == property.name; });
      if (attribute != schema.attributes.end()) {
        const auto existing = content.attributes.find(property.name);
        if (existing != content.attributes.end()) {
          diagnostics.add("Duplicate argument", fmt::format("The argument {} was already set at {}.", quote(property.name), existing->second.range.str()), property.name_range);
          continue;
        }
        content.attributes[property.name] = {property.name, property.value->expression, between(property.name_range, property.value->range), property.name_range};
      } else if (block != schema.blocks.end()) {
        BlockReader(*block, property, diagnostics, content.blocks).read(property.value, 0);
      } else if (!partial) {
        std::vector<std::string> names;
        for (const AttributeSchema& candidate : schema.attributes) names.push_back(candidate.name);
        for (const BlockSchema& candidate : schema.blocks) names.push_back(candidate.type);
        diagnostics.add("Extraneous JSON object property", fmt::format("No argument or block type is named {}.{}", quote(property.name), name_suggestion(property.name, names)), property.name_range);
      }
    }
  }
  for (const AttributeSchema& wanted : schema.attributes) {
    if (!wanted.required || content.attributes.contains(wanted.name)) continue;
    diagnostics.add("Missing required argument", fmt::format("The argument {} is required, but no definition was found.", quote(wanted.name)), content.missing_range);
  }
  return content;
}

std::vector<Attribute> Body::attributes(Diagnostics& diagnostics) const {
  std::vector<Attribute> out;
  if (const NativeBody* body = native()) {
    if (!body->blocks.empty()) {
      const NativeBlock& example = body->blocks.front();
      diagnostics.add(fmt::format("Unexpected {} block", quote(example.type)), "Blocks are not allowed here.", example.type_range);
    }
    for (const NativeAttribute& item : body->attributes) out.push_back({item.name, item.expression, item.range, item.name_range});
    return out;
  }
  for (const JsonPtr& object : std::get<Json>(body_).objects) {
    for (const JsonProperty& property : object->properties) {
      if (property.name == "//") continue;
      const auto existing = std::find_if(out.begin(), out.end(), [&](const auto& item) { return item.name == property.name; });
      if (existing != out.end()) {
        diagnostics.add("Duplicate attribute definition", fmt::format("The argument {} was already set at {}.", quote(property.name), existing->range.str()), property.name_range);
        continue;
      }
      out.push_back({property.name, property.value->expression, between(property.name_range, property.value->range), property.name_range});
    }
  }
  return out;
}

std::shared_ptr<const Body> parse_json(const SourcePtr& file, Diagnostics& diagnostics) {
  const JsonPtr root = parse_json_text(file, diagnostics);
  if (!root) return std::make_shared<Body>(std::vector<JsonPtr>{}, Range{file, {}, {}});
  std::vector<JsonPtr> objects;
  if (root->kind == JsonNode::Kind::object) {
    objects.push_back(root);
  } else if (root->kind == JsonNode::Kind::array) {
    for (const JsonPtr& element : root->elements) {
      if (element->kind == JsonNode::Kind::object) objects.push_back(element);
      else diagnostics.add("Incorrect JSON value type", "A JSON object is required here, setting the arguments for this block.", element->start_range);
    }
  } else {
    diagnostics.add("Root value must be object", "The root value in a JSON-based configuration must be either a JSON object or a JSON array of objects.", root->start_range);
  }
  return std::make_shared<Body>(std::move(objects), root->range);
}

}  // namespace drover::hcl
