// JSON texts, and what is wrong with one that is none, in the words of Go's decoder, which clients of the API show as they are. Pure.
#pragma once

#include <string>
#include <string_view>

#include "lib/model/types.h"

namespace drover::model {

// "unexpected EOF", "invalid character 'x' looking for beginning of value"; empty when the text begins with a value.
[[nodiscard]] std::string json_complaint(std::string_view text);

// Makes `out` the value of the whole text and returns nothing, or the complaint. Text that is not UTF-8, a number too large for a
// double and anything behind the value are an "invalid JSON".
[[nodiscard]] std::string parse_json(std::string_view text, Json& out);

}  // namespace drover::model
