// The little of Unicode that the language needs: grapheme clusters, identifiers, NFC, simple case mapping.
// The only header of the tree that leads to utf8proc. Pure functions; broken UTF-8 counts byte by byte.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace drover::hcl {

struct Rune {
  std::int32_t code = -1;  // -1: not valid UTF-8
  std::size_t length = 1;
};
[[nodiscard]] Rune decode_rune(std::string_view text);
void append_rune(std::string& out, std::int32_t code);

// Bytes of the first grapheme cluster; CR LF is one. `text` is not empty.
[[nodiscard]] std::size_t grapheme_length(std::string_view text);
[[nodiscard]] std::vector<std::string_view> graphemes(std::string_view text);

[[nodiscard]] bool is_identifier_start(std::int32_t code);
[[nodiscard]] bool is_identifier_part(std::int32_t code);
[[nodiscard]] bool is_identifier(std::string_view text);
[[nodiscard]] bool is_space(std::int32_t code);
[[nodiscard]] bool is_letter(std::int32_t code);
// Whether Go prints a character as it is.
[[nodiscard]] bool is_printable(std::int32_t code);
// A text in quotation marks as in messages of the reference: sdk/base's quote, and beyond ASCII what does not print is escaped too.
[[nodiscard]] std::string quote(std::string_view text);

[[nodiscard]] bool is_valid_utf8(std::string_view text);
[[nodiscard]] std::string normalize_nfc(std::string_view text);
[[nodiscard]] std::string to_upper(std::string_view text);
[[nodiscard]] std::string to_lower_text(std::string_view text);
// The first letter of every word in upper case; words are divided as Go's strings.Title does.
[[nodiscard]] std::string to_title(std::string_view text);
[[nodiscard]] std::string_view trim_space(std::string_view text);
[[nodiscard]] std::string_view trim_space_left(std::string_view text);
[[nodiscard]] std::string_view trim_space_right(std::string_view text);

}  // namespace drover::hcl
