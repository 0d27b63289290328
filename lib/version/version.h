// Versions and version constraints as the operators `version` and `semver` read them (jobspec 4). Pure values.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sdk/base/error.h"

namespace drover {

class Version {
 public:
  // `v1.2`, `1.2.3-beta1+meta`, any number of segments; missing ones up to three are 0.
  [[nodiscard]] static Result<Version> parse(std::string_view text);

  [[nodiscard]] const std::vector<std::int64_t>& segments() const { return segments_; }
  // Segments that were written, before padding.
  [[nodiscard]] std::size_t written_segments() const { return written_; }
  [[nodiscard]] const std::string& prerelease() const { return prerelease_; }
  [[nodiscard]] const std::string& metadata() const { return metadata_; }
  // Go's String(): `1.2.0-beta1+meta`.
  [[nodiscard]] std::string to_string() const;
  // Negative, 0 or positive; metadata does not count.
  [[nodiscard]] int compare(const Version& other) const;
  friend bool operator==(const Version& a, const Version& b) { return a.compare(b) == 0; }
  friend std::strong_ordering operator<=>(const Version& a, const Version& b) { return a.compare(b) <=> 0; }

 private:
  std::vector<std::int64_t> segments_;
  std::size_t written_ = 0;
  std::string prerelease_;
  std::string metadata_;
};

// How pre-releases and `~>` are treated: `version` matches a pre-release only when the constraint has one, `semver` orders it.
enum class VersionRules : std::uint8_t { version, semver };

class VersionConstraint {
 public:
  // Comma-separated, all must hold: `>= 1.2, < 2.0`.
  [[nodiscard]] static Result<VersionConstraint> parse(std::string_view text, VersionRules rules);
  [[nodiscard]] bool matches(const Version& version) const;

 private:
  enum class Op : std::uint8_t { equal, not_equal, greater, less, greater_equal, less_equal, pessimistic };
  struct Term {
    Op op;
    Version version;
  };
  [[nodiscard]] bool holds(const Term& term, const Version& version) const;
  std::vector<Term> terms_;
  VersionRules rules_ = VersionRules::version;
};

// Both texts at once; false when either cannot be read, as the scheduler wants it.
[[nodiscard]] bool version_matches(std::string_view version, std::string_view constraint, VersionRules rules);

}  // namespace drover
