#include "lib/model/json_text.h"

#include <charconv>
#include <cmath>
#include <cstring>

namespace drover::model {

std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  const std::size_t length = lead < 0x80 ? 1 : lead >= 0xc2 && lead < 0xe0 ? 2 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
  if (length == 0 || length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  if ((lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xed && byte(1) > 0x9f) || (lead == 0xf0 && byte(1) < 0x90) ||
      (lead == 0xf4 && byte(1) > 0x8f)) {
    return 0;
  }
  return length;
}

namespace {
// How many characters at the beginning stand for themselves: ASCII that is not control, quote or backslash. Eight at a time; may
// stop early, before the last seven.
std::size_t plain_prefix(const char* text, std::size_t size) {
  constexpr std::uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;
  const auto has_zero = [](std::uint64_t word) { return (word - ones) & ~word & tops; };
  std::size_t i = 0;
  for (; i + 8 <= size; i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text + i, 8);
    const std::uint64_t control = (word - ones * 0x20) & ~word & tops;
    if ((control | (word & tops) | has_zero(word ^ ones * '"') | has_zero(word ^ ones * '\\')) != 0) break;
  }
  return i;
}
}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  static constexpr char digits[] = "0123456789abcdef";
  out.push_back('"');
  std::size_t start = 0;
  std::size_t i = plain_prefix(text.data(), text.size());
  const auto flush = [&] { out.append(text.data() + start, i - start); };
  while (i < text.size()) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c < 0x80 && c != '"' && c != '\\') {
      ++i;
      continue;
    }
    if (c >= 0x80) {
      if (const std::size_t length = utf8_length(text.substr(i)); length != 0) {
        // U+2028 and U+2029 are escaped, as Go does.
        if (length == 3 && text.substr(i, 2) == "\xe2\x80" && (text[i + 2] == '\xa8' || text[i + 2] == '\xa9')) {
          flush();
          out += text[i + 2] == '\xa8' ? "\\u2028" : "\\u2029";
          start = i + 3;
        }
        i += length;
        continue;
      }
    }
    flush();
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (c >= 0x80) {
          out += "\\ufffd";
        } else {
          out += "\\u00";
          out.push_back(digits[c >> 4]);
          out.push_back(digits[c & 15]);
        }
    }
    start = ++i;
  }
  flush();
  out.push_back('"');
}

void append_json_number(std::string& out, std::int64_t value) {
  char buffer[24];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  out.append(buffer, static_cast<std::size_t>(end - buffer));
}

void append_json_number(std::string& out, std::uint64_t value) {
  char buffer[24];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  out.append(buffer, static_cast<std::size_t>(end - buffer));
}

void append_json_number(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += "0";
    return;
  }
  const double magnitude = std::fabs(value);
  const bool scientific = magnitude != 0 && (magnitude < 1e-6 || magnitude >= 1e21);
  char buffer[400];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, scientific ? std::chars_format::scientific : std::chars_format::fixed).ptr;
  std::string text(buffer, static_cast<std::size_t>(end - buffer));
  // Go writes e-9 where to_chars writes e-09.
  if (scientific) {
    const std::size_t exponent = text.find('e') + 2;
    if (text.size() == exponent + 2 && text[exponent] == '0') text.erase(exponent, 1);
  }
  out += text;
}

}  // namespace drover::model
