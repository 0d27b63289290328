#include "lib/lint/columns.h"

#include <doctest/doctest.h>

using namespace drover::lint;

TEST_CASE("columns: a character beyond the basic plane is two UTF-16 units and one code point") {
  const std::string_view text = "a\n\xf0\x9f\x90\x82x\xc3\xa9y\n";  // a, then an ox, x, e with accent, y
  CHECK(position_of(text, 6, Unit::utf16) == LineColumn{1, 2});
  CHECK(position_of(text, 6, Unit::code_point) == LineColumn{1, 1});
  CHECK(position_of(text, 9, Unit::utf16) == LineColumn{1, 4});
  CHECK(byte_of(text, {1, 2}, Unit::utf16) == 6);
  CHECK(byte_of(text, {1, 4}, Unit::utf16) == 9);
  CHECK(byte_of(text, {1, 1}, Unit::code_point) == 6);
  CHECK(byte_of(text, {1, 1}, Unit::utf16) == 2);  // inside of the ox: its start
}

TEST_CASE("columns: what lies beyond a line or the text is its end, line breaks of both kinds") {
  const std::string_view text = "ab\r\ncd";
  CHECK(byte_of(text, {0, 99}, Unit::utf16) == 2);
  CHECK(byte_of(text, {1, 99}, Unit::utf16) == 6);
  CHECK(byte_of(text, {9, 0}, Unit::utf16) == 6);
  CHECK(position_of(text, 99, Unit::utf16) == LineColumn{1, 2});
  CHECK(position_of("", 0, Unit::utf16) == LineColumn{0, 0});
}

TEST_CASE("columns: broken UTF-8 counts byte by byte, and every byte there and back") {
  const std::string_view text = "\xff\xc3(\xe2\x82";
  for (std::size_t byte = 0; byte <= text.size(); byte++) {
    const LineColumn position = position_of(text, byte, Unit::utf16);
    CHECK(byte_of(text, position, Unit::utf16) <= byte);
  }
  CHECK(position_of(text, text.size(), Unit::utf16).column == 5);
}
