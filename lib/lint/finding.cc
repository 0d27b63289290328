#include "lib/lint/finding.h"

#include <algorithm>

namespace drover::lint {

bool has_errors(const Findings& findings) {
  return std::any_of(findings.begin(), findings.end(), [](const Finding& one) { return one.severity == Severity::error; });
}

Finding from_diagnostic(const hcl::Diagnostic& diagnostic, const std::string& file) {
  Finding out{diagnostic.warning ? Severity::warning : Severity::error, parse_rule, diagnostic.summary, diagnostic.detail};
  out.place = diagnostic.subject ? diagnostic.subject : diagnostic.unnamed_place;
  out.file = file;
  if (out.summary.empty()) std::swap(out.summary, out.detail);
  return out;
}

Findings from_diagnostics(const hcl::Diagnostics& diagnostics, const std::string& file) {
  Findings out;
  for (const hcl::Diagnostic& item : diagnostics.items()) {
    Finding finding = from_diagnostic(item, file);
    // The wire form tells some things twice.
    const auto same = [&](const Finding& known) {
      return known.message() == finding.message() && known.place.has_value() == finding.place.has_value() && (!known.place || known.place->start.byte == finding.place->start.byte);
    };
    if (std::none_of(out.begin(), out.end(), same)) out.push_back(std::move(finding));
  }
  return out;
}

}  // namespace drover::lint
