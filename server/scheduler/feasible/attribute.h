// Typed attributes of devices: numbers with units, booleans and text, and how constraints compare them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lib/model/node_resources.h"

namespace drover::scheduler {

// "4 GiB", "1.5", "true", "abc": what a constraint's text means.
[[nodiscard]] model::Attribute parse_attribute(std::string_view text);
// <0, 0, >0; none when the two cannot be compared (other kinds, other units).
[[nodiscard]] std::optional<int> compare(const model::Attribute& a, const model::Attribute& b);
// As the text operators see it; none for what is not text, except that numbers count for versions.
[[nodiscard]] std::optional<std::string> attribute_text(const model::Attribute& value);
[[nodiscard]] std::optional<std::string> attribute_version(const model::Attribute& value);

}  // namespace drover::scheduler
