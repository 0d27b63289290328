#include <fmt/format.h>

#include <algorithm>

#include "lib/hcl/body.h"
#include "lib/hcl/json_syntax.h"
#include "lib/hcl/unicode.h"
#include "sdk/base/text.h"

namespace drover::hcl {

namespace {

// The properties of an object, or of all objects of an array. `purpose` completes the sentence about what should be there.
std::vector<const JsonProperty*> properties_of(const JsonNode& node, const std::string& purpose, Diagnostics& diagnostics) {
  std::vector<const JsonProperty*> out;
  const auto add = [&out](const JsonNode& object) {
    for (const JsonProperty& property : object.properties) out.push_back(&property);
  };
  const auto wrong = [&](const char* wanted, const JsonNode& about) {
    diagnostics.add("Incorrect JSON value type", fmt::format("{} is required here, to {}.", wanted, purpose), about.start_range);
  };
  switch (node.kind) {
    case JsonNode::Kind::null: break;
    case JsonNode::Kind::object: add(node); break;
    case JsonNode::Kind::array:
      for (const JsonPtr& element : node.elements) {
        if (element->kind == JsonNode::Kind::object) add(*element);
        else wrong("A JSON object", *element);
      }
      break;
    default: wrong("Either a JSON object or JSON array of objects", node);
  }
  return out;
}

// Turns a property's value into blocks: one level of object per label, arrays for repetition.
class BlockReader {
 public:
  BlockReader(const BlockSchema& schema, const JsonProperty& property, Diagnostics& diagnostics, std::vector<Block>& out)
      : schema_(schema), property_(property), diagnostics_(diagnostics), out_(out) {}

  void read(const JsonPtr& value, std::size_t label) {
    if (label < schema_.labels.size()) return read_labels(*value, label);
    switch (value->kind) {
      case JsonNode::Kind::null: return;
      case JsonNode::Kind::object: return add(value, value->start_range);
      case JsonNode::Kind::array:
        // An element that is no object is found out when the block is read.
        for (const JsonPtr& element : value->elements) add(element, value->start_range);
        return;
      default:
        diagnostics_.add("Incorrect JSON value type",
                         fmt::format("Either a JSON object or a JSON array is required, representing the contents of one or more {} blocks.", quote(schema_.type)), value->start_range);
    }
  }

 private:
  void read_labels(const JsonNode& value, std::size_t label) {
    const auto properties = properties_of(value, fmt::format("specify {} labels for this block", schema_.labels[label]), diagnostics_);
    if (properties.empty()) {
      diagnostics_.add("Missing block label", fmt::format("At least one object property is required, whose name represents the {} block's {}.", schema_.type, schema_.labels[label]), value.start_range);
    }
    for (const JsonProperty* property : properties) {
      labels_.push_back(property->name);
      label_ranges_.push_back(property->name_range);
      read(property->value, label + 1);
      labels_.pop_back();
      label_ranges_.pop_back();
    }
  }

  void add(const JsonPtr& body, const Range& definition) {
    out_.push_back({schema_.type, labels_, std::make_shared<Body>(body), nullptr, property_.name_range, definition, label_ranges_});
  }

  const BlockSchema& schema_;
  const JsonProperty& property_;
  Diagnostics& diagnostics_;
  std::vector<Block>& out_;
  std::vector<std::string> labels_;
  std::vector<Range> label_ranges_;
};

Attribute attribute_of(const JsonProperty& property) {
  return {property.name, property.value->expression, between(property.name_range, property.value->range), property.name_range};
}

}  // namespace

Content Body::json_content(const JsonNode& json, const BodySchema& schema, Diagnostics& diagnostics, bool partial) const {
  const std::string purpose = "define arguments and child blocks";
  Content content;
  content.missing_range = missing_range();
  std::vector<const JsonProperty*> unknown;
  for (const JsonProperty* property : properties_of(json, purpose, diagnostics)) {
    const auto attribute = std::find_if(schema.attributes.begin(), schema.attributes.end(), [&](const auto& item) { return item.name == property->name; });
    const auto block = std::find_if(schema.blocks.begin(), schema.blocks.end(), [&](const auto& item) { return item.type == property->name; });
    if (attribute != schema.attributes.end()) {
      if (const auto existing = content.attributes.find(property->name); existing != content.attributes.end()) {
        diagnostics.add("Duplicate argument", fmt::format("The argument {} was already set at {}.", quote(property->name), existing->second.range.str()), property->name_range);
      } else {
        content.attributes[property->name] = attribute_of(*property);
      }
    } else if (block != schema.blocks.end()) {
      BlockReader(*block, *property, diagnostics, content.blocks).read(property->value, 0);
    } else if (property->name != "//") {
      unknown.push_back(property);
    }
  }
  for (const AttributeSchema& wanted : schema.attributes) {
    if (!wanted.required || content.attributes.contains(wanted.name)) continue;
    diagnostics.add("Missing required argument", fmt::format("The argument {} is required, but no definition was found.", quote(wanted.name)), content.missing_range);
  }
  if (partial) return content;
  // The reference looks for them in a second pass, which says once more what is wrong with the body as a whole.
  (void)properties_of(json, purpose, diagnostics);
  std::vector<std::string> names;
  for (const AttributeSchema& candidate : schema.attributes) {
    if (!content.attributes.contains(candidate.name)) names.push_back(candidate.name);
  }
  for (const BlockSchema& candidate : schema.blocks) names.push_back(candidate.type);
  for (const JsonProperty* property : unknown) {
    diagnostics.add("Extraneous JSON object property", fmt::format("No argument or block type is named {}.{}", quote(property->name), name_suggestion(property->name, names)), property->name_range);
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
  const JsonNode& json = *std::get<Json>(body_);
  if (json.kind != JsonNode::Kind::object) {
    diagnostics.add("Incorrect JSON value type", "A JSON object is required here, setting the arguments for this block.", json.start_range);
    return out;
  }
  for (const JsonProperty& property : json.properties) {
    if (property.name == "//") continue;
    const auto existing = std::find_if(out.begin(), out.end(), [&](const auto& item) { return item.name == property.name; });
    if (existing != out.end()) {
      diagnostics.add("Duplicate attribute definition", fmt::format("The argument {} was already set at {}.", quote(property.name), existing->range.str()), property.name_range);
      continue;
    }
    out.push_back(attribute_of(property));
  }
  return out;
}

std::shared_ptr<const Body> parse_json(const SourcePtr& file, Diagnostics& diagnostics) {
  JsonPtr root = parse_json_text(file, diagnostics);
  if (root->kind != JsonNode::Kind::object && root->kind != JsonNode::Kind::array) {
    diagnostics.add("Root value must be object", "The root value in a JSON-based configuration must be either a JSON object or a JSON array of objects.", root->start_range);
    auto empty = std::make_shared<JsonNode>();
    empty->kind = JsonNode::Kind::object;
    empty->range = empty->start_range = empty->close_range = Range{file, {}, {}};
    root = std::move(empty);
  }
  return std::make_shared<Body>(std::move(root));
}

}  // namespace drover::hcl
