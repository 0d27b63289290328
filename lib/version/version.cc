#include "lib/version/version.h"

#include <algorithm>
#include <charconv>

#include "sdk/base/text.h"

namespace drover {

namespace {
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-'; }

// Dot-separated words of letters, digits, `-` (and `~` in pre-releases).
bool is_label(std::string_view text) {
  if (text.empty()) return false;
  bool empty_part = true;
  for (const char c : text) {
    if (c == '.') {
      if (empty_part) return false;
      empty_part = true;
    } else if (is_word(c) || c == '~') {
      empty_part = false;
    } else {
      return false;
    }
  }
  return !empty_part;
}

bool is_number(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), is_digit); }

// One dot-separated part of two pre-releases; semver 11.4.
int compare_part(std::string_view a, std::string_view b) {
  if (a == b) return 0;
  if (a.empty()) return -1;
  if (b.empty()) return 1;
  const bool a_number = is_number(a);
  const bool b_number = is_number(b);
  if (a_number != b_number) return a_number ? -1 : 1;
  if (a_number) {
    while (a.size() > 1 && a.front() == '0') a.remove_prefix(1);
    while (b.size() > 1 && b.front() == '0') b.remove_prefix(1);
    if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  }
  const int order = a.compare(b);
  return order < 0 ? -1 : order > 0 ? 1 : 0;
}

int compare_prerelease(std::string_view a, std::string_view b) {
  if (a == b) return 0;
  // A release is above its pre-releases.
  if (a.empty()) return 1;
  if (b.empty()) return -1;
  while (!a.empty() || !b.empty()) {
    const auto [a_part, a_rest] = split_once(a, '.');
    const auto [b_part, b_rest] = split_once(b, '.');
    if (const int order = compare_part(a_part, b_part); order != 0) return order;
    a = a_rest;
    b = b_rest;
  }
  return 0;
}
}  // namespace

Result<Version> Version::parse(std::string_view text) {
  const auto whole = text;
  const auto malformed = [&] { return fail(Code::invalid_argument, "malformed version: {}", whole); };
  Version out;
  if (text.starts_with('v')) text.remove_prefix(1);
  if (const auto plus = text.find('+'); plus != std::string_view::npos) {
    out.metadata_ = std::string(text.substr(plus + 1));
    if (!is_label(out.metadata_)) return malformed();
    text = text.substr(0, plus);
  }
  std::size_t at = 0;
  for (;;) {
    const auto start = at;
    while (at < text.size() && is_digit(text[at])) ++at;
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data() + start, text.data() + at, value);
    if (at == start || error != std::errc()) return malformed();
    out.segments_.push_back(value);
    if (at + 1 < text.size() && text[at] == '.' && is_digit(text[at + 1])) {
      ++at;
      continue;
    }
    break;
  }
  out.written_ = out.segments_.size();
  while (out.segments_.size() < 3) out.segments_.push_back(0);
  auto rest = text.substr(at);
  if (!rest.empty()) {
    // `-beta1`, and without a hyphen `beta1` or `~beta1`, but not a digit, which would be a segment.
    if (rest.front() == '-') {
      rest.remove_prefix(1);
    } else if (!((rest.front() >= 'a' && rest.front() <= 'z') || (rest.front() >= 'A' && rest.front() <= 'Z') || rest.front() == '~')) {
      return malformed();
    }
    if (!is_label(rest)) return malformed();
    out.prerelease_ = std::string(rest);
  }
  return out;
}

std::string Version::to_string() const {
  std::string out;
  for (std::size_t i = 0; i < segments_.size(); ++i) out += (i == 0 ? "" : ".") + std::to_string(segments_[i]);
  if (!prerelease_.empty()) out += "-" + prerelease_;
  if (!metadata_.empty()) out += "+" + metadata_;
  return out;
}

int Version::compare(const Version& other) const {
  const auto count = std::max(segments_.size(), other.segments_.size());
  for (std::size_t i = 0; i < count; ++i) {
    const auto mine = i < segments_.size() ? segments_[i] : 0;
    const auto theirs = i < other.segments_.size() ? other.segments_[i] : 0;
    if (mine != theirs) return mine < theirs ? -1 : 1;
  }
  return compare_prerelease(prerelease_, other.prerelease_);
}

Result<VersionConstraint> VersionConstraint::parse(std::string_view text, VersionRules rules) {
  VersionConstraint out;
  out.rules_ = rules;
  for (const auto& part : split(text, ',')) {
    auto rest = trim(part);
    static constexpr std::pair<std::string_view, Op> operators[] = {
        {"!=", Op::not_equal}, {">=", Op::greater_equal}, {"<=", Op::less_equal}, {"~>", Op::pessimistic},
        {"=", Op::equal},      {">", Op::greater},        {"<", Op::less},
    };
    auto op = Op::equal;
    for (const auto& [sign, meaning] : operators) {
      if (!rest.starts_with(sign)) continue;
      op = meaning;
      rest.remove_prefix(sign.size());
      break;
    }
    auto version = Version::parse(trim(rest));
    if (!version || (rules == VersionRules::semver && op == Op::pessimistic)) {
      return fail(Code::invalid_argument, "Malformed constraint: {}", part);
    }
    out.terms_.push_back({op, std::move(*version)});
  }
  return out;
}

bool VersionConstraint::holds(const Term& term, const Version& version) const {
  const int order = version.compare(term.version);
  const bool loose = rules_ == VersionRules::semver;
  const bool has_pre = !version.prerelease().empty();
  const bool wants_pre = !term.version.prerelease().empty();
  if (!loose && term.op != Op::equal && term.op != Op::not_equal) {
    // A pre-release satisfies a range only when the range names one of the same release.
    if (has_pre && !wants_pre) return false;
    if (has_pre && wants_pre && version.segments() != term.version.segments()) return false;
  }
  switch (term.op) {
    case Op::equal: return order == 0;
    case Op::not_equal: return order != 0;
    case Op::greater: return order > 0;
    case Op::less: return order < 0;
    case Op::greater_equal: return order >= 0;
    case Op::less_equal: return order <= 0;
    case Op::pessimistic: break;
  }
  // `~> 1.2.3`: at least that, and all but the last written segment unchanged.
  if (wants_pre && !has_pre) return false;
  if (order < 0 || term.version.segments().size() > version.segments().size()) return false;
  for (std::size_t i = 0; i + 1 < term.version.written_segments(); ++i) {
    if (version.segments()[i] != term.version.segments()[i]) return false;
  }
  return true;
}

bool VersionConstraint::matches(const Version& version) const {
  return std::all_of(terms_.begin(), terms_.end(), [&](const Term& term) { return holds(term, version); });
}

bool version_matches(std::string_view version, std::string_view constraint, VersionRules rules) {
  const auto left = Version::parse(version);
  if (!left) return false;
  const auto right = VersionConstraint::parse(constraint, rules);
  return right && right->matches(*left);
}

}  // namespace drover
