// Template text to tree. Mistakes read as Go's: `template: NAME:LINE: unexpected {{end}}`.
#pragma once

#include "lib/gotemplate/ast.h"
#include "lib/gotemplate/template.h"

namespace drover::gotemplate {

[[nodiscard]] Result<Tree> parse_template(std::string name, std::string_view text, const Functions& functions, const Options& options);

}  // namespace drover::gotemplate
