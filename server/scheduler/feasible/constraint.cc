#include "server/scheduler/feasible/constraint.h"

#include <re2/re2.h>

#include <algorithm>
#include <charconv>

#include "lib/version/version.h"
#include "sdk/base/text.h"
#include "server/scheduler/feasible/attribute.h"

namespace drover::scheduler {
namespace {

std::unique_ptr<RE2> compile(std::string_view pattern) {
  RE2::Options options(RE2::Quiet);
  auto regexp = std::make_unique<RE2>(re2::StringPiece(pattern.data(), pattern.size()), options);
  return regexp->ok() ? std::move(regexp) : nullptr;
}

template <class T>
std::optional<T> number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

template <class T>
bool ordered(Operator op, const T& left, const T& right) {
  switch (op) {
    case Operator::less: return left < right;
    case Operator::less_equal: return left <= right;
    case Operator::greater: return left > right;
    default: return left >= right;
  }
}

// Integers when both are, else floats when both are, else text.
bool ordered_text(Operator op, std::string_view left, std::string_view right) {
  if (const auto a = number<std::int64_t>(left), b = number<std::int64_t>(right); a && b) return ordered(op, *a, *b);
  if (const auto a = number<double>(left), b = number<double>(right); a && b) return ordered(op, *a, *b);
  return ordered(op, left, right);
}

bool set_contains(std::string_view left, std::string_view right, bool all) {
  const auto have = split(left, ',');
  const auto contains = [&](const std::string& wanted) {
    return std::ranges::any_of(have, [&](const std::string& item) { return trim(item) == trim(wanted); });
  };
  const auto wanted = split(right, ',');
  return all ? std::ranges::all_of(wanted, contains) : std::ranges::any_of(wanted, contains);
}

}  // namespace

struct ConstraintCheck::Compiled {
  std::unique_ptr<RE2> regexp;
  std::optional<VersionConstraint> version;
};

Operator parse_operator(std::string_view text) {
  if (text == "=" || text == "==" || text == "is") return Operator::equal;
  if (text == "!=" || text == "not") return Operator::not_equal;
  if (text == "<") return Operator::less;
  if (text == "<=") return Operator::less_equal;
  if (text == ">") return Operator::greater;
  if (text == ">=") return Operator::greater_equal;
  if (text == "regexp") return Operator::regexp;
  if (text == "version") return Operator::version;
  if (text == "semver") return Operator::semver;
  if (text == "set_contains" || text == "set_contains_all") return Operator::set_contains_all;
  if (text == "set_contains_any") return Operator::set_contains_any;
  if (text == "is_set") return Operator::is_set;
  if (text == "is_not_set") return Operator::is_not_set;
  if (text == "distinct_hosts" || text == "distinct_property") return Operator::distinct;
  return Operator::unknown;
}

ConstraintCheck::ConstraintCheck(std::string_view ltarget, std::string_view operand, std::string_view rtarget)
    : left_(ltarget), right_(rtarget), op_(parse_operator(operand)), reason_(fmt::format("{} {} {}", ltarget, operand, rtarget)) {
  if (rtarget.starts_with("${")) return;
  if (op_ == Operator::regexp) {
    compiled_ = std::make_unique<Compiled>();
    compiled_->regexp = compile(rtarget);
  } else if (op_ == Operator::version || op_ == Operator::semver) {
    compiled_ = std::make_unique<Compiled>();
    auto parsed = VersionConstraint::parse(rtarget, op_ == Operator::version ? VersionRules::version : VersionRules::semver);
    if (parsed) compiled_->version = std::move(*parsed);
  }
}
ConstraintCheck::ConstraintCheck(ConstraintCheck&&) noexcept = default;
ConstraintCheck& ConstraintCheck::operator=(ConstraintCheck&&) noexcept = default;
ConstraintCheck::~ConstraintCheck() = default;

bool ConstraintCheck::matches(const model::Node& node) const {
  if (op_ == Operator::distinct) return true;
  const auto left = left_.resolve(node);
  if (compiled_ && left) {
    if (op_ == Operator::regexp) {
      return compiled_->regexp && RE2::PartialMatch(re2::StringPiece(left->data(), left->size()), *compiled_->regexp);
    }
    const auto version = Version::parse(*left);
    return version && compiled_->version && compiled_->version->matches(*version);
  }
  return matches(left, right_.resolve(node));
}

bool ConstraintCheck::matches(MaybeText left, MaybeText right) const {
  const bool both = left && right;
  switch (op_) {
    case Operator::distinct: return true;
    case Operator::equal: return both && *left == *right;
    // What is missing differs from every text but the empty one.
    case Operator::not_equal: return left.value_or("") != right.value_or("");
    case Operator::less:
    case Operator::less_equal:
    case Operator::greater:
    case Operator::greater_equal: return both && ordered_text(op_, *left, *right);
    case Operator::regexp: {
      if (!both) return false;
      const auto regexp = compile(*right);
      return regexp && RE2::PartialMatch(re2::StringPiece(left->data(), left->size()), *regexp);
    }
    case Operator::version: return both && version_matches(*left, *right, VersionRules::version);
    case Operator::semver: return both && version_matches(*left, *right, VersionRules::semver);
    case Operator::set_contains_all: return both && set_contains(*left, *right, true);
    case Operator::set_contains_any: return both && set_contains(*left, *right, false);
    case Operator::is_set: return left.has_value();
    case Operator::is_not_set: return !left.has_value();
    case Operator::unknown: break;
  }
  return false;
}

bool ConstraintCheck::matches(const model::Attribute* left, const model::Attribute* right) const {
  const bool both = left != nullptr && right != nullptr;
  const auto texts = [&](auto convert) {
    const auto a = convert(*left);
    const auto b = convert(*right);
    return a && b && matches(MaybeText(*a), MaybeText(*b));
  };
  switch (op_) {
    case Operator::equal:
    case Operator::less:
    case Operator::less_equal:
    case Operator::greater:
    case Operator::greater_equal: {
      if (!both) return false;
      const auto order = compare(*left, *right);
      if (!order) return false;
      if (op_ == Operator::equal) return *order == 0;
      return ordered(op_, *order, 0);
    }
    case Operator::not_equal: {
      if (!both) return left != right;
      const auto order = compare(*left, *right);
      return order && *order != 0;
    }
    case Operator::version:
    case Operator::semver: return both && texts(attribute_version);
    case Operator::regexp:
    case Operator::set_contains_all:
    case Operator::set_contains_any: return both && texts(attribute_text);
    case Operator::is_set: return left != nullptr;
    case Operator::is_not_set: return left == nullptr;
    case Operator::distinct: return true;
    case Operator::unknown: break;
  }
  return false;
}

}  // namespace drover::scheduler
