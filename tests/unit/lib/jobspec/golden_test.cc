// The recorded job files of tests/golden/jobspec: what parsing and canonicalisation answer, and the exact text of refusals.
//
// known_differences.txt is a ratchet: it lists the cases that do not agree. A case that starts to disagree fails the test, and so does
// a listed one that agrees, so the list can only shrink. DROVER_GOLDEN_VERBOSE=1 prints every difference.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "lib/jobspec/canonical.h"
#include "lib/jobspec/parse.h"
#include "sdk/base/text.h"

using drover::model::Json;
namespace fs = std::filesystem;

namespace {

const fs::path golden = fs::path(DROVER_SOURCE_DIR) / "tests/golden/jobspec";

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

drover::Result<Json> parse_case(const fs::path& stem) {
  drover::jobspec::ParseInput input;
  input.source = read(stem.string() + ".nomad.hcl");
  input.variables = read(stem.string() + ".vars");
  input.strict = false;
  return drover::jobspec::parse(input);
}

// The paths where two documents differ.
void differences(const nlohmann::json& got, const nlohmann::json& want, const std::string& path, std::vector<std::string>& out) {
  if (got == want) return;
  if (got.is_object() && want.is_object()) {
    std::set<std::string> names;
    for (const auto& [name, value] : got.items()) names.insert(name);
    for (const auto& [name, value] : want.items()) names.insert(name);
    for (const std::string& name : names) {
      if (!got.contains(name)) out.push_back(path + "." + name + ": missing, want " + want[name].dump());
      else if (!want.contains(name)) out.push_back(path + "." + name + ": got " + got[name].dump() + ", want nothing");
      else differences(got[name], want[name], path + "." + name, out);
    }
    return;
  }
  if (got.is_array() && want.is_array() && got.size() == want.size()) {
    for (std::size_t i = 0; i < got.size(); i++) differences(got[i], want[i], path + "[" + std::to_string(i) + "]", out);
    return;
  }
  out.push_back(path + ": got " + got.dump() + ", want " + want.dump());
}

std::string compare_json(const Json& got, const fs::path& want) {
  std::vector<std::string> out;
  differences(nlohmann::json::parse(got.dump()), nlohmann::json::parse(read(want)), "", out);
  return drover::join(out, "\n    ");
}

std::string sorted_lines(const std::string& text) {
  std::vector<std::string> lines = drover::split(text, '\n');
  std::sort(lines.begin(), lines.end());
  return drover::join(lines, "\n");
}

class Ratchet {
 public:
  Ratchet() {
    std::ifstream file(fs::path(DROVER_SOURCE_DIR) / "tests/golden/jobspec/known_differences.txt");
    for (std::string line; std::getline(file, line);) {
      if (!line.empty() && line[0] != '#') known_.insert(line.substr(0, line.find(' ')));
    }
  }
  void report(const std::string& name, const std::string& difference) {
    (difference.empty() ? agreed_ : differed_)++;
    if (!difference.empty() && verbose_) std::cout << name << "\n    " << difference << "\n";
    INFO(name << ": " << difference);
    if (known_.contains(name)) CHECK_FALSE_MESSAGE(difference.empty(), name << " agrees now: take it off known_differences.txt");
    else CHECK(difference == "");
  }
  ~Ratchet() {
    if (verbose_) std::cout << agreed_ << " agree, " << differed_ << " differ\n";
  }
  Ratchet(const Ratchet&) = delete;
  Ratchet& operator=(const Ratchet&) = delete;

 private:
  std::set<std::string> known_;
  bool verbose_ = std::getenv("DROVER_GOLDEN_VERBOSE") != nullptr;
  int agreed_ = 0;
  int differed_ = 0;
};

std::vector<fs::path> cases(const char* folder) {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(golden / folder)) {
    const std::string name = entry.path().string();
    if (name.ends_with(".nomad.hcl")) out.push_back(name.substr(0, name.size() - 10));
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

TEST_CASE("jobspec: recorded good job files parse and canonicalise to the recorded JSON") {
  Ratchet ratchet;
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
  Ratchet ratchet;
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
