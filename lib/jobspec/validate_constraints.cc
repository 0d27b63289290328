#include <re2/re2.h>

#include <charconv>

#include "lib/jobspec/problems.h"
#include "lib/version/version.h"

namespace drover::jobspec {

namespace {

// Why RE2 refuses a pattern, in the words of Go's regexp/syntax; empty when it does not.
std::string regex_problem(const std::string& pattern) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  const re2::RE2 regex(pattern, options);
  if (regex.ok()) return {};
  switch (regex.error_code()) {
    case re2::RE2::ErrorMissingBracket: return fmt::format("error parsing regexp: missing closing ]: `{}`", regex.error_arg());
    case re2::RE2::ErrorMissingParen: return fmt::format("error parsing regexp: missing closing ): `{}`", pattern);
    case re2::RE2::ErrorUnexpectedParen: return fmt::format("error parsing regexp: unexpected ): `{}`", pattern);
    case re2::RE2::ErrorRepeatArgument: return fmt::format("error parsing regexp: missing argument to repetition operator: `{}`", regex.error_arg());
    case re2::RE2::ErrorRepeatSize: return fmt::format("error parsing regexp: invalid repeat count: `{}`", regex.error_arg());
    case re2::RE2::ErrorRepeatOp: return fmt::format("error parsing regexp: invalid nested repetition operator: `{}`", regex.error_arg());
    case re2::RE2::ErrorBadCharRange: case re2::RE2::ErrorBadCharClass: return fmt::format("error parsing regexp: invalid character class range: `{}`", regex.error_arg());
    case re2::RE2::ErrorBadEscape: return fmt::format("error parsing regexp: invalid escape sequence: `{}`", regex.error_arg());
    case re2::RE2::ErrorTrailingBackslash: return "error parsing regexp: trailing backslash at end of expression: ``";
    case re2::RE2::ErrorBadPerlOp: return fmt::format("error parsing regexp: invalid or unsupported Perl syntax: `{}`", regex.error_arg());
    default: return fmt::format("error parsing regexp: {}: `{}`", regex.error(), regex.error_arg());
  }
}

void check_pattern(const std::string& operand, const std::string& right, const char* what, Problems& out) {
  if (operand == "regexp") {
    if (std::string why = regex_problem(right); !why.empty()) out.add("Regular expression failed to compile: {}", why);
  } else if (operand == "version") {
    if (!VersionConstraint::parse(right, VersionRules::version)) out.add("Version {} is invalid: malformed constraint: {}", what, right);
  } else if (operand == "semver") {
    // `~>` is no operator of semantic versions.
    if (right.find("~>") != std::string::npos || !VersionConstraint::parse(right, VersionRules::semver)) {
      out.add("Semver {} is invalid: Malformed constraint: {}", what, right);
    }
  }
}

bool is_comparison(const std::string& operand) {
  for (const char* known : {"=", "==", "is", "!=", "not", "<", "<=", ">", ">="}) {
    if (operand == known) return true;
  }
  return false;
}

bool is_set_operand(const std::string& operand) { return operand == "set_contains" || operand == "set_contains_all" || operand == "set_contains_any"; }

void check_distinct_count(const std::string& right, Problems& out) {
  if (right.empty()) return;
  std::uint64_t count = 0;
  const auto [end, error] = std::from_chars(right.data(), right.data() + right.size(), count);
  if (error == std::errc::result_out_of_range) {
    out.add("Failed to convert RTarget {} to uint64: strconv.ParseUint: parsing {}: value out of range", quote(right), quote(right));
  } else if (error != std::errc() || end != right.data() + right.size()) {
    out.add("Failed to convert RTarget {} to uint64: strconv.ParseUint: parsing {}: invalid syntax", quote(right), quote(right));
  } else if (count < 1) {
    out.add("Distinct Property must have an allowed count of 1 or greater: {} < 1", count);
  }
}

}  // namespace

