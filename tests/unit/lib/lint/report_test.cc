#include "lib/lint/report.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "sdk/base/text.h"

using namespace drover;
using namespace drover::lint;
using Json = nlohmann::json;

namespace {
// `what` in the text, as a finding's place.
Finding finding(const std::string& text, const std::string& what, Severity severity = Severity::error, const std::string& id = parse_rule) {
  hcl::Range place{hcl::make_source("dir/my job.hcl", text), {}, {}};
  const std::size_t at = text.find(what);
  hcl::advance(place.start, std::string_view(text).substr(0, at));
  place.end = place.start;
  hcl::advance(place.end, std::string_view(text).substr(at, what.size()));
  Finding out{severity, id, "Unsupported block type", "Blocks of type \"tsk\" are not expected here."};
  out.place = place;
  return out;
}

// SARIF 2.1.0: what the standard requires of the members we write (sections 3.13 to 3.30).
void check_sarif(const Json& log) {
  CHECK(log.at("version") == "2.1.0");
  CHECK(log.at("$schema").get<std::string>().find("sarif-2.1.0") != std::string::npos);
  REQUIRE(log.at("runs").size() == 1);
  const Json& run = log["runs"][0];
  const Json& driver = run.at("tool").at("driver");
  CHECK(!driver.at("name").get<std::string>().empty());
  std::set<std::string> ids;
  for (const Json& rule : driver.at("rules")) {
    CHECK(ids.insert(rule.at("id")).second);
    CHECK(!rule.at("shortDescription").at("text").get<std::string>().empty());
    CHECK(std::set<std::string>{"none", "note", "warning", "error"}.contains(rule.at("defaultConfiguration").at("level")));
  }
  CHECK(std::set<std::string>{"utf16CodeUnits", "unicodeCodePoints"}.contains(run.at("columnKind")));
  for (const Json& result : run.at("results")) {
    CHECK(driver["rules"][result.at("ruleIndex").get<std::size_t>()]["id"] == result.at("ruleId"));
    CHECK(std::set<std::string>{"none", "note", "warning", "error"}.contains(result.at("level")));
    CHECK(!result.at("message").at("text").get<std::string>().empty());
    if (!result.contains("locations")) continue;
    const Json& place = result["locations"].at(0).at("physicalLocation");
    const std::string uri = place.at("artifactLocation").at("uri");
    CHECK(uri.find_first_of(" \"<>\\^`{|}#?") == std::string::npos);
    if (!place.contains("region")) continue;
    const Json& region = place["region"];
    for (const char* name : {"startLine", "startColumn", "endLine", "endColumn"}) CHECK(region.at(name).get<int>() >= 1);
    CHECK(std::pair(region["endLine"].get<int>(), region["endColumn"].get<int>()) > std::pair(region["startLine"].get<int>(), region["startColumn"].get<int>()));
    CHECK(region.at("snippet").contains("text"));
  }
}
const std::string text = "job \"\xf0\x9f\x90\x82\" { tsk \"a\" {} }\n";
}  // namespace

TEST_CASE("report: text shows the line, a caret, what would be accepted") {
  CHECK(render(finding(text, "tsk"), false) ==
        "Error: Unsupported block type\n  on dir/my job.hcl line 1, column 11:\n  1 | job \"\xf0\x9f\x90\x82\" { tsk \"a\" {} }\n    |           ^^^\n"
        "  Blocks of type \"tsk\" are not expected here.\n");
  CHECK(render(finding(text, "tsk", Severity::warning, "DL003"), false).starts_with("Warning: Unsupported block type (DL003)\n"));
  CHECK(excerpt({.summary = "x", .file = "f"}, false) == "");
}

TEST_CASE("report: colours are there when asked for, and a file cannot bring its own") {
  CHECK(render(finding(text, "tsk"), true).find("\033[1;31mError:\033[0m") == 0);
  CHECK(render(finding("a = \"\033[2J\" tsk", "tsk"), false).find('\033') == std::string::npos);
}

