#include "lib/hcl/unicode.h"

#include <fmt/format.h>
#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>

#include "sdk/base/text.h"

namespace drover::hcl {

Rune decode_rune(std::string_view text) {
  if (text.empty()) return {};
  const auto byte = static_cast<unsigned char>(text[0]);
  if (byte < 0x80) return {byte, 1};
  utf8proc_int32_t code = -1;
  const auto used = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                     static_cast<utf8proc_ssize_t>(std::min<std::size_t>(text.size(), 4)), &code);
  if (used <= 0) return {};
  return {code, static_cast<std::size_t>(used)};
}

void append_rune(std::string& out, std::int32_t code) {
  utf8proc_uint8_t buffer[4];
  const auto used = utf8proc_encode_char(code, buffer);
  out.append(reinterpret_cast<const char*>(buffer), static_cast<std::size_t>(used));
}

std::size_t grapheme_length(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  // Two plain ASCII bytes never join, but for CR LF: the common case needs no tables.
  if (first < 0x80) {
    if (text.size() == 1) return 1;
    const auto second = static_cast<unsigned char>(text[1]);
    if (second < 0x80) return first == '\r' && second == '\n' ? 2 : 1;
  }
  Rune rune = decode_rune(text);
  if (rune.code < 0) return 1;
  std::size_t at = rune.length;
  utf8proc_int32_t state = 0;
  while (at < text.size()) {
    const Rune next = decode_rune(text.substr(at));
    if (next.code < 0 || utf8proc_grapheme_break_stateful(rune.code, next.code, &state)) break;
    at += next.length;
    rune = next;
  }
  return at;
}

std::vector<std::string_view> graphemes(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const std::size_t length = grapheme_length(text);
    out.push_back(text.substr(0, length));
    text.remove_prefix(length);
  }
  return out;
}

namespace {
bool is_letter_category(utf8proc_category_t category) {
  return category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LL || category == UTF8PROC_CATEGORY_LT ||
         category == UTF8PROC_CATEGORY_LM || category == UTF8PROC_CATEGORY_LO;
}
}  // namespace

bool is_letter(std::int32_t code) { return is_letter_category(utf8proc_category(code)); }

bool is_printable(std::int32_t code) {
  if (code < 0x80) return code >= 0x20 && code < 0x7f;
  switch (utf8proc_category(code)) {
    case UTF8PROC_CATEGORY_CN: case UTF8PROC_CATEGORY_ZS: case UTF8PROC_CATEGORY_ZL: case UTF8PROC_CATEGORY_ZP: case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF: case UTF8PROC_CATEGORY_CS: case UTF8PROC_CATEGORY_CO: return false;
    default: return true;
  }
}

std::string quote(std::string_view text) {
  std::string out = drover::quote(text);
  if (std::ranges::all_of(out, [](char c) { return static_cast<unsigned char>(c) < 0x80; })) return out;
  std::string escaped;
  for (std::string_view rest = out; !rest.empty();) {
    const Rune rune = decode_rune(rest);
    if (rune.code < 0) escaped += fmt::format("\\x{:02x}", static_cast<unsigned char>(rest.front()));
    else if (rune.code >= 0x80 && !is_printable(rune.code)) escaped += rune.code > 0xffff ? fmt::format("\\U{:08x}", rune.code) : fmt::format("\\u{:04x}", rune.code);
    else escaped += rest.substr(0, rune.length);
    rest.remove_prefix(rune.length);
  }
  return escaped;
}

bool is_identifier_start(std::int32_t code) {
  if (code < 0x80) return (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z') || code == '_';
  const auto category = utf8proc_category(code);
  return is_letter_category(category) || category == UTF8PROC_CATEGORY_NL;
}

bool is_identifier_part(std::int32_t code) {
  if (code < 0x80) return is_identifier_start(code) || (code >= '0' && code <= '9') || code == '-';
  const auto category = utf8proc_category(code);
  return is_identifier_start(code) || category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_MC ||
         category == UTF8PROC_CATEGORY_ND || category == UTF8PROC_CATEGORY_PC;
}

bool is_identifier(std::string_view text) {
  if (text.empty()) return false;
  bool first = true;
  while (!text.empty()) {
    const Rune rune = decode_rune(text);
    if (rune.code < 0 || !(first ? is_identifier_start(rune.code) : is_identifier_part(rune.code))) return false;
    text.remove_prefix(rune.length);
    first = false;
  }
  return true;
}

bool is_space(std::int32_t code) {
  if (code < 0x80) return code == ' ' || (code >= '\t' && code <= '\r');
  if (code == 0x85 || code == 0xA0) return true;
  const auto category = utf8proc_category(code);
  return category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL || category == UTF8PROC_CATEGORY_ZP;
}

bool is_valid_utf8(std::string_view text) {
  while (!text.empty()) {
    const Rune rune = decode_rune(text);
    if (rune.code < 0) return false;
    text.remove_prefix(rune.length);
  }
  return true;
}

std::string normalize_nfc(std::string_view text) {
  if (std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; })) return std::string(text);
  utf8proc_uint8_t* out = nullptr;
  const auto size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()), static_cast<utf8proc_ssize_t>(text.size()), &out,
                                 static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  if (size < 0) return std::string(text);
  std::string result(reinterpret_cast<const char*>(out), static_cast<std::size_t>(size));
  std::free(out);  // NOLINT(cppcoreguidelines-no-malloc): utf8proc hands over malloc'ed memory
  return result;
}

namespace {
template <class Map>
std::string map_runes(std::string_view text, Map map) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Rune rune = decode_rune(text);
    if (rune.code < 0) out.push_back(text[0]);
    else append_rune(out, map(rune.code));
    text.remove_prefix(rune.length);
  }
  return out;
}

std::int32_t upper_rune(std::int32_t code) { return code == 0xDF ? code : utf8proc_toupper(code); }
std::int32_t lower_rune(std::int32_t code) { return code == 0x130 ? 'i' : utf8proc_tolower(code); }
}  // namespace

std::string to_upper(std::string_view text) { return map_runes(text, upper_rune); }
std::string to_lower_text(std::string_view text) { return map_runes(text, lower_rune); }

std::string to_title(std::string_view text) {
  std::int32_t previous = ' ';
  return map_runes(text, [&previous](std::int32_t code) {
    const bool separator = previous < 0x80 ? !(is_identifier_part(previous) && previous != '-') : !is_letter(previous) && is_space(previous);
    previous = code;
    return separator ? (code == 0xDF ? code : utf8proc_totitle(code)) : code;
  });
}

std::string_view trim_space_left(std::string_view text) {
  while (!text.empty()) {
    const Rune rune = decode_rune(text);
    if (rune.code < 0 || !is_space(rune.code)) break;
    text.remove_prefix(rune.length);
  }
  return text;
}

std::string_view trim_space_right(std::string_view text) {
  while (!text.empty()) {
    std::size_t start = text.size() - 1;
    while (start > 0 && (static_cast<unsigned char>(text[start]) & 0xC0) == 0x80) start--;
    const Rune rune = decode_rune(text.substr(start));
    if (rune.code < 0 || start + rune.length != text.size() || !is_space(rune.code)) break;
    text.remove_suffix(rune.length);
  }
  return text;
}

std::string_view trim_space(std::string_view text) { return trim_space_right(trim_space_left(text)); }

}  // namespace drover::hcl
