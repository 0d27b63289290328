// Reading the small HCL and JSON files that describe a namespace, a node pool and the like.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "lib/model/types.h"
#include "sdk/base/error.h"

namespace drover::cli {

// What may stand in a block: attributes and their API names, blocks and what may stand in those. `free` takes every attribute as it is.
struct SpecShape {
  std::string json;  // the name in the API
  bool free = false;
  bool labelled = false;  // one label, which becomes "Name"
  std::map<std::string, std::string> attributes = {};
  std::map<std::string, SpecShape> blocks = {};
};

// The text of a path, `-` being standard input; a missing file reads as the reference says it.
[[nodiscard]] Result<std::string> read_spec(const std::string& path);
// The API's JSON of an HCL text. Mistakes are given with file, line, column and the line itself.
[[nodiscard]] Result<model::Json> parse_spec(const std::string& name, const std::string& text, const SpecShape& shape);

}  // namespace drover::cli
