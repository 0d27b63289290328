// Places of a text as other programs count them: lines from 0 or 1, columns in UTF-16 units or code points. Bytes are what lib/hcl has.
// Broken UTF-8 counts byte by byte, one unit each.
#pragma once

#include <cstddef>
#include <string_view>

namespace drover::lint {

enum class Unit : unsigned char { utf16, code_point };

struct LineColumn {
  std::size_t line = 0;    // from 0
  std::size_t column = 0;  // from 0, in units
  friend bool operator==(const LineColumn&, const LineColumn&) = default;
};

// A byte in the middle of a character counts as the character's start; one behind the end as the end.
[[nodiscard]] LineColumn position_of(std::string_view text, std::size_t byte, Unit unit);
// The byte of a position. A column behind the end of its line is the line's end (before its line break), a line behind the last is the
// text's end; a column inside of a character is the character's start.
[[nodiscard]] std::size_t byte_of(std::string_view text, LineColumn position, Unit unit);

}  // namespace drover::lint
