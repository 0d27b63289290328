#include <doctest/doctest.h>

#include "lib/hcl/body.h"
#include "lib/hcl/parser.h"

using namespace drover::hcl;

namespace {

std::string errors_of(const std::string& text) {
  Diagnostics diagnostics;
  (void)parse_file(make_source("x.hcl", text), diagnostics);
  return diagnostics.lines();
}

Value value_of(const std::string& text, Diagnostics& diagnostics) {
  Budget budget;
  EvalContext context;
  context.budget = &budget;
  context.undefined = keep_source_text;
  context.variables["v"] = Value::string("x");
  const ExprPtr expression = parse_expression(make_source("x.hcl", text), diagnostics);
  return evaluate(*expression, context, diagnostics);
}

std::string text_of(const std::string& text) {
  Diagnostics diagnostics;
  const Value value = value_of(text, diagnostics);
  CHECK(diagnostics.lines() == "");
  if (!value.is_known()) return "unknown";
  if (value.is_null()) return "null";
  if (value.kind() == Kind::number) return value.as_number().str();
  if (value.kind() == Kind::boolean) return value.as_bool() ? "true" : "false";
  return value.as_string();
}

}  // namespace

TEST_CASE("parser: attributes, blocks and labels keep their order and places") {
  Diagnostics diagnostics;
  const auto body = parse_native(make_source("x.hcl", "a = 1\nb \"l\" m {\n  c = [1,\n 2]\n}\n# end\n"), diagnostics);
  CHECK(diagnostics.empty());
  REQUIRE(body->attributes.size() == 1);
  REQUIRE(body->blocks.size() == 1);
  CHECK(body->blocks[0].labels == std::vector<std::string>{"l", "m"});
  CHECK(body->blocks[0].type_range.str() == "x.hcl:2,1-2");
  CHECK(body->blocks[0].body->attributes[0].name == "c");
}

TEST_CASE("parser: an error names the place and what would be accepted") {
  CHECK(errors_of("job {\n") == "x.hcl:1,5-6: Unclosed configuration block; There is no closing brace for this block before the end of the file. This may be caused by incorrect brace nesting elsewhere in this file.");
  CHECK(errors_of("a = 1, b = 2\n").starts_with("x.hcl:1,6-7: Unexpected comma after argument; "));
  CHECK(errors_of("a = 'x'\n").starts_with("x.hcl:1,5-6: Invalid character; Single quotes"));
}

TEST_CASE("parser: render shows the line with a caret") {
  Diagnostics diagnostics;
  (void)parse_native(make_source("x.hcl", "\té = ;\n"), diagnostics);
  CHECK(render(diagnostics.items()[0]).find("  1 | \té = ;\n    | \t    ^\n") != std::string::npos);
}

TEST_CASE("evaluator: precedence, templates, splats, for and conditionals") {
  CHECK(text_of("1 + 2 * 3 - 4 / 2") == "5");
  CHECK(text_of("!(1 > 2) && true") == "true");
  CHECK(text_of("\"a${1 + 1}b%{ if true }c%{ else }d%{ endif }\"") == "a2bc");
  CHECK(text_of("([{ a = 1 }, { a = 2 }][*].a)[1]") == "2");
  CHECK(text_of("{ for k, v in { x = 1 } : \"${k}y\" => v + 1 }.xy") == "2");
  CHECK(text_of("v == \"x\" ? 1 : \"n\"") == "1");
  CHECK(text_of("<<-E\n    a\n      b\n    E\n") == "a\n  b\n");
  CHECK(text_of("0.5 + 0.25") == "0.75");
  CHECK(text_of("100000000000000000001 * 3") == "300000000000000000003");
}

TEST_CASE("evaluator: a root nobody defines stands for its own text") {
  CHECK(text_of("\"${ attr.cpu.arch }-x\"") == "${ attr.cpu.arch }-x");
  CHECK(text_of("node.class") == "${node.class}");
}

TEST_CASE("parser: hostile nesting is refused, not followed (A-30, A-31)") {
  for (const char* open : {"(", "[", "{a=", "-", "!", "\"${", "f("}) {
    std::string text = "a = ";
    for (int i = 0; i < 100000; i++) text += open;
    CHECK(errors_of(text) != "");
  }
  std::string blocks;
  for (int i = 0; i < 10000; i++) blocks += "a {\n";
  CHECK(errors_of(blocks) != "");
  std::string json;
  for (int i = 0; i < 100000; i++) json += "{\"a\":";
  CHECK(errors_of(json) != "");
  std::string sum = "a = 1";
  for (int i = 0; i < 100000; i++) sum += " + 1";
  CHECK(errors_of(sum) != "");
}

TEST_CASE("evaluator: loops and strings that multiply run out of budget (A-30)") {
  Diagnostics diagnostics;
  std::string list = "[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19]";
  std::string text = "1";
  for (int i = 0; i < 8; i++) text = "[for x in " + list + " : " + text + "]";
  (void)value_of(text, diagnostics);
  CHECK(diagnostics.lines().find("Evaluation too large") != std::string::npos);
}

TEST_CASE("json: blocks by labels, templates in strings, errors with places") {
  Diagnostics diagnostics;
  const auto body = parse_file(make_source("x.json", R"({"b": {"l1": [{"x": "${v}"}], "l2": {}}})"), diagnostics);
  const Content content = body->content({{}, {{"b", {"name"}}}}, diagnostics);
  CHECK(diagnostics.empty());
  REQUIRE(content.blocks.size() == 2);
  CHECK(content.blocks[0].labels[0] == "l1");
  CHECK(content.blocks[0].body->content({{{"x", true}}, {}}, diagnostics).attribute("x") != nullptr);
  CHECK(errors_of("{\"a\":1,}").starts_with("x.hcl:1,7-8: Trailing comma in object"));
}
