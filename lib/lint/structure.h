// Names that a job file has in the wrong place, found without evaluating anything. The parser stops at the first stage that fails, variables
// before blocks; with this a run tells the mistakes of both. Pure.
#pragma once

#include <memory>

#include "lib/lint/finding.h"

namespace drover::hcl { class Body; }

namespace drover::lint {

// Unknown blocks and attributes, missing ones, wrong labels: the parser's own words.
[[nodiscard]] Findings check_structure(const hcl::Body& file, const std::string& name);
// Adds those that are not there yet.
void add_new(Findings& findings, Findings more);

}  // namespace drover::lint