Problems check_constraint(const model::Constraint& constraint) {
  Problems out;
  const std::string& operand = constraint.operand;
  if (operand.empty()) out.add("Missing constraint operand");
  bool needs_left = true;
  if (operand == "distinct_hosts") {
    needs_left = false;
  } else if (is_set_operand(operand)) {
    if (constraint.rtarget.empty()) out.add("Set contains constraint requires an RTarget");
  } else if (operand == "regexp" || operand == "version" || operand == "semver") {
    check_pattern(operand, constraint.rtarget, "constraint", out);
  } else if (operand == "distinct_property") {
    check_distinct_count(constraint.rtarget, out);
  } else if (operand == "is_set" || operand == "is_not_set") {
    if (!constraint.rtarget.empty()) out.add("Operator {} does not support an RTarget", quote(operand));
  } else if (is_comparison(operand)) {
    if (constraint.rtarget.empty()) out.add("Operator {} requires an RTarget", quote(operand));
  } else {
    out.add("Unknown constraint type {}", quote(operand));
  }
  if (needs_left && constraint.ltarget.empty()) out.add("no attribute provided but is required by operator");
  return out;
}

Problems check_affinity(const model::Affinity& affinity) {
  Problems out;
  const std::string& operand = affinity.operand;
  if (operand.empty()) out.add("Missing affinity operand");
  if (is_set_operand(operand)) {
    if (affinity.rtarget.empty()) out.add("Set contains operators require an RTarget");
  } else if (operand == "regexp" || operand == "version" || operand == "semver") {
    check_pattern(operand, affinity.rtarget, "affinity", out);
  } else if (is_comparison(operand)) {
    if (affinity.rtarget.empty()) out.add("Operator {} requires an RTarget", quote(operand));
  } else {
    out.add("Unknown affinity operator {}", quote(operand));
  }
  if (affinity.ltarget.empty()) out.add("No LTarget provided but is required");
  if (affinity.weight == 0) out.add("Affinity weight cannot be zero");
  if (affinity.weight > 100 || affinity.weight < -100) out.add("Affinity weight must be within the range [-100,100]");
  return out;
}

Problems check_spread(const model::Spread& spread) {
  Problems out;
  if (spread.attribute.empty()) out.add("Missing spread attribute");
  if (spread.weight <= 0 || spread.weight > 100) out.add("Spread block must have a positive weight from 0 to 100");
  std::vector<std::string> seen;
  std::uint64_t sum = 0;
  for (const model::SpreadTarget& target : spread.spread_target) {
    if (std::find(seen.begin(), seen.end(), target.value) != seen.end()) out.add("Spread target value {} already defined", quote(target.value));
    else seen.push_back(target.value);
    if (target.percent > 100) out.add("Spread target percentage for value {} must be between 0 and 100", quote(target.value));
    sum += target.percent;
  }
  if (sum > 100) out.add("Sum of spread target percentages must not be greater than 100%; got {}%", sum);
  return out;
}

void check_placement(Problems& out, const model::List<model::Constraint>& constraints, const model::List<model::Affinity>& affinities,
                     const model::List<model::Spread>* spreads, const std::string& job_type) {
  for (std::size_t i = 0; i < constraints.size(); i++) {
    if (const Problems found = check_constraint(constraints[i]); !found.empty()) out.add("Constraint {} validation failed: {}", i + 1, found.text());
  }
  if (job_type == "system") {
    if (!affinities.empty()) out.add("System jobs may not have an affinity block");
  } else {
    for (std::size_t i = 0; i < affinities.size(); i++) {
      if (const Problems found = check_affinity(affinities[i]); !found.empty()) out.add("Affinity {} validation failed: {}", i + 1, found.text());
    }
  }
  if (spreads == nullptr) return;
  if (job_type == "system") {
    if (!spreads->empty()) out.add("System jobs may not have a spread block");
  } else {
    for (std::size_t i = 0; i < spreads->size(); i++) {
      if (const Problems found = check_spread((*spreads)[i]); !found.empty()) out.add("Spread {} validation failed: {}", i + 1, found.text());
    }
  }
}

}  // namespace drover::jobspec
