#include "lib/hcl/diagnostic.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/hcl/unicode.h"

namespace drover::hcl {

std::string to_line(const Diagnostic& diagnostic) {
  return fmt::format("{}: {}; {}", diagnostic.subject ? diagnostic.subject->str() : "<nil>", diagnostic.summary, diagnostic.detail);
}

std::string excerpt(const Diagnostic& diagnostic) {
  const auto& place = diagnostic.subject ? diagnostic.subject : diagnostic.unnamed_place;
  if (!place || !place->file) return "";
  const Range& range = *place;
  const std::string_view text = range.file->text;
  const std::size_t at = std::min<std::size_t>(range.start.byte, text.size());
  const std::size_t before = text.substr(0, at).rfind('\n');
  const std::size_t line_start = before == std::string_view::npos ? 0 : before + 1;
  const std::size_t line_end = std::min(text.find('\n', at), text.size());
  const std::string_view line = text.substr(line_start, line_end - line_start);
  std::string pad;
  for (const std::string_view cluster : graphemes(text.substr(line_start, at - line_start))) pad += cluster == "\t" ? '\t' : ' ';
  const int width = range.end.line == range.start.line ? std::max(1, range.end.column - range.start.column) : 1;
  const std::string number = std::to_string(range.start.line);
  return fmt::format("  on {} line {}, column {}:\n  {} | {}\n  {} | {}{}\n", range.file->name, range.start.line, range.start.column, number, line,
                     std::string(number.size(), ' '), pad, std::string(static_cast<std::size_t>(width), '^'));
}

std::string render(const Diagnostic& diagnostic) {
  return fmt::format("{}: {}\n{}{}\n", diagnostic.warning ? "Warning" : "Error", diagnostic.summary, excerpt(diagnostic), diagnostic.detail);
}

bool Diagnostics::has_errors() const {
  return std::any_of(items_.begin(), items_.end(), [](const Diagnostic& item) { return !item.warning; });
}

std::string Diagnostics::lines() const {
  std::string out;
  for (const Diagnostic& item : items_) {
    if (!out.empty()) out += '\n';
    out += to_line(item);
  }
  return out;
}

std::string Diagnostics::first_line() const {
  if (items_.empty()) return "no diagnostics";
  if (items_.size() == 1) return to_line(items_[0]);
  return fmt::format("{}, and {} other diagnostic(s)", to_line(items_[0]), items_.size() - 1);
}

namespace {
std::vector<std::int32_t> runes(std::string_view text) {
  std::vector<std::int32_t> out;
  while (!text.empty()) {
    const Rune rune = decode_rune(text);
    out.push_back(rune.code);
    text.remove_prefix(rune.length);
  }
  return out;
}

std::size_t edit_distance(const std::vector<std::int32_t>& a, const std::vector<std::int32_t>& b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t i = 0; i <= b.size(); i++) row[i] = i;
  for (std::size_t i = 1; i <= a.size(); i++) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); j++) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}
}  // namespace

std::string name_suggestion(std::string_view given, const std::vector<std::string>& accepted) {
  if (given.size() > 100) return {};
  const std::vector<std::int32_t> wanted = runes(given);
  for (const std::string& name : accepted) {
    if (edit_distance(wanted, runes(name)) < 3) return fmt::format(" Did you mean \"{}\"?", name);
  }
  return {};
}

}  // namespace drover::hcl
