// JSON with places, as the HCL JSON syntax needs it. Internal to lib/hcl; body.h is the way in.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lib/hcl/ast.h"

namespace drover::hcl {

struct JsonNode;
struct JsonProperty {
  std::string name;
  Range name_range;
  std::shared_ptr<const JsonNode> value;
};

struct JsonNode {
  enum class Kind { object, array, string, number, boolean, null };
  Kind kind = Kind::null;
  std::vector<JsonProperty> properties;
  std::vector<std::shared_ptr<const JsonNode>> elements;
  ExprPtr expression;  // the value as an expression; strings are templates
  Range range;
  Range start_range;
};
using JsonPtr = std::shared_ptr<const JsonNode>;

// Null when the text is not JSON.
[[nodiscard]] JsonPtr parse_json_text(const SourcePtr& file, Diagnostics& diagnostics);

}  // namespace drover::hcl
