// JSON text to a Value, with the reference's complaints. Internal to lib/hcl.
#pragma once

#include <string_view>

#include "lib/hcl/functions.h"

namespace drover::hcl {

[[nodiscard]] FunctionResult value_from_json(std::string_view text, Budget& budget);

}  // namespace drover::hcl
