// Text to syntax trees: whole files, single expressions, bare templates.
//
// A parse always returns a tree; when it failed the tree covers what was understood and `diagnostics` has an error. Parsing is pure
// and bounded (limits.h). The tree keeps its source alive.
#pragma once

#include <memory>
#include <string_view>

#include "lib/hcl/ast.h"
#include "lib/hcl/diagnostic.h"
#include "lib/hcl/source.h"

namespace drover::hcl {

// A file in the native syntax. A byte order mark is skipped.
[[nodiscard]] std::shared_ptr<const NativeBody> parse_native(const SourcePtr& file, Diagnostics& diagnostics);

// One expression that fills the text from `start` to `end_byte` (npos: the end of the file).
[[nodiscard]] ExprPtr parse_expression(const SourcePtr& file, Diagnostics& diagnostics, Pos start = {},
                                       std::size_t end_byte = std::string_view::npos);

// A template without quotes: literal text with ${} and %{} sequences, as JSON strings and runtime interpolation hold it.
[[nodiscard]] ExprPtr parse_template(const SourcePtr& file, Diagnostics& diagnostics, Pos start = {},
                                     std::size_t end_byte = std::string_view::npos);

}  // namespace drover::hcl
