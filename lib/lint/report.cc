#include "lib/lint/report.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/hcl/diagnostic.h"
#include "lib/lint/columns.h"
#include "sdk/base/text.h"

namespace drover::lint {

namespace {

constexpr std::string_view reset = "\033[0m";

std::string painted(std::string_view text, std::string_view code, bool color) { return color ? fmt::format("{}{}{}", code, text, reset) : std::string(text); }

std::string_view color_of(const Finding& finding) { return finding.severity == Severity::error ? "\033[1;31m" : "\033[1;33m"; }

// Control characters of a hostile file do not reach the terminal.
std::string printable(std::string_view lines) {
  std::string out;
  for (const char c : lines) out += (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n') || c == 0x7f ? ' ' : c;
  return out;
}

}  // namespace

std::optional<Format> parse_format(std::string_view name) {
  if (name == "text") return Format::text;
  if (name == "json") return Format::json;
  if (name == "sarif") return Format::sarif;
  if (name == "github") return Format::github;
  return std::nullopt;
}

std::string excerpt(const Finding& finding, bool color) {
  if (!finding.place) return "";
  const std::string plain = printable(hcl::excerpt({finding.summary, finding.detail, finding.place}));
  const std::vector<std::string> lines = split(plain, '\n');
  if (!color || lines.size() < 3) return plain;
  // The place, the line, the caret; the last two have a margin that ends with a bar.
  const auto margin_end = [](const std::string& line) { return line.find('|') + 1; };
  const std::size_t line = margin_end(lines[1]), caret = margin_end(lines[2]);
  return fmt::format("{}\n{}{}\n{}{}\n", lines[0], painted(lines[1].substr(0, line), "\033[34m", true), lines[1].substr(line),
                     painted(lines[2].substr(0, caret), "\033[34m", true), painted(lines[2].substr(caret), color_of(finding), true));
}

std::string render(const Finding& finding, bool color) {
  const char* word = finding.severity == Severity::error ? "Error:" : "Warning:";
  std::string out = fmt::format("{} {}", painted(word, color_of(finding), color), painted(finding.summary, "\033[1m", color));
  if (finding.id.starts_with("DL")) out += fmt::format(" ({})", finding.id);
  out += "\n" + excerpt(finding, color);
  if (!finding.detail.empty()) out += "  " + replace_all(finding.detail, "\n", "\n  ") + "\n";
  return out;
}

namespace {

// GitHub's own escapes: of a message, and of a property, where `:` and `,` have a meaning too.
std::string escaped(std::string_view text, bool property) {
  std::string out;
  for (const char c : text) {
    if (c == '%') out += "%25";
    else if (c == '\r') out += "%0D";
    else if (c == '\n') out += "%0A";
    else if (property && c == ':') out += "%3A";
    else if (property && c == ',') out += "%2C";
    else out += c;
  }
  return out;
}

}  // namespace

std::string to_github(const Findings& findings) {
  std::string out;
  for (const Finding& finding : findings) {
    out += finding.severity == Severity::error ? "::error" : "::warning";
    std::string properties;
    const auto add = [&](const char* name, const std::string& value) { properties += fmt::format("{}{}={}", properties.empty() ? " " : ",", name, escaped(value, true)); };
    if (!finding.file_name().empty()) add("file", finding.file_name());
    if (finding.place && finding.place->file) {
      const std::string_view text = finding.place->file->text;
      const LineColumn start = position_of(text, finding.place->start.byte, Unit::code_point);
      const LineColumn end = position_of(text, finding.place->end.byte, Unit::code_point);
      add("line", std::to_string(start.line + 1));
      add("endLine", std::to_string(end.line + 1));
      // Columns make sense to GitHub within one line only.
      if (start.line == end.line) {
        add("col", std::to_string(start.column + 1));
        add("endColumn", std::to_string(std::max(end.column, start.column + 1) + 1));
      }
    }
    add("title", finding.id.starts_with("DL") ? fmt::format("{} ({})", finding.summary, finding.id) : finding.summary);
    out += fmt::format("{}::{}\n", properties, escaped(finding.detail.empty() ? finding.summary : finding.detail, false));
  }
  return out;
}

std::string file_uri(std::string_view path) {
  std::string out = path.starts_with('/') ? "file://" : "";
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || std::string_view("-._~/!$&'()*+,;=@").find(c) != std::string_view::npos;
  };
  while (path.starts_with("./")) path.remove_prefix(2);
  for (const char c : path) out += plain(c) ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  return out;
}

}  // namespace drover::lint
