// Warnings about a job that parses: things that are allowed and that people regret. Pure.
//
// The job is the parser's API JSON, null where the file is silent, so that a default is not mistaken for a decision. Every rule has an
// id for good: a rule that goes leaves a gap. docs/lint.md explains each.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <vector>

#include "lib/lint/finding.h"
#include "lib/model/types.h"

namespace drover::hcl { struct NativeBody; }

namespace drover::lint {

struct Rule {
  std::string id;     // DL001
  std::string name;   // what it is about, in one line
  std::string advice; // what to write instead
};

[[nodiscard]] const std::vector<Rule>& all_rules();
// Null when there is no such rule.
[[nodiscard]] const Rule* find_rule(std::string_view id);

struct RuleOptions {
  std::set<std::string> off;  // ids
};

// `file` and `body` are the job's file and its tree, that of outline.h when it is JSON; either may be null. Findings come in the
// order of the file, without those that a comment silences; a comment that names no rule is a finding itself (DL000).
[[nodiscard]] Findings check_rules(const model::Json& job, const hcl::SourcePtr& file, const hcl::NativeBody* body, const RuleOptions& options);

}  // namespace drover::lint
