#include "lib/hcl/source.h"

#include <fmt/format.h>

#include "lib/hcl/unicode.h"

namespace drover::hcl {

std::string Range::str() const {
  const std::string_view name = file ? std::string_view(file->name) : std::string_view();
  if (start.line == end.line) return fmt::format("{}:{},{}-{}", name, start.line, start.column, end.column);
  return fmt::format("{}:{},{}-{},{}", name, start.line, start.column, end.line, end.column);
}

std::string_view Range::text() const {
  if (!file || start.byte > end.byte || end.byte > file->text.size()) return {};
  return std::string_view(file->text).substr(start.byte, end.byte - start.byte);
}

Range between(const Range& first, const Range& second) { return {first.file, first.start, second.end}; }

Range end_of(const Range& range) { return {range.file, range.end, range.end}; }

void advance(Pos& pos, std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    // Printable ASCII before ASCII is a cluster of its own.
    const auto byte = [text](std::size_t index) { return static_cast<unsigned char>(text[index]); };
    while (at + 1 < text.size() && byte(at) >= ' ' && byte(at) < 0x80 && byte(at + 1) < 0x80) {
      pos.column++;
      at++;
    }
    const std::size_t length = grapheme_length(text.substr(at));
    const char first = text[at];
    if (first == '\n' || (first == '\r' && length == 2)) {
      pos.line++;
      pos.column = 1;
    } else {
      pos.column++;
    }
    at += length;
  }
  pos.byte += static_cast<std::uint32_t>(text.size());
}

}  // namespace drover::hcl
