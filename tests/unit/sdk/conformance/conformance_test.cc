#include <doctest/doctest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "sdk/base/file.h"
#include "sdk/conformance/recipe.h"
#include "sdk/conformance/report.h"
#include "sdk/conformance/schema_check.h"
#include "tests/unit/source_dir.h"

using namespace drover;
using namespace drover::conformance;

TEST_CASE("conformance: items are numbered from 1 to 114 without a gap") {
  int expected = 0;
  for (const Item& item : all_items()) {
    CHECK(item.number == ++expected);
    CHECK(!item.title.empty());
    CHECK(item.title.find('|') == std::string_view::npos);
    CHECK(find_item(item.number) == &item);
  }
  CHECK(expected == 114);
  CHECK(find_item(115) == nullptr);
}

TEST_CASE("conformance: the table in docs/plugin-conformance.md is the list of items") {
  // DROVER_ACCEPT=1 writes it.
  const std::string path = source_dir() + "/docs/plugin-conformance.md";
  const std::string text = read_file(path).value();
  const std::string begin = "<!-- items -->\n", end = "<!-- end of items -->";
  const std::size_t from = text.find(begin) + begin.size(), to = text.find(end);
  REQUIRE(to != std::string::npos);
  if (std::getenv("DROVER_ACCEPT") != nullptr) REQUIRE(write_file(path, text.substr(0, from) + items_table() + text.substr(to)));
  else CHECK(text.substr(from, to - from) == items_table());
}

namespace {
ItemResult failing(Level level) {
  Check check(Level::required);
  check.at(level, false, "a <tag> & \"quotes\"", "two\nlines");
  return std::move(check).result(7, 0.5);
}
}  // namespace

TEST_CASE("conformance: only what is required fails an item") {
  CHECK(failing(Level::required).verdict == Verdict::failed);
  CHECK(failing(Level::should).verdict == Verdict::warned);
  CHECK(failing(Level::informational).verdict == Verdict::passed);
  Check skipped(Level::required);
  skipped.skip("no root");
  CHECK(std::move(skipped).result(1, 0).verdict == Verdict::skipped);
  Check both(Level::required);
  both.skip("half of it");
  both.expect(false, "x", "y");
  CHECK(std::move(both).result(1, 0).verdict == Verdict::failed);
  // A recommended item cannot fail the plugin, whatever it expects.
  Check should(Level::should);
  should.expect(false, "x", "y");
  CHECK(std::move(should).result(3, 0).verdict == Verdict::warned);
}

TEST_CASE("conformance: the exit code is 0 only if something ran and nothing required failed") {
  CHECK(summarise({}).exit_code() == 1);
  CHECK(summarise({failing(Level::should)}).exit_code() == 0);
  CHECK(summarise({failing(Level::should), failing(Level::required)}).exit_code() == 1);
  Check skipped(Level::required);
  skipped.skip("no root");
  CHECK(summarise({std::move(skipped).result(1, 0)}).exit_code() == 1);
}

TEST_CASE("conformance: a failure names the item, what was expected and seen, and where to read") {
  Told told;
  const std::string text = to_text(failing(Level::required), false, told);
  CHECK(text.find("FAIL   7 R the network is unix or tcp") == 0);
  CHECK(text.find("expected  a <tag>") != std::string::npos);
  CHECK(text.find("seen      two\n                    lines") != std::string::npos);
  CHECK(text.find("protocol 1.3") != std::string::npos);
  CHECK(to_text(summarise({failing(Level::required)}), "x 1.0.0") == "x 1.0.0: does NOT conform: 0 passed, 1 failure, 0 warnings, 0 skipped");
}

TEST_CASE("conformance: what an earlier item has told is not told again") {
  Told told;
  Check twice(Level::required);
  for (int i = 0; i < 2; ++i) twice.expect(false, "a handshake", "nothing");
  const std::string first = to_text(std::move(twice).result(4, 0), false, told);
  CHECK(first.find("expected") == first.rfind("expected"));
  Check later(Level::required);
  later.expect(false, "a handshake", "nothing");
  later.expect(false, "a handshake", "a word");
  const std::string second = to_text(std::move(later).result(9, 0), false, told);
  CHECK(second.find("as item   4\n") != std::string::npos);
  CHECK(second.find("seen      a word") != std::string::npos);
}

TEST_CASE("conformance: reports for programs hold any text") {
  ItemResult result = failing(Level::required);
  result.findings[0].seen = std::string("\x01\xff<", 3);
  const auto json = nlohmann::json::parse(to_json({result}, "x"));
  CHECK(json["conforms"] == false);
  CHECK(json["items"][0]["item"] == 7);
  CHECK(json["items"][0]["verdict"] == "fail");
  const std::string junit = to_junit({result}, "x & y");
  CHECK(junit.find("name=\"x &amp; y\"") != std::string::npos);
  CHECK(junit.find("a &lt;tag&gt; &amp; &quot;quotes&quot;") != std::string::npos);
  CHECK(junit.find('\x01') == std::string::npos);
}

TEST_CASE("conformance: a recipe takes scripts or cases, and says what is wrong with it") {
  using nlohmann::json;
  const auto schema = plugin::object({{"command", plugin::attr("command", "string", true)}, {"args", plugin::attr("args", "list(string)")}});
  const auto scripts = Recipe::parse(json::parse(R"({"config": [{"command": "${shell}", "args": ["-c", "${script}"]}], "user": "nobody"})"));
  REQUIRE(scripts);
  CHECK(scripts->runs_scripts());
  CHECK(scripts->user() == "nobody");
  CHECK(scripts->can({"anything", "exit 0"}));
  CHECK_FALSE(scripts->can({"anything", ""}));
  const auto encoded = scripts->encode({"x", "echo '${HOME}'"}, schema, "/bin/sh");
  REQUIRE(encoded);
  CHECK(encoded->find("echo '${HOME}'") != std::string::npos);

  const auto cases = Recipe::parse(json::parse(R"({"case": [{"exit_0": [{"command": "a"}]}, {"sleep": [{"command": "b"}]}]})"));
  REQUIRE(cases);
  CHECK(cases->can({"sleep", ""}));
  CHECK_FALSE(cases->can({"exit_7", "exit 7"}));
  CHECK(cases->encode({"exit_7", "exit 7"}, schema, "").error().code() == Code::not_found);

  CHECK_FALSE(Recipe::parse(json::parse("[]")));
  CHECK_FALSE(Recipe::parse(json::parse(R"({"user": "x"})")));
  CHECK(Recipe::parse(json::parse(R"({"configs": {}})")).error().message().find("\"configs\"") != std::string::npos);
}

TEST_CASE("conformance: a default of another type than its attribute is found at any depth") {
  using namespace plugin;
  CHECK(check_defaults(object({{"n", default_value(attr("n", "number"), "5")}, {"l", default_value(attr("l", "list(string)"), "[]")}})).empty());
  CHECK(check_defaults(object({{"n", default_value(attr("n", "number"), "\"5\"")}})).size() == 1);
  CHECK(check_defaults(object({{"b", block("b", object({{"s", default_value(attr("s", "string"), "true")}}))}})).size() == 1);
}

TEST_CASE("conformance: units are those of the protocol") {
  for (const char* unit : {"KiB", "KB", "kB", "GiB/s", "MHz", "mW"}) CHECK(is_unit(unit));
  for (const char* unit : {"kib", "parsec", "MHz/s", "", "/s"}) CHECK_FALSE(is_unit(unit));
}
