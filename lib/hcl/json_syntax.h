// JSON with places, as the HCL JSON syntax needs it. Internal to lib/hcl; body.h is the way in.
//
// After an error reading goes on, so that there is always a tree; `invalid` stands where nothing was understood.
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
  enum class Kind { invalid, object, array, string, number, boolean, null };
  Kind kind = Kind::invalid;
  std::vector<JsonProperty> properties;
  std::vector<std::shared_ptr<const JsonNode>> elements;
  ExprPtr expression;  // the value as an expression; strings are templates
  Range range;
  Range start_range;
  Range close_range;  // of an object
};
using JsonPtr = std::shared_ptr<const JsonNode>;

// Never null.
[[nodiscard]] JsonPtr parse_json_text(const SourcePtr& file, Diagnostics& diagnostics);

}  // namespace drover::hcl
