#include "lib/lint/columns.h"

#include <algorithm>

#include "lib/hcl/unicode.h"

namespace drover::lint {

namespace {

std::size_t units_of(const hcl::Rune& rune, Unit unit) { return unit == Unit::utf16 && rune.code > 0xffff ? 2 : 1; }

}  // namespace

LineColumn position_of(std::string_view text, std::size_t byte, Unit unit) {
  byte = std::min(byte, text.size());
  LineColumn out;
  std::size_t start = 0;
  for (std::size_t at = text.find('\n'); at != std::string_view::npos && at < byte; at = text.find('\n', at + 1)) {
    out.line++;
    start = at + 1;
  }
  while (start < byte) {
    const hcl::Rune rune = hcl::decode_rune(text.substr(start));
    if (start + rune.length > byte) break;
    start += rune.length;
    out.column += units_of(rune, unit);
  }
  return out;
}

std::size_t byte_of(std::string_view text, LineColumn position, Unit unit) {
  std::size_t at = 0;
  for (std::size_t line = 0; line < position.line; line++) {
    const std::size_t next = text.find('\n', at);
    if (next == std::string_view::npos) return text.size();
    at = next + 1;
  }
  std::size_t end = std::min(text.find('\n', at), text.size());
  if (end > at && end < text.size() && text[end - 1] == '\r') end--;
  for (std::size_t column = 0; column < position.column && at < end;) {
    const hcl::Rune rune = hcl::decode_rune(text.substr(at));
    column += units_of(rune, unit);
    if (column > position.column) break;
    at += rune.length;
  }
  return at;
}

}  // namespace drover::lint
