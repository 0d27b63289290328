// Findings written out: for people, and for the programs that read them. Pure.
//
// JSON: one object with counts and a list; ranges have line and column as editors count them (from 1, in code points) and the byte.
// SARIF: version 2.1.0, which code hosts and editors import. GitHub: workflow commands, which become annotations of a change.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lib/lint/finding.h"

namespace drover::lint {

enum class Format : unsigned char { text, json, sarif, github };

// Names of the formats, for help and messages.
inline constexpr const char* format_names = "text, json, sarif or github";
[[nodiscard]] std::optional<Format> parse_format(std::string_view name);

// The line with its number and a caret below it; empty without a place.
[[nodiscard]] std::string excerpt(const Finding& finding, bool color);
// "Warning: summary (DL001)", the excerpt, the detail; ends with a line break.
[[nodiscard]] std::string render(const Finding& finding, bool color);

// Each ends with a line break. `version` is the program's.
[[nodiscard]] std::string to_json(const Findings& findings);
[[nodiscard]] std::string to_sarif(const Findings& findings, std::string_view version);
// Empty when there is nothing to say.
[[nodiscard]] std::string to_github(const Findings& findings);

// A name of a file as a URI reference: blanks, `%` and what is not ASCII are escaped; absolute paths become file: URIs.
[[nodiscard]] std::string file_uri(std::string_view path);

}  // namespace drover::lint
