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
  for (const hcl::Diagnostic& item : diagnostics.items()) out.push_back(from_diagnostic(item, file));
  return out;
}

}  // namespace drover::lint
