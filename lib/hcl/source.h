// Source text and places in it. A Range keeps its file alive, so diagnostics outlive the parse that made them.
//
// Lines and columns count from 1; columns count grapheme clusters, bytes count from 0. Plain values.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace drover::hcl {

struct SourceFile {
  std::string name;
  std::string text;
};
using SourcePtr = std::shared_ptr<const SourceFile>;

[[nodiscard]] inline SourcePtr make_source(std::string name, std::string text) {
  return std::make_shared<const SourceFile>(SourceFile{std::move(name), std::move(text)});
}

struct Pos {
  int line = 1;
  int column = 1;
  std::uint32_t byte = 0;  // texts are bounded well below (limits.h)
};

struct Range {
  SourcePtr file;
  Pos start;
  Pos end;

  // "job.hcl:3,5-9", or "job.hcl:3,5-4,1" over several lines.
  [[nodiscard]] std::string str() const;
  // The bytes of the range, empty when it has no file.
  [[nodiscard]] std::string_view text() const;
};

// From the start of the first to the end of the second.
[[nodiscard]] Range between(const Range& first, const Range& second);
// The empty range at the end of `range`.
[[nodiscard]] Range end_of(const Range& range);

// Moves `pos` over `text`, counting lines and grapheme clusters.
void advance(Pos& pos, std::string_view text);

}  // namespace drover::hcl
