// What is wrong with a text that is not JSON, in the words of Go's decoder, which clients of the API show as they are. Pure.
#pragma once

#include <string>
#include <string_view>

namespace drover::model {

// "unexpected EOF", "invalid character 'x' looking for beginning of value"; empty when the text begins with a value.
[[nodiscard]] std::string json_complaint(std::string_view text);

}  // namespace drover::model
