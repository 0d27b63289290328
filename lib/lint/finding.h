// One thing to say about a file: how grave, which rule says it, where, and what would be accepted. Plain values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lib/hcl/diagnostic.h"
#include "lib/hcl/source.h"

namespace drover::lint {

enum class Severity : unsigned char { error, warning };

// Rules that are not warnings of rules.h. Every id has a line in docs/lint.md.
inline constexpr const char* parse_rule = "parse";
inline constexpr const char* validate_rule = "validate";
inline constexpr const char* driver_rule = "driver-config";
inline constexpr const char* format_rule = "format";
inline constexpr const char* read_rule = "read";
inline constexpr const char* server_rule = "server";

struct Finding {
  Severity severity = Severity::error;
  std::string id;
  std::string summary;
  std::string detail = {};                         // what is wrong in full, or what would be accepted; may be empty
  std::optional<hcl::Range> place = std::nullopt;  // empty: about the file as a whole, or about none
  std::string file = {};                           // when there is no place

  [[nodiscard]] const std::string& file_name() const { return place && place->file ? place->file->name : file; }
  // Summary and detail in one sentence.
  [[nodiscard]] std::string message() const { return detail.empty() ? summary : summary + ": " + detail; }
};

using Findings = std::vector<Finding>;

[[nodiscard]] bool has_errors(const Findings& findings);
// What the parser found.
[[nodiscard]] Finding from_diagnostic(const hcl::Diagnostic& diagnostic, const std::string& file);
[[nodiscard]] Findings from_diagnostics(const hcl::Diagnostics& diagnostics, const std::string& file);

}  // namespace drover::lint
