#include "cli/flags.h"

#include <doctest/doctest.h>

using namespace drover;
using namespace drover::cli;

namespace {
struct Bound {
  bool detach = false, stdin_ = true;
  std::string name;
  std::int64_t count = -1;
  std::optional<bool> maybe;
  std::optional<std::uint64_t> limit;
  std::vector<std::string> meta;
  FlagSet set;

  Bound() {
    set.boolean("detach", detach, "");
    set.boolean("i", stdin_, "");
    set.text("name", name, "");
    set.integer("n", count, "");
    set.optional_boolean("maybe", maybe, "");
    set.optional_integer("limit", limit, "");
    set.list("meta", meta, "");
  }
  std::string complaint(const std::vector<std::string>& words) {
    auto parsed = set.parse(words);
    return parsed ? "" : parsed.error().message();
  }
};
}  // namespace

TEST_CASE("flags: one or two dashes, values after = or a blank, the first other word ends them") {
  Bound bound;
  const auto rest = bound.set.parse({"-detach", "--name", "x", "-n=3", "-meta", "a=1", "-meta=b=2", "-i=false", "job", "-detach"});
  REQUIRE(rest);
  CHECK(*rest == std::vector<std::string>{"job", "-detach"});
  CHECK(bound.detach);
  CHECK_FALSE(bound.stdin_);
  CHECK(bound.name == "x");
  CHECK(bound.count == 3);
  CHECK(bound.meta == std::vector<std::string>{"a=1", "b=2"});
}

TEST_CASE("flags: -- ends them, a lone dash is a word") {
  Bound bound;
  CHECK(*bound.set.parse({"--", "-detach"}) == std::vector<std::string>{"-detach"});
  CHECK(*bound.set.parse({"-"}) == std::vector<std::string>{"-"});
}

TEST_CASE("flags: an optional value is unset until it is given") {
  Bound bound;
  CHECK_FALSE(bound.maybe.has_value());
  REQUIRE(bound.set.parse({"-maybe=false", "-limit", "7"}));
  CHECK(bound.maybe == false);
  CHECK(bound.limit == 7);
}

TEST_CASE("flags: complaints read as Go's") {
  Bound bound;
  CHECK(bound.complaint({"-zz"}) == "flag provided but not defined: -zz");
  CHECK(bound.complaint({"-name"}) == "flag needs an argument: -name");
  CHECK(bound.complaint({"-n", "x"}) == "invalid value \"x\" for flag -n: parse error");
  CHECK(bound.complaint({"-detach=x"}) == "invalid boolean value \"x\" for -detach: parse error");
  CHECK(bound.complaint({"-maybe=zz"}) == "invalid value \"zz\" for flag -maybe: strconv.ParseBool: parsing \"zz\": invalid syntax");
  CHECK(bound.complaint({"-limit=-1"}) == "invalid value \"-1\" for flag -limit: strconv.ParseUint: parsing \"-1\": invalid syntax");
  CHECK(bound.complaint({"---x"}) == "bad flag syntax: ---x");
}

TEST_CASE("flags: Go's booleans and nothing else") {
  for (const char* yes : {"1", "t", "T", "TRUE", "true", "True"}) CHECK(parse_bool(yes) == true);
  for (const char* no : {"0", "f", "F", "FALSE", "false", "False"}) CHECK(parse_bool(no) == false);
  for (const char* neither : {"", "yes", "tRUE", "2"}) CHECK_FALSE(parse_bool(neither));
}
