// What a scalar of YAML stands for: the words of YAML 1.1 for booleans and null, the numbers of YAML 1.2, timestamps as RFC 3339 text, as the
// reference reads them. Internal to lib/hcl. Pure.
#pragma once

#include <string>

#include "lib/hcl/functions.h"

namespace drover::hcl {

// `tag` in its long form, empty when there is none; `quoted`: in quotation marks of either kind.
[[nodiscard]] FunctionResult yaml_scalar(const std::string& tag, const std::string& text, bool quoted);

}  // namespace drover::hcl
