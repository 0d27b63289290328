// Bodies: what stands in a file or between braces, read through a schema. One interface for the native and the JSON syntax.
//
// `content` picks attributes and blocks and reports what the schema does not know; `dynamic` blocks are expanded on the way when the
// schema says so. A Block that a dynamic made carries the scope its expressions must be evaluated in. Values share immutable trees.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "lib/hcl/ast.h"
#include "lib/hcl/evaluator.h"

namespace drover::hcl {

struct JsonNode;

struct Attribute {
  std::string name;
  ExprPtr expression;
  Range range;
  Range name_range;
};

class Body;

struct Block {
  std::string type;
  std::vector<std::string> labels;
  std::shared_ptr<const Body> body;
  std::shared_ptr<const EvalContext> scope;  // of the dynamic block that made it, else null: the scope around counts
  Range type_range;
  Range definition_range;
  std::vector<Range> label_ranges;
};

struct AttributeSchema {
  std::string name;
  bool required = false;
};
struct BlockSchema {
  std::string type;
  std::vector<std::string> labels;  // their names, for messages
};
struct BodySchema {
  std::vector<AttributeSchema> attributes;
  std::vector<BlockSchema> blocks;
};

// The schema with the block `dynamic`, for `Body::expanded`.
[[nodiscard]] BodySchema expandable(BodySchema schema);

struct Content {
  std::map<std::string, Attribute, std::less<>> attributes;
  std::vector<Block> blocks;
  Range missing_range;  // where something that is missing would have been

  [[nodiscard]] const Attribute* attribute(std::string_view name) const {
    const auto found = attributes.find(name);
    return found == attributes.end() ? nullptr : &found->second;
  }
};

class Body {
 public:
  explicit Body(std::shared_ptr<const NativeBody> body) : body_(std::move(body)) {}
  explicit Body(std::shared_ptr<const JsonNode> json) : body_(std::move(json)) {}

  // Without expanding dynamic blocks.
  [[nodiscard]] Content content(const BodySchema& schema, Diagnostics& diagnostics, bool partial = false) const;
  // With `dynamic` blocks expanded in `context`; `schema` is one that `expandable` made.
  [[nodiscard]] Content expanded(const BodySchema& schema, const EvalContext& context, Diagnostics& diagnostics, bool partial = false) const;
  // All attributes in the order written; blocks are errors. JSON: every property.
  [[nodiscard]] std::vector<Attribute> attributes(Diagnostics& diagnostics) const;
  // The native tree, null for JSON.
  [[nodiscard]] const NativeBody* native() const;
  [[nodiscard]] Range missing_range() const;

 private:
  using Json = std::shared_ptr<const JsonNode>;
  [[nodiscard]] Content native_content(const NativeBody& body, const BodySchema& schema, Diagnostics& diagnostics, bool partial) const;
  [[nodiscard]] Content json_content(const JsonNode& json, const BodySchema& schema, Diagnostics& diagnostics, bool partial) const;

  std::variant<std::shared_ptr<const NativeBody>, Json> body_;
};

// A file in either syntax: JSON when its first byte that is not a space is a brace.
[[nodiscard]] std::shared_ptr<const Body> parse_file(const SourcePtr& file, Diagnostics& diagnostics);
[[nodiscard]] std::shared_ptr<const Body> parse_json(const SourcePtr& file, Diagnostics& diagnostics);

// Blocks that a block `dynamic "<type>"` stands for.
[[nodiscard]] std::vector<Block> expand_dynamic(const Block& block, const BlockSchema& schema, const EvalContext& context, Diagnostics& diagnostics);

}  // namespace drover::hcl
