#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "lib/jobspec/canonical.h"
#include "lib/jobspec/validate.h"
#include "tests/unit/source_dir.h"

using namespace drover;

namespace {

jobspec::ValidateOptions options() {
  jobspec::ValidateOptions out;
  out.check_time_zone = [](const std::string& zone) -> Result<> {
    if (zone == "UTC") return {};
    return fail(Code::invalid_argument, "unknown time zone {}", zone);
  };
  return out;
}

}  // namespace

TEST_CASE("validate: recorded jobs give the recorded errors and warnings") {
  std::ifstream file(source_dir() + "/tests/golden/validate/jobs.json");
  std::ostringstream text;
  text << file.rdbuf();
  for (const auto& row : nlohmann::json::parse(text.str())) {
    const std::string name = row["name"];
    // The recorded build refuses what only its paid edition has; here they are for everybody (jobspec 7).
    if (name == "numa-bad" || name == "schedule") continue;
    INFO(name);
    const auto job = jobspec::job_from_api_json(row["job"].dump());
    REQUIRE(job.has_value());
    const auto result = jobspec::validate(*job, options());
    CHECK(result.errors == row["errors"].get<std::vector<std::string>>());
    CHECK(result.error_text() == row["error"].get<std::string>());
    CHECK(result.warning_text() == row["warnings"].get<std::string>());
  }
}

TEST_CASE("validate: wrong types in API JSON are an error that names the field") {
  const auto job = jobspec::job_from_api_json(R"({"Job": {"ID": "x", "TaskGroups": [{"Name": "g", "Count": "many"}]}})");
  REQUIRE_FALSE(job.has_value());
  CHECK(job.error().message().find("Count") != std::string::npos);
  CHECK_FALSE(jobspec::job_from_api_json("[]").has_value());
  CHECK_FALSE(jobspec::job_from_api_json("{").has_value());
  CHECK_FALSE(jobspec::job_from_api_json(R"({"TaskGroups": [5]})").has_value());
}