TEST_CASE("report: a place over several lines, at the end of a text, and empty") {
  CHECK(excerpt(finding("a {\n  b\n}\n", "{\n  b\n}"), false) == "  on dir/my job.hcl line 1, column 3:\n  1 | a {\n    |   ^\n");
  Finding end = finding("a = ", "a");
  end.place->start = end.place->end = {1, 5, 4};
  CHECK(excerpt(end, false) == "  on dir/my job.hcl line 1, column 5:\n  1 | a = \n    |     ^\n");
}

TEST_CASE("report: json counts, places in code points, texts that are no UTF-8") {
  Json document = Json::parse(to_json({finding(text, "tsk"), finding(text, "job", Severity::warning, "DL001"), {.summary = "\xff", .file = "f"}}));
  CHECK(document["valid"] == false);
  CHECK(document["error_count"] == 2);
  CHECK(document["warning_count"] == 1);
  const Json& first = document["diagnostics"][0];
  CHECK(first["severity"] == "error");
  CHECK(first["file"] == "dir/my job.hcl");
  CHECK(first["range"]["start"] == Json{{"line", 1}, {"column", 11}, {"byte", 13}});
  CHECK(first["range"]["end"]["column"] == 14);
  CHECK(first["line"] == "job \"\xf0\x9f\x90\x82\" { tsk \"a\" {} }");
  CHECK(document["diagnostics"][2]["file"] == "f");
  CHECK_FALSE(document["diagnostics"][2].contains("range"));
  document = Json::parse(to_json({}));
  CHECK(document["valid"] == true);
}

TEST_CASE("report: sarif is well formed, with rules, places and URIs") {
  Finding nowhere{.id = server_rule, .summary = "no answer"};
  Finding empty = finding(text, "tsk", Severity::warning, "DL003");
  empty.place->end = empty.place->start;
  const Json log = Json::parse(to_sarif({finding(text, "tsk"), empty, nowhere}, "1.2.3"));
  check_sarif(log);
  const Json& results = log["runs"][0]["results"];
  REQUIRE(results.size() == 3);
  CHECK(results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "dir/my%20job.hcl");
  CHECK(results[0]["message"]["text"] == "Unsupported block type: Blocks of type \"tsk\" are not expected here.");
  CHECK(results[1]["level"] == "warning");
  CHECK_FALSE(results[2].contains("locations"));
  check_sarif(Json::parse(to_sarif({}, "1.2.3")));
}

TEST_CASE("report: names of files as URIs") {
  CHECK(file_uri("./a/b.hcl") == "a/b.hcl");
  CHECK(file_uri("/x/a b%.hcl") == "file:///x/a%20b%25.hcl");
  CHECK(file_uri("c:\xc3\xa9") == "c%3A%C3%A9");
}

TEST_CASE("report: github's lines are one each, with its escapes") {
  CHECK(to_github({}) == "");
  Finding one = finding(text, "tsk");
  one.place->file = hcl::make_source("a,b:c.hcl", text);
  one.summary = "50%: a, b";
  one.detail = "first\r\nsecond: 100%, ::error::x";
  CHECK(to_github({one}) == "::error file=a%2Cb%3Ac.hcl,line=1,endLine=1,col=11,endColumn=14,title=50%25%3A a%2C b::first%0D%0Asecond: 100%25, ::error::x\n");
  CHECK(to_github({{.severity = Severity::warning, .id = "DL001", .summary = "s"}}) == "::warning title=s (DL001)::s\n");
  Finding tall = finding("a {\n}\n", "{\n}");
  CHECK(to_github({tall}).find("line=1,endLine=2,title") != std::string::npos);
}

TEST_CASE("report: names of formats") {
  for (const char* name : {"text", "json", "sarif", "github"}) CHECK(parse_format(name).has_value());
  CHECK_FALSE(parse_format("xml").has_value());
  for (const std::string& name : {"text", "json", "sarif", "github"}) CHECK(std::string(format_names).find(name) != std::string::npos);
}
