// A schema for people and for programs: HCL as one would write it into a config block, with what each line means, and JSON. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "sdk/plugin/schema.h"

namespace drover::plugin {

// Lines like `command = string  # required`, blocks with their arguments inside; empty for a schema without arguments.
[[nodiscard]] std::string schema_text(const Spec& schema, const std::string& indent = {});
// The same tree: {"object": {"command": {"attr": {"name": ..., "type": ..., "required": true}}}}; null for an empty Spec.
[[nodiscard]] nlohmann::json schema_json(const Spec& schema);

}  // namespace drover::plugin
