#include "lib/gotemplate/print.h"

#include <doctest/doctest.h>

using namespace drover::gotemplate;

TEST_CASE("values print as %v") {
  CHECK(to_text(Value()) == "<no value>");
  CHECK(to_text(Value::nil("*api.Job")) == "<nil>");
  CHECK(to_text(Value::floating(1000)) == "1000");
  CHECK(to_text(Value::floating(1e21)) == "1e+21");
  CHECK(to_text(Value::floating(0.00001)) == "1e-05");
  CHECK(to_text(Value::bytes("AB")) == "[65 66]");
  CHECK(to_text(Value::integer(90'000'000'000, "time.Duration")) == "1m30s");
  CHECK(to_text(Value::list({Value("a"), Value(), Value(true)})) == "[a <nil> true]");
}

TEST_CASE("print puts a blank between operands when neither is text") {
  CHECK(print({Value::integer(1), Value::integer(2), Value("x"), Value::integer(3)}) == "1 2x3");
}

TEST_CASE("printf: verbs, widths and complaints") {
  CHECK(print_format("%05d|%-4s|%q|%v|%.2f|%x", {Value::integer(42), Value("ab"), Value("q"), Value(true), Value::floating(3.14159), Value::integer(255)}) ==
        "00042|ab  |\"q\"|true|3.14|ff");
  CHECK(print_format("%+d %X %#x %o %b %c %U %T", {Value::integer(5), Value::integer(255), Value::integer(255), Value::integer(8), Value::integer(5), Value::integer(233), Value::integer(233), Value("s")}) ==
        "+5 FF 0xff 10 101 é U+00E9 string");
  CHECK(print_format("%*d|%.1s|%6.2f|%g|%e|%t%%", {Value::integer(4), Value::integer(7), Value("éa"), Value::floating(1.5), Value::floating(0.5), Value::floating(1.5), Value(false)}) ==
        "   7|é|  1.50|0.5|1.500000e+00|false%");
  CHECK(print_format("%d", {Value("hi")}) == "%!d(string=hi)");
  CHECK(print_format("%d %s", {Value::integer(1)}) == "1 %!s(MISSING)");
  CHECK(print_format("x", {Value::integer(1)}) == "x%!(EXTRA int=1)");
  CHECK(print_format("%", {}) == "%!(NOVERB)");
  CHECK(print_format("%v %s", {Value(), Value()}) == "<nil> %!s(<nil>)");
  CHECK(print_format("%s %d", {Value::list({Value("a")}), Value::list({Value::integer(1)})}) == "[a] [1]");
}
