#include "lib/gotemplate/template.h"

#include <doctest/doctest.h>

#include "lib/gotemplate/print.h"

using namespace drover;
using namespace drover::gotemplate;

namespace {
// An allocation as the command line would give it: a struct held by pointer with a list, a map and a nil pointer in it.
Value alloc() {
  StructData data{.type = "api.Allocation"};
  data.fields = {{"ID", Value("8a0c24d9")},
                 {"JobVersion", Value::unsigned_integer(3)},
                 {"Meta", Value::map({{"b", Value("2")}, {"a", Value("1")}}, "map[string]string")},
                 {"Names", Value::list({Value("x"), Value("y")}, "[]string")},
                 {"Job", Value::nil("*api.Job")}};
  return Value::structure(std::make_shared<const StructData>(std::move(data)), true);
}

std::string render(std::string_view text, const Value& data = alloc(), Options options = {}) {
  Functions functions = builtin_functions();
  functions["split"] = {[](const std::vector<Value>& a) -> Result<Value> {
                          std::vector<Value> out;
                          std::string part;
                          for (const char c : a[1].text() + a[0].text()) {
                            if (c == a[0].text()[0]) out.emplace_back(std::exchange(part, ""));
                            else part += c;
                          }
                          return Value::list(std::move(out), "[]string");
                        },
                        {"string", "string"}};
  functions["containsAll"] = {[](const std::vector<Value>&) -> Result<Value> { return Value(true); }, {"[]interface {}", "interface {}"}};
  auto parsed = Template::parse("", text, std::move(functions), std::move(options));
  if (!parsed) return "parse: " + parsed.error().message();
  auto out = parsed->execute(data);
  return out ? *out : "execute: " + out.error().message();
}
}  // namespace

TEST_CASE("text and trimmed blanks") {
  CHECK(render("plain") == "plain");
  CHECK(render("a {{- \" b \" -}} c") == "a b c");
  CHECK(render("a  {{- /* comment */ -}}  b") == "ab");
  CHECK(render("x{{/* c */}}y") == "xy");
  CHECK(render("{{- range 2 }}\nline {{ . }}\n{{- end }}\nend\n") == "\nline 0\nline 1\nend\n");
  CHECK(render("{{ range 2 -}}\nline {{ . }}\n{{ end -}}\nend\n") == "line 0\nline 1\nend\n");
  CHECK(render("<< .ID >>{{x", alloc(), {.left = "<<", .right = ">>"}) == "8a0c24d9{{x");
  CHECK(render("unicode é ✓ {{ \"日本\" | len }}") == "unicode é ✓ 6");
}

TEST_CASE("fields, maps and missing things") {
  CHECK(render("{{.ID}} {{.JobVersion}} {{.Meta.a}}") == "8a0c24d9 3 1");
  CHECK(render("{{.Meta.zz}}|{{index .Meta \"zz\"}}|{{.Job}}") == "<no value>||<nil>");
  CHECK(render("{{.Meta}} {{.Names}}") == "map[a:1 b:2] [x y]");
  CHECK(render("{{.config.Region}}") == "execute: template: :1:9: executing \"\" at <.config.Region>: can't evaluate field config in type *api.Allocation");
  CHECK(render("{{.Job.ID}}") == "execute: template: :1:6: executing \"\" at <.Job.ID>: nil pointer evaluating *api.Job.ID");
  CHECK(render("{{.Meta.zz}}", alloc(), {.missing_key_is_error = true}) ==
        "execute: template: :1:7: executing \"\" at <.Meta.zz>: map has no entry for key \"zz\"");
  CHECK(render("{{ .Foo }}", Value()) == "<no value>");
}

