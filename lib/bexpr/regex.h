// Regular expressions of filters: RE2, bounded, with Go's error texts. Private to lib/bexpr.
#pragma once

#include <string_view>

#include "lib/bexpr/ast.h"

namespace drover::bexpr {

// Compiles node.value; a failure is kept as text, since it is told when the filter is used, not when it is read.
void compile_regex(Node& node);
[[nodiscard]] bool regex_matches(const Node& node, std::string_view text);

}  // namespace drover::bexpr
