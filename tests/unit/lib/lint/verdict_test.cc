#include "lib/lint/verdict.h"

#include <doctest/doctest.h>

#include "lib/hcl/body.h"
#include "lib/lint/values.h"

using namespace drover;
using namespace drover::lint;

namespace {
constexpr const char* nested =
    "2 errors occurred:\n\t* Task group g validation failed: 1 error occurred:\n\t* Task t validation failed: 2 errors occurred:\n\t* Missing task driver\n"
    "\t* Lifecycle validation failed: invalid hook: prestat\n\n\n\n\n\t* job priority must be between [1, 100]\n\n\n";

constexpr const char* file =
    "job \"j\" {\n  type     = \"servce\"\n  priority = 900\n  group \"g\" {\n    restart {\n      mode     = \"dealy\"\n    }\n    network {\n      port \"http\" {}\n    }\n"
    "    task \"t\" {\n      lifecycle {\n        hook = \"prestat\"\n      }\n    }\n  }\n}\n";

std::string lines(const Findings& findings) {
  std::string out;
  for (const Finding& one : findings) out += (out.empty() ? "" : " ") + (one.place ? std::to_string(one.place->start.line) : std::string("-"));
  return out;
}
struct Tree {
  hcl::Diagnostics diagnostics;
  std::shared_ptr<const hcl::Body> body = hcl::parse_file(hcl::make_source("job.hcl", file), diagnostics);
  [[nodiscard]] Findings place(const char* text) const { return place_verdict(text, "job.hcl", body->native()); }
};
}  // namespace

TEST_CASE("verdict: nested lists become complaints with what they stand under") {
  const auto found = parse_complaints(nested);
  REQUIRE(found.size() == 3);
  CHECK(found[0].under == std::vector<std::string>{"Task group g validation failed", "Task t validation failed"});
  CHECK(found[0].text == "Missing task driver");
  CHECK(found[1].text == "Lifecycle validation failed: invalid hook: prestat");
  CHECK(found[2].under.empty());
  CHECK(found[2].text == "job priority must be between [1, 100]");
}

TEST_CASE("verdict: text that is no list, is cut short, or counts wrongly loses nothing and ends") {
  CHECK(parse_complaints("nothing of the kind").size() == 1);
  CHECK(parse_complaints("").empty());
  CHECK(parse_complaints("3 errors occurred:\n\t* one\n").size() == 1);
  CHECK(parse_complaints("1 error occurred:\n\t* one\n\t* two\n").size() == 2);
  CHECK(parse_complaints("errors occurred:\n").size() == 1);
  std::string deep;
  for (int i = 0; i < 1000; i++) deep += "1 error occurred:\n\t* ";
  CHECK(parse_complaints(deep + "x").size() >= 1);
}

TEST_CASE("verdict: a complaint stands at the attribute it speaks of, else at its block") {
  const auto found = Tree().place(nested);
  CHECK(lines(found) == "11 13 3");
  CHECK(found[0].summary == "group \"g\": task \"t\": Missing task driver");
  CHECK(found[1].detail == "hook takes \"prestart\", \"poststart\" or \"poststop\". Did you mean \"prestart\"?");
}

TEST_CASE("verdict: a word that is not accepted is shown with those that are") {
  const auto type = Tree().place("1 error occurred:\n\t* Invalid job type: \"servce\"\n");
  CHECK(lines(type) == "2");
  CHECK(type[0].detail == "type takes \"service\", \"batch\", \"system\" or \"sysbatch\". Did you mean \"service\"?");
  const auto mode = Tree().place("1 error occurred:\n\t* Task group g validation failed: 1 error occurred:\n\t* Unsupported restart mode: \"dealy\"\n\n\n");
  CHECK(lines(mode) == "6");
  CHECK(mode[0].detail.find("Did you mean \"delay\"?") != std::string::npos);
}

TEST_CASE("verdict: names in quotes find their block; a job of JSON has no places") {
  CHECK(lines(Tree().place("1 error occurred:\n\t* Task group g validation failed: 1 error occurred:\n\t* Static label \"http\" is in use\n")) == "9");
  CHECK(lines(place_verdict(nested, "job.json", nullptr)) == "- - -");
}

TEST_CASE("verdict: an API error keeps its text, or gives the list in it") {
  const auto refused = place_answer("Unexpected response code: 500 (1 error occurred:\n\t* job priority must be between [1, 100]\n\n)", "job.hcl", Tree().body->native());
  REQUIRE(refused.size() == 1);
  CHECK(refused[0].id == std::string(validate_rule));
  CHECK(refused[0].summary == "job priority must be between [1, 100]");
  const auto gone = place_answer("Put \"http://127.0.0.1:1/v1/jobs\": connection refused", "job.hcl", nullptr);
  CHECK(gone[0].id == std::string(server_rule));
  CHECK_FALSE(gone[0].place.has_value());
}

TEST_CASE("verdict: warnings of the servers, one by one") {
  const auto found = place_warnings("2 warnings:\n\n* Group \"g\" has warnings: 1 error occurred:\n\t* mbits has been deprecated\n\n\n* cron is deprecated", "job.hcl", Tree().body->native());
  REQUIRE(found.size() == 2);
  CHECK(found[0].severity == Severity::warning);
  CHECK(found[0].summary == "group \"g\": mbits has been deprecated");
  CHECK(found[1].summary == "cron is deprecated");
  CHECK(place_warnings("", "job.hcl", nullptr).empty());
}

TEST_CASE("values: what is accepted, for whom") {
  CHECK(accepted_values("job", "type") != nullptr);
  CHECK(accepted_values("job", "name") == nullptr);
  CHECK(value_hint("job", "type", "batch") == "");
  CHECK(value_hint("artifact", "mode", "nothing like it") == "mode takes \"any\", \"file\" or \"dir\".");
}
