#include "cli/exec_session.h"

#include <doctest/doctest.h>

using namespace drover;
using namespace drover::cli;

TEST_CASE("exec session: the escape sequence counts at the start of a line only, and twice is the character itself") {
  EscapeFilter filter('~');
  CHECK(filter.feed("a~.b\r") == "a~.b\r");
  CHECK_FALSE(filter.ended());
  CHECK(filter.feed("~") == "");
  CHECK(filter.feed("x\n") == "~x\n");
  CHECK(filter.feed("~~.") == "~.");
  CHECK(filter.feed("\r~.rest") == "\r");
  CHECK(filter.ended());
  EscapeFilter at_once('~');
  CHECK(at_once.feed("~.") == "");
  CHECK(at_once.ended());
  EscapeFilter off('\0');
  CHECK(off.feed(std::string("\0.~.", 4)) == std::string("\0.~.", 4));
  CHECK_FALSE(off.ended());
}

TEST_CASE("exec session: the escape character is one character, or none") {
  CHECK(parse_escape("~") == '~');
  CHECK(parse_escape("none") == '\0');
  CHECK(parse_escape("ab").error().message() == "-e requires 'none' or a single character");
  CHECK_FALSE(parse_escape(""));
}
