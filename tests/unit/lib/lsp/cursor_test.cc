#include "lib/lsp/cursor.h"

#include <doctest/doctest.h>

using namespace drover::lsp;

namespace {
// The outline at the mark | of a text, which is taken out.
Outline at(std::string text) {
  const std::size_t mark = text.find('|');
  REQUIRE(mark != std::string::npos);
  text.erase(mark, 1);
  return look_at(text, mark);
}
std::string where(const std::string& text) {
  const Cursor cursor = at(text).cursor;
  static const char* names[] = {"statement", "header", "expression", "text", "comment"};
  std::string out = names[static_cast<int>(cursor.place)];
  for (const auto& frame : cursor.frames) out += " " + frame->type + (frame->object ? "=" : "");
  if (!cursor.attribute.empty()) out += " @" + cursor.attribute;
  if (!cursor.prefix.empty()) out += " '" + cursor.prefix + "'";
  return out + (cursor.interpolation ? " ${}" : "");
}
}  // namespace

TEST_CASE("cursor: statements, headers, values") {
  CHECK(where("|") == "statement");
  CHECK(where("jo|b \"a\" {}") == "statement 'jo'");
  CHECK(where("job \"a\" {\n  ty|\n}") == "statement job 'ty'");
  CHECK(where("job \"a\" {\n  group \"g\" {\n    |\n  }\n}") == "statement job group");
  CHECK(where("job \"a\" {\n  group |") == "header job");
  CHECK(where("job \"a\" {\n  type = |\n}") == "expression job @type");
  CHECK(where("job \"a\" {\n  type = \"ba|\"\n}") == "text job @type 'ba'");
  CHECK(where("job \"a\" {\n  type = \"batch\"\n  |\n}") == "statement job");
  CHECK(where("job \"a\" {\n} |") == "statement");
}

TEST_CASE("cursor: expressions over lines, interpolations, objects") {
  CHECK(where("job \"a\" {\n  datacenters = [\n    var.d|\n  ]\n}") == "expression job @datacenters 'var.d'");
  CHECK(where("job \"a\" {\n  name = \"x-${var.n|\"\n}") == "expression job @name 'var.n' ${}");
  CHECK(where("job \"a\" {\n  name = \"x-${upper(var.n)}-|\"\n}").starts_with("text job @name"));
  CHECK(where("job \"a\" {\n  meta = {\n    k|\n  }\n}") == "statement job meta= 'k'");
  CHECK(where("job \"a\" {\n  meta = {\n    k = v|\n  }\n}") == "expression job meta= @k 'v'");
  CHECK(where("job \"a\" {\n  name = \"$${|\"\n}").starts_with("text job"));
}

TEST_CASE("cursor: comments and heredocs hide braces") {
  CHECK(where("# job { |\n") == "comment");
  CHECK(where("/* { */ |") == "statement");
  CHECK(where("job \"a\" {\n  // }\n  |") == "statement job");
  CHECK(where("job \"a\" {\n  data = <<EOF\n}}} \"\nEOF\n  |\n}") == "statement job");
  CHECK(where("job \"a\" {\n  data = <<-EOF\n  x | y\n  EOF\n}").starts_with("text job @data"));
  CHECK(where("job \"a\" {\n  data = <<EOF\n${var.|\nEOF\n}") == "expression job @data 'var.' ${}");
}

TEST_CASE("cursor: half-written text does not spoil what follows") {
  CHECK(where("job \"a\" {\n  name = \"unfinished\n  ty|\n}") == "statement job 'ty'");
  CHECK(where("job \"a\" {\n  list = [1, 2\n}\n|") == "statement");
  CHECK(where("} } |") == "statement");
}

TEST_CASE("cursor: what the block holds is known, also behind the position") {
  const auto outline = at("variable \"n\" {\n  description = \"how many\"\n}\nlocals {\n  a = 1\n}\njob \"a\" {\n  task \"t\" {\n    config {\n      |\n    }\n    driver = \"exec\"\n  }\n}\n");
  REQUIRE(outline.cursor.frames.size() == 3);
  CHECK(outline.cursor.frames[1]->texts.at("driver") == "exec");
  CHECK(outline.cursor.frames[1]->names.contains("config"));
  CHECK(outline.variables.at("n")->texts.at("description") == "how many");
  CHECK(outline.locals.contains("a"));
}

TEST_CASE("cursor: any byte of any text is somewhere, and depth is bounded") {
  const std::string text = "job \"a\" { x = [\"${f({a = 1})}\", <<E\n${y}\nE\n] } \xff\xf0\x9f # c\n/*";
  for (std::size_t byte = 0; byte <= text.size() + 3; byte++) CHECK(look_at(text, byte).file != nullptr);
  CHECK(look_at(std::string(100'000, '{'), 100'000).cursor.frames.size() <= 200);
}
