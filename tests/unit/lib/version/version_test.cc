#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "lib/version/version.h"
#include "tests/unit/source_dir.h"

using namespace drover;

TEST_CASE("version: every recorded constraint is judged alike") {
  std::ifstream file(source_dir() + "/tests/golden/constraints/version.json");
  const auto rows = nlohmann::json::parse(file);
  REQUIRE(rows.size() > 100);
  for (const auto& row : rows) {
    const auto rules = row["operand"] == "semver" ? VersionRules::semver : VersionRules::version;
    const std::string left = row["left"];
    const std::string right = row["right"];
    if (left == "<absent>" || right == "<absent>") continue;
    CAPTURE(left);
    CAPTURE(right);
    CHECK(version_matches(left, right, rules) == row["match"].get<bool>());
  }
}

TEST_CASE("version: precedence follows semver") {
  const char* ascending[] = {"1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2",
                             "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1", "1.2", "1.10", "2"};
  for (std::size_t i = 0; i + 1 < std::size(ascending); ++i) {
    CAPTURE(ascending[i]);
    CHECK(*Version::parse(ascending[i]) < *Version::parse(ascending[i + 1]));
  }
  CHECK(*Version::parse("1.2.3+a") == *Version::parse("v1.2.3+b"));
  CHECK(Version::parse("1.2-beta1+m")->to_string() == "1.2.0-beta1+m");
  CHECK_FALSE(Version::parse(""));
  CHECK_FALSE(Version::parse("1..2"));
  CHECK_FALSE(Version::parse("1.2.x!"));
}
