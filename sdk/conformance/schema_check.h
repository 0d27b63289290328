// What a schema that is valid may still get wrong, and the units of attributes. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sdk/plugin/schema.h"

namespace drover::conformance {

// Sentences about defaults whose literal has another type than what they replace: hosts do not convert them.
[[nodiscard]] std::vector<std::string> check_defaults(const plugin::Spec& schema);
// The units of protocol 6.3.
[[nodiscard]] bool is_unit(std::string_view unit);

}  // namespace drover::conformance
