#include <doctest/doctest.h>

#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "lib/jobspec/canonical.h"
#include "lib/jobspec/implied.h"
#include "lib/model/codec.h"
#include "tests/unit/source_dir.h"

using namespace drover;

namespace {

// Where two documents differ; text in angle brackets stands for anything.
void differences(const nlohmann::json& got, const nlohmann::json& want, const std::string& path, std::string& out) {
  if (got == want || (want.is_string() && want.get<std::string>().starts_with('<'))) return;
  if (got.is_object() && want.is_object()) {
    for (const auto& [name, value] : want.items()) differences(got.value(name, nlohmann::json("absent")), value, path + "." + name, out);
    for (const auto& [name, value] : got.items()) {
      if (!want.contains(name)) out += path + "." + name + ": not wanted\n";
    }
    return;
  }
  if (got.is_array() && want.is_array() && got.size() == want.size()) {
    for (std::size_t i = 0; i < got.size(); i++) differences(got[i], want[i], path + "[" + std::to_string(i) + "]", out);
    return;
  }
  out += path + ": got " + got.dump() + ", want " + want.dump() + "\n";
}

}  // namespace

TEST_CASE("canonical: recorded jobs are stored as recorded") {
  std::ifstream file(source_dir() + "/tests/golden/stored/jobs.json");
  std::ostringstream text;
  text << file.rdbuf();
  for (const auto& row : nlohmann::json::parse(text.str())) {
    INFO(row["name"].get<std::string>());
    auto job = jobspec::job_from_api_json(row["job"].dump());
    REQUIRE(job.has_value());
    jobspec::add_implied_constraints(*job);
    nlohmann::json got = nlohmann::json::parse(model::to_json(*job));
    // Set when the entry is applied, or by who runs the server.
    for (const char* name : {"Status", "NodePool", "Version", "Stable", "StatusDescription"}) got[name] = row["stored"][name];
    std::string out;
    differences(got, row["stored"], "", out);
    CHECK(out == "");
    // Twice is as good as once.
    model::Job again = *job;
    jobspec::canonicalize_server(again);
    jobspec::add_implied_constraints(again);
    CHECK(again == *job);
  }
}
