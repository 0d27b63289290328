// The canonical layout of native syntax: two blanks a level, aligned `=` and comments, every line break and comment kept.
//
// Works on tokens, so that it never changes what a file means; the text should have parsed before. Applied twice it changes nothing.
#pragma once

#include <string>

#include "lib/hcl/source.h"

namespace drover::hcl {

[[nodiscard]] std::string format(const SourcePtr& file);

}  // namespace drover::hcl