TEST_CASE("control: if, with, range, break, continue") {
  CHECK(render("{{ if true }}1{{ else if false }}2{{ else }}3{{ end }}") == "1");
  CHECK(render("{{ if false }}1{{ else if true }}2{{ else }}3{{ end }}") == "2");
  CHECK(render("{{ with \"v\" }}{{ . }}{{ else }}none{{ end }}{{ with \"\" }}x{{ else }}empty{{ end }}") == "vempty");
  CHECK(render("{{ with $x := \"q\" }}{{ $x }}{{ end }}") == "q");
  CHECK(render("{{ range $i, $e := .Names }}{{ $i }}{{ $e }}{{ if eq $i 0 }}{{ continue }}{{ end }}!{{ end }}") == "0x1y!");
  CHECK(render("{{ range .Names }}{{ . }}{{ break }}{{ end }}") == "x");
  CHECK(render("{{ range $k, $v := .Meta }}{{ $k }}={{ $v }};{{ end }}") == "a=1;b=2;");
  CHECK(render("{{ range 5 }}{{ . }}{{ end }}") == "01234");
  CHECK(render("{{ range .Job }}x{{ else }}empty{{ end }}") == "empty");
  CHECK(render("{{ range .ID }}x{{ end }}") == "execute: template: :1:9: executing \"\" at <.ID>: range can't iterate over 8a0c24d9");
  CHECK(render("{{ range .Names }}{{ $.ID }} {{ end }}") == "8a0c24d9 8a0c24d9 ");
}

TEST_CASE("variables live to the end of their block") {
  CHECK(render("{{ $x := 5 }}{{ $x }}{{ $x = 6 }}{{ $x }}") == "56");
  CHECK(render("{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ end }}{{ $x }}") == "2");
  CHECK(render("{{ $x := 1 }}{{ if true }}{{ $x := 2 }}{{ end }}{{ $x }}") == "1");
  CHECK(render("{{ if true }}{{ $y := 2 }}{{ end }}{{ $y }}") == "parse: template: :1: undefined variable \"$y\"");
}

TEST_CASE("pipelines and functions") {
  CHECK(render("{{ .Names | len | printf \"%03d\" }}") == "002");
  CHECK(render("{{ if and true false }}a{{ else }}b{{ end }}{{ if or false true }}c{{ end }}{{ if not false }}d{{ end }}") == "bcd");
  CHECK(render("{{ or \"\" \"z\" }} {{ and 1 0 2 }}") == "z 0");
  CHECK(render("{{ or true (index .Names 9) }}") == "true");
  CHECK(render("{{ if eq 1 1 }}e{{ end }}{{ if ne \"a\" \"b\" }}n{{ end }}{{ if lt 1 2 }}l{{ end }}{{ if gt 2 1 }}g{{ end }}{{ if le 1 1 }}L{{ end }}{{ if ge 1 1 }}G{{ end }}") ==
        "enlgLG");
  CHECK(render("{{ eq .JobVersion 3 }} {{ eq \"b\" \"a\" \"b\" }} {{ lt 1 2 }}") == "true true true");
  CHECK(render("{{ eq 1 \"a\" }}") == "execute: template: :1:3: executing \"\" at <eq 1 \"a\">: error calling eq: incompatible types for comparison");
  CHECK(render("{{ index (split \",\" \"a,b\") 1 }} {{ slice \"hello\" 1 3 }}") == "b el");
  CHECK(render("{{ index (split \",\" \"a\") 9 }}") ==
        "execute: template: :1:3: executing \"\" at <index (split \",\" \"a\") 9>: error calling index: index out of range: 9");
  CHECK(render("{{ html \"<a>&\\\"\" }} {{ js \"it's \\\"x\\\"\" }} {{ urlquery \"a b&c\" }}") == "&lt;a&gt;&amp;&#34; it\\'s \\\"x\\\" a+b%26c");
  CHECK(render("{{ call 5 }}") == "execute: template: :1:3: executing \"\" at <call 5>: error calling call: non-function 5 of type int");
  CHECK(render("{{ len }}") == "execute: template: :1:3: executing \"\" at <len>: wrong number of args for len: want 1 got 0");
  CHECK(render("{{ containsAll (split \",\" \"a,b\") (split \",\" \"a,b,c\") }}") ==
        "execute: template: :1:26: executing \"\" at <\"a,b\">: wrong type for value; expected []interface {}; got []string");
  CHECK(render("{{ split 1 \"a\" }}") == "execute: template: :1:9: executing \"\" at <1>: expected string; found 1");
}

