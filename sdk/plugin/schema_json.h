// Schemas as JSON, in the form that protobuf's own JSON would have: {"object": {"attributes": {"command": {"attr": {...}}}}}. This is how
// nodes publish them over HTTP. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "sdk/plugin/schema.h"

namespace drover::plugin {

// Null for an empty Spec.
[[nodiscard]] nlohmann::json schema_to_json(const Spec& spec);
// P-25: hostile input; the result has passed check_schema(). Null gives an empty Spec.
[[nodiscard]] Result<Spec> schema_from_json(const nlohmann::json& document);

}  // namespace drover::plugin
