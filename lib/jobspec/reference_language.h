// The part of the reference page that is about the language: what stands beside `job`, `dynamic` blocks, functions. Pure.
#pragma once

#include <string>

namespace drover::jobspec {

[[nodiscard]] std::string language_sections();

}  // namespace drover::jobspec
