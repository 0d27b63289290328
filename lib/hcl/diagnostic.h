// What is wrong with a text, and where. A Diagnostics list is filled by parsing, decoding and evaluation alike.
//
// `to_line` is the wire form users compare ("file:3,5-9: Summary; Detail"); `render` adds the source line with a caret.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/hcl/source.h"

namespace drover::hcl {

struct Diagnostic {
  std::string summary;
  std::string detail;  // what is wrong and what would be accepted
  std::optional<Range> subject;
  bool warning = false;
  // Where it is when the wire form does not say so (the reference names no place for it).
  std::optional<Range> unnamed_place = std::nullopt;
};

// "<file>:<line>,<col>-<col>: <summary>; <detail>", with "<nil>" when there is no place.
[[nodiscard]] std::string to_line(const Diagnostic& diagnostic);
// The place: file, line and column, the source line, a caret under it. Empty without a place.
[[nodiscard]] std::string excerpt(const Diagnostic& diagnostic);
// Several lines for a terminal: the message, the excerpt, the detail.
[[nodiscard]] std::string render(const Diagnostic& diagnostic);

class Diagnostics {
 public:
  void add(std::string summary, std::string detail, const Range& subject) {
    items_.push_back({std::move(summary), std::move(detail), subject, false, std::nullopt});
  }
  void add(std::string summary, std::string detail) { items_.push_back({std::move(summary), std::move(detail), std::nullopt, false, std::nullopt}); }
  void add_unnamed(std::string summary, std::string detail, const Range& place) {
    items_.push_back({std::move(summary), std::move(detail), std::nullopt, false, place});
  }
  void append(const Diagnostics& other) { items_.insert(items_.end(), other.items_.begin(), other.items_.end()); }
  void push(Diagnostic diagnostic) { items_.push_back(std::move(diagnostic)); }

  [[nodiscard]] bool has_errors() const;
  [[nodiscard]] bool empty() const { return items_.empty(); }
  [[nodiscard]] std::size_t size() const { return items_.size(); }
  [[nodiscard]] std::vector<Diagnostic>& items() { return items_; }
  [[nodiscard]] const std::vector<Diagnostic>& items() const { return items_; }
  void truncate(std::size_t size) { items_.resize(size); }

  // All as lines; with `first_only` the first and ", and N other diagnostic(s)".
  [[nodiscard]] std::string lines() const;
  [[nodiscard]] std::string first_line() const;

 private:
  std::vector<Diagnostic> items_;
};

// " Did you mean "x"?" for the accepted name nearest to `given`, empty when none is near.
[[nodiscard]] std::string name_suggestion(std::string_view given, const std::vector<std::string>& accepted);

}  // namespace drover::hcl
