// Appending JSON scalars to a string.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace drover::model {

// Length of the valid UTF-8 sequence at the start of `text`, 0 when there is none. Not for an empty text.
[[nodiscard]] std::size_t utf8_length(std::string_view text);

// A JSON string with quotes. <, > and & are written as they are; invalid UTF-8 becomes U+FFFD.
void append_json_string(std::string& out, std::string_view text);
void append_json_number(std::string& out, std::int64_t value);
void append_json_number(std::string& out, std::uint64_t value);
// As Go writes float64: the shortest form that reads back equal.
void append_json_number(std::string& out, double value);

}  // namespace drover::model
