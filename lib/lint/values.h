// Attributes of the job file that take one of a few words, for hints and completion. The servers' validation decides; this explains. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace drover::lint {

// Null when the attribute of that block takes any text. Blocks are named by their type; `job` stands for itself.
[[nodiscard]] const std::vector<std::string>* accepted_values(std::string_view block, std::string_view attribute);
// `"a", "b" or "c" are accepted here. Did you mean "a"?`; empty when any text is taken, or this one is.
[[nodiscard]] std::string value_hint(std::string_view block, std::string_view attribute, std::string_view given);

}  // namespace drover::lint
