// The recorded job files of tests/golden/jobspec: what parsing and canonicalisation answer, and the exact text of refusals.
//
// known_differences.txt is a ratchet: it lists the cases that do not agree. A case that starts to disagree fails the test, and so does
// a listed one that agrees, so the list can only shrink.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "lib/jobspec/canonical.h"
#include "lib/jobspec/parse.h"
#include "sdk/base/text.h"
#include "tests/unit/support/golden.h"

using drover::model::Json;
namespace fs = std::filesystem;

namespace {

using drover::golden::read;

drover::Result<Json> parse_case(const fs::path& stem) {
  drover::jobspec::ParseInput input;
  input.source = read(stem.string() + ".nomad.hcl");
  input.variables = read(stem.string() + ".vars");
  input.strict = false;
  return drover::jobspec::parse(input);
}

std::string compare_json(const Json& got, const fs::path& want) {
  return drover::golden::differences(nlohmann::json::parse(got.dump()), drover::golden::read_json(want));
}

std::string sorted_lines(const std::string& text) {
  std::vector<std::string> lines = drover::split(text, '\n');
  std::sort(lines.begin(), lines.end());
  return drover::join(lines, "\n");
}

std::vector<fs::path> cases(const char* folder) { return drover::golden::stems(drover::golden::topic("jobspec") / folder, ".nomad.hcl"); }

}  // namespace

TEST_CASE("jobspec: recorded good job files parse and canonicalise to the recorded JSON") {
  if (!drover::golden::has("jobspec")) return;
  drover::golden::Tally ratchet("jobspec", "good");
  for (const fs::path& stem : cases("good")) {
    const std::string name = stem.filename().string();
    auto job = parse_case(stem);
    if (!job) {
      ratchet.report("parsed/" + name, job.error().message());
      ratchet.report("canonical/" + name, job.error().message());
      continue;
    }
    ratchet.report("parsed/" + name, compare_json(*job, stem.string() + ".parsed.json"));
    drover::jobspec::canonicalize_api(*job);
    ratchet.report("canonical/" + name, compare_json(*job, stem.string() + ".canonical.json"));
  }
}

TEST_CASE("jobspec: recorded bad job files are refused with the recorded text") {
  if (!drover::golden::has("jobspec")) return;
  drover::golden::Tally ratchet("jobspec", "bad");
  for (const fs::path& stem : cases("bad")) {
    const std::string name = "bad/" + stem.filename().string();
    const auto want = nlohmann::json::parse(read(stem.string() + ".error.json"));
    const auto job = parse_case(stem);
    if (job) {
      ratchet.report(name, "accepted");
      continue;
    }
    std::string text = job.error().message() == "Job spec is empty" ? job.error().message() : "Failed to parse job: " + job.error().message();
    std::string expected = want.contains("body") ? want["body"] : want["text"];
    if (want.value("any_order", false)) {
      constexpr std::size_t prefix = 21;
      text = sorted_lines(text.substr(prefix));
      expected = sorted_lines(expected.substr(prefix));
    }
    ratchet.report(name, text == expected ? "" : "got  " + text + "\n    want " + expected);
  }
}
