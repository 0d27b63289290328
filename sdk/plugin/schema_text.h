// A schema for people: HCL as one would write it into a config block, with what each line means. For programs: schema_json.h. Pure.
#pragma once

#include <string>

#include "sdk/plugin/schema.h"

namespace drover::plugin {

// Lines like `command = string  # required`, blocks with their arguments inside; empty for a schema without arguments.
[[nodiscard]] std::string schema_text(const Spec& schema, const std::string& indent = {});

}  // namespace drover::plugin