TEST_CASE("constants") {
  CHECK(render("{{ `raw \\n` }} {{ 'a' }} {{ 0x1F }} {{ 1e3 }} {{ true }} {{ 1_000 }} {{ 1.5 }}") == "raw \\n 97 31 1000 true 1000 1.5");
  CHECK(render("{{ \"\\u00e9\\x41\\101\\n\" }}") == "éAA\n");
  CHECK(render("{{ nil | printf \"%v\" }}") == "execute: template: :1:3: executing \"\" at <nil>: nil is not a command");
}

TEST_CASE("templates in templates") {
  CHECK(render("{{ define \"t\" }}<{{ . }}>{{ end }}{{ template \"t\" \"x\" }}") == "<x>");
  CHECK(render("{{ block \"b\" .ID }}[{{ . }}]{{ end }}") == "[8a0c24d9]");
  CHECK(render("{{ template \"no\" }}") == "execute: template: :1:3: executing \"\" at <{{template \"no\"}}>: template \"no\" not defined");
  CHECK(render("{{ define \"r\" }}{{ template \"r\" }}{{ end }}{{ template \"r\" }}").find("exceeded maximum template depth") != std::string::npos);
}

TEST_CASE("mistakes of the text") {
  CHECK(render("{{ nosuchfunc \"x\" }}") == "parse: template: :1: function \"nosuchfunc\" not defined");
  CHECK(render("{{ if }}x{{ end }}") == "parse: template: :1: missing value for if");
  CHECK(render("{{ \"unclosed") == "parse: template: :1: unterminated quoted string");
  CHECK(render("{{ \"one\ntwo\" | len }}") == "parse: template: :1: unterminated quoted string");
  CHECK(render("{{ end }}") == "parse: template: :1: unexpected {{end}}");
  CHECK(render("{{ \"a\" | nil }}") == "parse: template: :1: non executable command in pipeline stage 2");
  CHECK(render("{{ if true }}x") == "parse: template: :1: unexpected EOF");
  CHECK(render("a\n{{ .X ") == "parse: template: :2: unclosed action");
  CHECK(render("{{ break }}") == "parse: template: :1: {{break}} outside {{range}}");
  CHECK(render("{{ (.X }}") == "parse: template: :1: unclosed left paren");
}

TEST_CASE("an object has methods and is printed as its data") {
  class Pair final : public Object {
   public:
    [[nodiscard]] std::string type() const override { return "test.Pair"; }
    [[nodiscard]] Value data() const override { return Value("k=v"); }
    [[nodiscard]] std::optional<Result<Value>> call(std::string_view method, const std::vector<Value>& arguments) const override {
      if (method == "Add") return Value::integer(arguments[0].integer() + arguments[1].integer());
      if (method == "Fail") return fail(Code::invalid_argument, "no luck");
      return std::nullopt;
    }
  };
  const Value data = Value::map({{"P", Value::object(std::make_shared<Pair>())}});
  CHECK(render("{{ .P }} {{ .P.Add 1 2 }} {{ 3 | .P.Add 4 }}", data) == "k=v 3 7");
  CHECK(render("{{ .P.Fail }}", data) == "execute: template: :1:5: executing \"\" at <.P.Fail>: error calling Fail: no luck");
  CHECK(render("{{ .P.Zz }}", data) == "execute: template: :1:5: executing \"\" at <.P.Zz>: can't evaluate field Zz in type test.Pair");
}
