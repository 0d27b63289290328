// The language item by item: what each construct means, and what is said of it when it is wrong. Cases that the comparison with the
// reference's library found (tests/interop/hcl) end up here.
#include <doctest/doctest.h>

#include "lib/hcl/body.h"
#include "lib/hcl/convert.h"
#include "lib/hcl/parser.h"
#include "sdk/base/text.h"

using namespace drover::hcl;

namespace {

std::map<std::string, Value, std::less<>> variables() {
  const Type record = Type::object({{"id", Type::string()}});
  return {{"s", Value::string("text")},
          {"n", Value::number(7)},
          {"nul", Value::null()},
          {"list", Value::list(Type::string(), {Value::string("a"), Value::string("b")})},
          {"none", Value::list(Type::string(), {})},
          {"set", Value::set(Type::string(), {Value::string("y"), Value::string("x")})},
          {"map", Value::map(Type::string(), {{"k", Value::string("v")}})},
          {"objs", Value::list(record, {Value::object({{"id", Value::string("i")}}), Value::object({{"id", Value::string("j")}})})},
          {"unknown", Value::unknown()},
          {"later", Value::unknown(Type::string())}};
}

// The JSON text of an expression's value with its type's name in front, or its errors.
std::string answer(const std::string& text, bool bare_template = false) {
  static const FunctionTable functions = standard_functions({});
  Diagnostics diagnostics;
  Budget budget;
  EvalContext context;
  context.budget = &budget;
  context.functions = &functions;
  context.variables = variables();
  const SourcePtr file = make_source("x", text);
  const ExprPtr expression = bare_template ? parse_template(file, diagnostics) : parse_expression(file, diagnostics);
  if (diagnostics.has_errors()) return diagnostics.lines();
  const Value value = evaluate(*expression, context, diagnostics);
  if (diagnostics.has_errors()) return diagnostics.lines();
  if (!value.is_wholly_known()) return "unknown " + value.type().friendly_name();
  const auto json = functions.find("jsonencode")->second.call({value}, budget);
  REQUIRE(json);
  return value.type().friendly_name() + " " + json->as_string();
}

std::string template_text(const std::string& text) { return answer(text, true); }

const BodySchema& schema() {
  static const BodySchema value = expandable({{{"a"}}, {{"plain", {}}, {"named", {"name"}}}});
  return value;
}

std::string show(const Body& body, const EvalContext& context, Diagnostics& diagnostics) {
  const Content content = body.expanded(schema(), context, diagnostics);
  std::string out;
  if (const Attribute* a = content.attribute("a")) {
    const auto text = convert(evaluate(*a->expression, context, diagnostics), Type::string());
    out += "a=" + (text && text->is_known() && !text->is_null() ? text->as_string() : "?") + ";";
  }
  for (const Block& block : content.blocks) {
    out += block.type;
    for (const std::string& label : block.labels) out += " " + label;
    out += "{" + show(*block.body, block.scope ? *block.scope : context, diagnostics) + "}";
  }
  return out;
}

std::string body_of(const std::string& text) {
  Diagnostics diagnostics;
  Budget budget;
  EvalContext context;
  context.budget = &budget;
  context.variables = variables();
  const auto body = parse_file(make_source("x", text), diagnostics);
  if (diagnostics.has_errors()) return diagnostics.lines();
  std::string out = show(*body, context, diagnostics);
  return diagnostics.has_errors() ? diagnostics.lines() : out;
}

}  // namespace

TEST_CASE("language: numbers keep 512 bits, and are read in every form") {
  CHECK(answer("0.1 + 0.2") == "number 0.3");
  CHECK(answer("12345678901234567890.5 * 2") == "number 24691357802469135781");
  CHECK(answer("1.e-7") == "number 0.0000001");
  CHECK(answer("1E2 + 1e-00000000002") == "number 100.01");
  CHECK(answer("1.2.3") == "x:1,1-6: Invalid number literal; Failed to recognize the value of this number literal.");
  CHECK(answer("0.1 % 0.1") == "number 0");
  CHECK(answer("-(10) * 0") == "number -0");
  CHECK(answer("ceil(0 - 0.5)") == "number 0");
  CHECK(answer("7 % 0") == "number 7");
}

TEST_CASE("language: texts are NFC, identifiers may be of any script") {
  CHECK(answer("\"e\\u0301\" == \"\\u00e9\"") == "bool true");
  CHECK(answer("strlen(\"e\u0301\")") == "number 1");
  CHECK(answer("{ größe = 1 }.größe") == "number 1");
  CHECK(body_of("plain {\n  größe = 1\n}\n") == "x:2,3-8: Unsupported argument; An argument named \"größe\" is not expected here.");
}

TEST_CASE("language: escapes, and what is no escape") {
  CHECK(answer(R"("\n\r\t\"\\\u00e9\U0001F600")") == "string \"\\n\\r\\t\\\"\\\\é😀\"");
  CHECK(answer(R"("$${a} %%{b} $x % $")") == "string \"${a} %{b} $x % $\"");
  CHECK(answer(R"("\q")") == "x:1,2-4: Invalid escape sequence; The symbol \"q\" is not a valid escape sequence selector.");
  CHECK(answer("\"a\\").starts_with("x:1,3-4: Invalid character; "));
  CHECK(answer("\"a\nb\"").starts_with("x:1,3-2,1: Invalid multi-line string; "));
}

TEST_CASE("language: line endings of either kind, and a byte order mark") {
  CHECK(body_of("a = 1\r\nplain {\r\n  a = 2\r\n}\r\n") == "a=1;plain{a=2;}");
  CHECK(body_of("\xEF\xBB\xBF" "a = 1\n") == "a=1;");
  CHECK(answer("\xEF\xBB\xBF" "1") == "number 1");
  CHECK(answer("<<E\r\nx\r\nE\r\n") == "string \"x\\r\\n\"");
  CHECK(body_of("a = 1 # end") == "a=1;");
}

TEST_CASE("language: heredocs keep or lose their indentation") {
  CHECK(answer("<<E\n  a\n    b\n  E\n") == "string \"  a\\n    b\\n\"");
  CHECK(answer("<<-E\n    a\n      ${s}\n\n    b\n  E\n") == "string \"a\\n  text\\n\\nb\\n\"");
  CHECK(answer("<<-E\n  ${s}\n    b\n  E\n") == "string \"text\\n  b\\n\"");
  CHECK(answer("<<-E\n\ta\n\tb\nE\n") == "string \"a\\nb\\n\"");
  CHECK(answer("<<E\na\\n$${x}\nE\n") == "string \"a\\\\n${x}\\n\"");
}

TEST_CASE("language: template directives and strip markers") {
  CHECK(template_text("a ${~ s ~} b") == "string \"atextb\"");
  CHECK(template_text("%{ for v in list }(${v})%{ endfor }") == "string \"(a)(b)\"");
  CHECK(template_text("%{ for k, v in map ~}  ${k}=${v}  %{~ endfor }") == "string \"k=v\"");
  CHECK(template_text("x\n  %{~ if n > 3 ~}  yes %{~ else ~} no %{~ endif ~}\n  y") == "string \"x\\nyes  y\"");
  // Stripping goes to the end of the line before, not over it.
  CHECK(template_text("\n\t${~ s ~}\n\t.") == "string \"\\ntext\\t.\"");
  CHECK(template_text("${list}") == "list of string [\"a\",\"b\"]");
  CHECK(template_text("%{ if true }a").starts_with("x:1,14-14: Unexpected end of template; The if directive at x:1,1-13 is missing"));
  CHECK(template_text("%{ endif }") == "x:1,1-11: Unexpected endif directive; The control directives within this template are unbalanced.");
  CHECK(template_text("%{ fi true }") == "x:1,4-6: Invalid template control keyword; \"fi\" is not a valid template control keyword. Did you mean \"if\"?");
  CHECK(template_text("%{ if true }a%{ else }b%{ else }c%{ endif }").starts_with("x:1,24-33: Unexpected else directive; Already in the else clause for the if started at x:1,1-13."));
  CHECK(template_text("%{ for v in list }%{ else }%{ endfor }").starts_with("x:1,19-28: Unexpected else directive; An else clause is not expected for a for directive."));
}

TEST_CASE("language: index, legacy index, attribute and both splats") {
  CHECK(answer("list[1]") == "string \"b\"");
  CHECK(answer("list.0") == "string \"a\"");
  CHECK(answer("[[1, 2], [3]].0[1]") == "number 2");
  CHECK(answer("[[1, 2], [3]].0.1").starts_with("x:1,15-18: Invalid legacy index syntax; When using the legacy index syntax, chaining two indexes together is not permitted."));
  CHECK(answer("map[\"k\"]") == "string \"v\"");
  CHECK(answer("objs[*].id") == "list of string [\"i\",\"j\"]");
  CHECK(answer("objs.*.id") == "list of string [\"i\",\"j\"]");
  CHECK(answer("[[1], [2]][*][0]") == "tuple [1,2]");
  CHECK(answer("s[*]") == "tuple [\"text\"]");
  CHECK(answer("nul[*]") == "tuple []");
  CHECK(answer("none[*]") == "list of string []");
  CHECK(answer("list[2]") == "x:1,5-8: Invalid index; The given key does not identify an element in this collection value: the given index is greater than or equal to the length of the collection.");
  CHECK(answer("list[-1]").find("a negative number is not a valid index for a sequence") != std::string::npos);
  CHECK(answer("list[0.5]").find("a whole number, but the given index has a fractional part") != std::string::npos);
  CHECK(answer("none[*][nul]") == "x:1,8-13: Invalid index; Can't use a null value as an indexing key.");
  CHECK(answer("set[0]").starts_with("x:1,4-7: Invalid index; Elements of a set are identified only by their value"));
  CHECK(answer("objs.id") == "x:1,5-8: Unsupported attribute; Can't access attributes on a list of objects. Did you mean to access attribute \"id\" for a specific element of the list, or across all elements of the list?");
  CHECK(answer("objs.*.*.id").find("Nested splat expression not allowed") != std::string::npos);
  CHECK(answer("list.*.id.id").find("Can't access attributes on a primitive-typed value (string).") != std::string::npos);
}

TEST_CASE("language: for expressions with keys, conditions and grouping") {
  CHECK(answer("[for i, v in list : \"${i}${v}\"]") == "tuple [\"0a\",\"1b\"]");
  CHECK(answer("{ for v in [\"ab\", \"ac\", \"bd\"] : substr(v, 0, 1) => v... }") == "object {\"a\":[\"ab\",\"ac\"],\"b\":[\"bd\"]}");
  CHECK(answer("[for v in [1, 2, 3] : v if v != 2]") == "tuple [1,3]");
  CHECK(answer("[for k, v in set : k]") == "tuple [\"x\",\"y\"]");
  CHECK(answer("{ for v in [1, 1] : \"k\" => v }").starts_with("x:1,21-24: Duplicate object key; "));
  CHECK(answer("[for v in s : v]") == "x:1,11-12: Iteration over non-iterable value; A value of type string cannot be used as the collection in a 'for' expression.");
  CHECK(answer("[for v in list : v => v]") == "x:1,18-19: Invalid 'for' expression; Key expression is not valid when building a tuple.");
}

TEST_CASE("language: calls with expansion, unknown functions and near names") {
  CHECK(answer("max([1, 5, 3]...)") == "number 5");
  CHECK(answer("try([s, n]...)") == "string \"text\"");
  CHECK(answer("max(s...)") == "x:1,5-6: Invalid expanding argument value; The expanding argument (indicated by ...) must be of a tuple, list, or set type.");
  CHECK(answer("uper(s)") == "x:1,1-5: Call to unknown function; There is no function named \"uper\". Did you mean \"upper\"?");
  CHECK(answer("a::b(s)") == "x:1,1-5: Call to unknown function; There are no functions in namespace \"a::\".");
}

TEST_CASE("language: operators look at both sides, and unify what they compare and choose") {
  CHECK(answer("false && nosuch") == "x:1,10-16: Unknown variable; There is no variable named \"nosuch\".");
  CHECK(answer("nul + 1") == "x:1,1-8: Operation failed; Error during operation: argument must not be null.");
  CHECK(answer("!nul") == "x:1,1-5: Operation failed; Error during operation: argument must not be null.");
  CHECK(answer("\"1\" == 1") == "bool false");
  CHECK(answer("n > 3 ? [1, \"two\"] : list") == "list of string [\"1\",\"two\"]");
  CHECK(answer("n > 9 ? {} : map") == "map of string {\"k\":\"v\"}");
  CHECK(answer("n > 3 ? list : set") == "list of string [\"a\",\"b\"]");
  CHECK(answer("n > 3 ? list : s") == "x:1,9-17: Inconsistent conditional result types; The true and false result expressions must have consistent types. The 'true' value is list of string, but the 'false' value is string.");
  CHECK(answer("n ? 1 : 2") == "x:1,1-2: Incorrect condition type; The condition expression must be of type bool.");
  CHECK(answer("1 ** 2").find("Invalid expression") != std::string::npos);
  CHECK(answer("n & 1") .find("Did you mean boolean AND (\"&&\")?") != std::string::npos);
}

TEST_CASE("language: what is not known stays so, with its type where there is one") {
  CHECK(answer("later") == "unknown string");
  CHECK(answer("\"a${later}\"") == "unknown string");
  CHECK(answer("unknown.a.b") == "unknown dynamic");
  CHECK(answer("upper(later)") == "unknown string");
  CHECK(answer("[for v in unknown : v]") == "unknown dynamic");
  CHECK(answer("can(later)") == "unknown bool");
  CHECK(answer("later.a") == "x:1,6-8: Unsupported attribute; Can't access attributes on a primitive-typed value (string).");
  CHECK(answer("later ? 1 : 2") == "unknown number");
}

TEST_CASE("language: dynamic blocks with labels, iterators and nesting") {
  CHECK(body_of("dynamic \"plain\" {\n  for_each = list\n  content {\n    a = plain.value\n  }\n}\n") == "plain{a=a;}plain{a=b;}");
  CHECK(body_of("dynamic \"named\" {\n  for_each = map\n  iterator = it\n  labels   = [it.key]\n  content {\n    a = it.value\n  }\n}\n") == "named k{a=v;}");
  CHECK(body_of("dynamic \"plain\" {\n  for_each = [1, 2]\n  content {\n    dynamic \"named\" {\n      for_each = list\n      labels   = [\"${plain.value}${named.value}\"]\n      content {}\n    }\n  }\n}\n") ==
        "plain{named 1a{}named 1b{}}plain{named 2a{}named 2b{}}");
  CHECK(body_of("dynamic \"plain\" {\n  for_each = n\n  content {}\n}\n").find("Cannot use a number value in for_each. An iterable collection is required.") != std::string::npos);
  CHECK(body_of("dynamic \"named\" {\n  for_each = list\n  content {}\n}\n").find("The argument \"labels\" is required, but no definition was found.") != std::string::npos);
  CHECK(body_of("dynamic \"plain\" {\n  for_each = list\n  labels = []\n  content {}\n}\n").find("An argument named \"labels\" is not expected here.") != std::string::npos);
  CHECK(body_of("dynamic \"named\" {\n  for_each = list\n  labels = [nul]\n  content {}\n}\n").find("Cannot use a null value as a dynamic block label.") != std::string::npos);
  CHECK(body_of("dynamic \"plain\" {\n  for_each = list\n}\n").find("Missing dynamic content block") != std::string::npos);
  CHECK(body_of("dynamic \"dynamic\" {\n  for_each = list\n  content {}\n}\n") == "x:1,9-18: Unsupported block type; Blocks of type \"dynamic\" are not expected here.");
}

TEST_CASE("language: JSON bodies hold expressions, blocks by label and dynamic blocks") {
  CHECK(body_of(R"({"a": "${n + 1}", "named": {"x": {"a": "%{ if true }y%{ endif }"}}, "plain": [{}, {"a": 1}]})") == "a=8;named x{a=y;}plain{}plain{a=1;}");
  CHECK(body_of(R"({"dynamic": {"named": {"for_each": "${list}", "iterator": "it", "labels": ["l${it.key}"], "content": {"a": "${it.value}"}}}})") == "named l0{a=a;}named l1{a=b;}");
  CHECK(body_of(R"({"//": "a comment", "a": "$${x}"})") == "a=${x};");
  CHECK(body_of(R"({"a": {"k": 1, "k": 2}})").starts_with("x:1,16-19: Duplicate object attribute; An attribute named \"k\" was already defined at x:1,8-11."));
  CHECK(body_of(R"({"named": [1, {"x": 2}]})") ==
        "x:1,12-13: Incorrect JSON value type; A JSON object is required here, to specify name labels for this block.\n"
        "x:1,21-22: Incorrect JSON value type; Either a JSON object or a JSON array is required, representing the contents of one or more \"named\" blocks.");
  CHECK(body_of("{\"a\": 01}") == "x:1,7-9: Invalid JSON number; There is a syntax error in the given JSON number.");
  CHECK(body_of("{\"a\": \"\\q\"}") == "x:1,10-11: Invalid JSON string; There is a syntax error in the given JSON string.");
  CHECK(body_of("{\"a\": tru}") == "x:1,7-10: Invalid JSON keyword; \"tru\" is not a valid JSON keyword. Did you mean \"true\"?");
  CHECK(body_of("{\"x\": 1}") == "x:1,2-5: Extraneous JSON object property; No argument or block type is named \"x\". Did you mean \"a\"?");
}

TEST_CASE("language: reading goes on after an error, so that more than one is told") {
  CHECK(body_of("a = 1\na = 2\nb = 3\nplan {}\n") ==
        "x:2,1-2: Attribute redefined; The argument \"a\" was already set at x:1,1-2. Each argument may be set only once.");
  CHECK(body_of("b = 3\nplan {}\n") ==
        "x:1,1-2: Unsupported argument; An argument named \"b\" is not expected here. Did you mean \"a\"?\n"
        "x:2,1-5: Unsupported block type; Blocks of type \"plan\" are not expected here. Did you mean \"plain\"?");
  CHECK(body_of("{\"a\": [1 2], \"b\": [}}").find("Missing attribute seperator comma") != std::string::npos);
}

TEST_CASE("language: types that are written as text in JSON") {
  Diagnostics diagnostics;
  const auto body = parse_json(make_source("x", R"json({"a": "list(string)", "b": "bool", "c": "thing"})json"), diagnostics);
  const auto attributes = body->attributes(diagnostics);
  REQUIRE(attributes.size() == 3);
  CHECK(type_from_expression(*attributes[0].expression, false, diagnostics) == Type::list(Type::string()));
  CHECK(type_from_expression(*attributes[1].expression, false, diagnostics) == Type::boolean());
  CHECK(diagnostics.empty());
  CHECK_FALSE(type_from_expression(*attributes[2].expression, false, diagnostics));
  CHECK(diagnostics.lines() == "x:1,41-48: Invalid type specification; The keyword \"thing\" is not a valid type specification.");
}

TEST_CASE("language: conversions and what is said when there is none") {
  CHECK(answer("convert([1, true], list(string))") == "list of string [\"1\",\"true\"]");
  CHECK(answer("convert({a = 1}, map(string))") == "map of string {\"a\":\"1\"}");
  CHECK(answer("convert({a = 1, b = 2}, object({a = string}))") == "object {\"a\":\"1\"}");
  CHECK(answer("convert([1, []], list(any))").find("all list elements must have the same type") != std::string::npos);
  CHECK(answer("convert({a = 1}, object({b = string, c = string}))").find("attributes \"b\" and \"c\" are required") != std::string::npos);
  CHECK(answer("convert(map, object({a = string}))").find("map has no element for required attribute \"a\"") != std::string::npos);
  CHECK(answer("convert(\"True\", bool)").find("a bool is required; to convert from string, use lowercase \\\"true\\\"") == std::string::npos);
  CHECK(answer("convert(\"True\", bool)").find("a bool is required; to convert from string, use lowercase \"true\"") != std::string::npos);
}

TEST_CASE("language: what is counted has 64 bits and a root 53, as they show when divided") {
  CHECK(answer("1 / 3").size() > 150);
  CHECK(answer("strlen(\"a\") / strlen(\"abc\")") == "number 0.33333333333333333334");
  CHECK(answer("strlen(\"abcdefg\") / strlen(\"abc\") * strlen(\"abc\")") == "number 6.9999999999999999998");
  CHECK(answer("strlen(\"abc\") % 0.7") == "number 0.20000000000000000004");
  CHECK(answer("pow(2, 0.5)") == "number 1.4142135623730951");
  CHECK(answer("pow(2, 0.5) / strlen(\"abc\")") == "number 0.47140452079103171515");
  CHECK(answer("pow(2, 0.5) * pow(2, 0.5)") == "number 2.00000000000000027343234630647693");
  CHECK(answer("floor(strlen(\"abcdefg\") / strlen(\"abc\"))") == "number 2");
  CHECK(answer("parseint(\"18446744073709551617\", 10) / strlen(\"abc\")") == "number 6148914691236517205.8");
  // Equal is what is written alike.
  CHECK(answer("strlen(\"abcdefg\") / strlen(\"abc\") == 2.3333333333333333333") == "bool true");
  CHECK(answer("distinct([1.4142135623730951, pow(2, 0.5)])") == "list of number [1.4142135623730951]");
  CHECK(answer("-0 % -3") == "number 0");
  CHECK(answer("-0 % 3") == "number -0");
  CHECK(answer("format(\"%d\", 123456789012345678901234567890123456789012345678901234567890123456789)") == "string \"123456789012345678901234567890123456789012345678901234567890123456789\"");
}

TEST_CASE("language: %v and %g write an exponent from a million on") {
  CHECK(answer("format(\"%v %g\", 999999, 1000000)") == "string \"999999 1e+06\"");
  CHECK(answer("format(\"%v\", 1234567.5)") == "string \"1.2345675e+06\"");
  CHECK(answer("format(\"%s\", 1234567.5)") == "string \"1234567.5\"");
  CHECK(answer("format(\"%G\", 12345678)") == "string \"1.2345678E+07\"");
}

TEST_CASE("language: jsondecode takes JSON's numbers and no others") {
  const auto refusal = [](const char* text) {
    const std::string out = answer("jsondecode(\"" + std::string(text) + "\")");
    const std::size_t at = out.find("failed: ");
    return at == std::string::npos ? out : out.substr(at + 8);
  };
  CHECK(refusal("01") == "extraneous data after JSON object.");
  CHECK(refusal("[01]") == "invalid character '1' after array element.");
  CHECK(refusal("1.") == "unexpected EOF.");
  CHECK(refusal("-") == "unexpected EOF.");
  CHECK(refusal("1e+x") == "invalid character 'x' in exponent of numeric literal.");
  CHECK(refusal("1.x") == "invalid character 'x' after decimal point in numeric literal.");
  CHECK(refusal("[-]") == "invalid character ']' in numeric literal.");
  CHECK(refusal("[0, -0.5e+2, 10]") == "tuple [0,-50,10]");
}

TEST_CASE("language: nulls without a type take the type of their neighbours, or are in nobody's way") {
  CHECK(answer("true ? { a = list, b = null } : {}") == "map of list of string {\"a\":[\"a\",\"b\"],\"b\":null}");
  CHECK(answer("true ? { a = true, b = [1], c = null } : {}").find("attribute types must all match for conversion to map.") != std::string::npos);
  CHECK(answer("merge(map, null)") == "object {\"k\":\"v\"}");
  CHECK(answer("merge(map, map)") == "map of string {\"k\":\"v\"}");
  CHECK(answer("coalesce(null, { a = 1 }, [1])").find("all arguments must have the same type") != std::string::npos);
  CHECK(answer("coalesce(null, 1)") == "number 1");
}

TEST_CASE("language: texts of functions that count, cut and join") {
  CHECK(answer("substr(\"abc\", -2, 0)") == "string \"bc\"");
  CHECK(answer("substr(\"abc\", 1, 0)") == "string \"\"");
  CHECK(answer("join(\",\", [null])").find("element 0 is null; cannot concatenate null values") != std::string::npos);
  CHECK(answer("join(\",\", [\"a\"], [\"b\", null])").find("element 1 of list 2 is null; cannot concatenate null values") != std::string::npos);
  CHECK(answer("formatlist(\"%s %s %s\", \"a\", [1], [1, 2])").find("argument 3 has length 2, which is inconsistent with argument 2 of length 1") != std::string::npos);
  CHECK(answer("\"a\\\ufeff\"").find("The symbol \"\\ufeff\" is not a valid escape sequence selector.") != std::string::npos);
}

TEST_CASE("language: what follows a mistake is told as the reference tells it") {
  CHECK(answer("list..").find("x:1,6-7: Invalid attribute name; An attribute name is required after a dot.\nx:1,7-7: Invalid attribute name") == 0);
  CHECK(answer("{ for v in [1, 2] : \"${null}${v}\" => v }").find("produced the key \"\" in this") != std::string::npos);
  CHECK(answer("[for v in [unknown] : keys(later)]").find("must have map or object type") != std::string::npos);
  CHECK(answer("merge({}, later)").find("arguments must be maps or objects, got \"string\"") != std::string::npos);
  CHECK(answer("zipmap([later], s)").find("values argument must be a list or tuple value") != std::string::npos);
  CHECK(answer("keys(unknown)") == "unknown dynamic");
  CHECK(answer("(unknown ? 1 : 1) + 1") == "number 2");
  CHECK(answer("formatlist(\"%s\", [later, \"a\"])") == "unknown list of string");
}

TEST_CASE("language: yamldecode reads scalars as the reference does") {
  const auto decoded = [](const std::string& yaml) {
    const std::string out = answer("yamldecode(" + drover::quote(yaml) + ")");
    const std::size_t at = out.find("failed: ");
    return at == std::string::npos ? out : out.substr(at + 8);
  };
  CHECK(decoded("[0x1F, 0o17, 017, 1_000, 0b11, .5, 1e3, +1]") == "tuple [31,15,17,\"1_000\",\"0b11\",0.5,1000,1]");
  CHECK(decoded("[yes, Off, ~, Null, 'yes', \"~\", !!str 1, !!int \"3\"]") == "tuple [true,false,null,null,\"yes\",\"~\",\"1\",\"3\"]");
  CHECK(decoded("[2001-12-14, 2001-12-14t21:59:43.10-05:00, 2001-12-14 1:2:3, 2001-2-30]") ==
        "tuple [\"2001-12-14T00:00:00Z\",\"2001-12-14T21:59:43-05:00\",\"2001-12-14T01:02:03Z\",\"2001-2-30\"]");
  CHECK(decoded("a: |\nb: |\n  yes\n") == "object {\"a\":null,\"b\":\"yes\\n\"}");
  CHECK(decoded("0xFFFFFFFFFFFFFFFFFF") == "cannot parse \"0xFFFFFFFFFFFFFFFFFF\" as tag:yaml.org,2002:int.");
  CHECK(decoded(".nan") == "floating point NaN is not supported.");
  CHECK(decoded("!x 1") == "unsupported tag \"!x\".");
  CHECK(decoded("a: 1\nb: !!binary '*'\n") == "on line 1, column 4: cannot parse \"*\" as tag:yaml.org,2002:binary: not valid base64.");
}

TEST_CASE("language: yamldecode merges, follows anchors, and tells the line") {
  const auto decoded = [](const std::string& yaml) {
    const std::string out = answer("yamldecode(" + drover::quote(yaml) + ")");
    const std::size_t at = out.find("failed: ");
    return at == std::string::npos ? out : out.substr(at + 8);
  };
  CHECK(decoded("a: &x {k: 1}\nb:\n  <<: *x\n  l: 2\n") == "object {\"a\":{\"k\":1},\"b\":{\"k\":1,\"l\":2}}");
  CHECK(decoded("<<: [{a: 1}, {a: 2, b: 3}]\n") == "object {\"a\":2,\"b\":3}");
  CHECK(decoded("a: 1\n<<: 7\n") == "on line 1, column 1: cannot merge number into mapping.");
  CHECK(decoded("a: &x [*x]") == "cannot refer to anchor \"x\" from inside its own definition.");
  CHECK(decoded("a: 1\n~: 2\n") == "on line 1, column 1: mapping key cannot be null.");
  CHECK(decoded("[1]: 2\n") == "only strings are allowed as mapping keys.");
  CHECK(decoded("a: 1\nb: @x\n") == "on line 2, column 1: found character that cannot start any token.");
  CHECK(decoded("--- 1\n--- 2\n") == "on line 1, column 1: unexpected extra content after value.");
  CHECK(decoded("") == "on line 1, column 1: missing start of document.");
}

TEST_CASE("language: yamlencode ends what is open and breaks long lines") {
  CHECK(answer("yamlencode(true)") == "string \"true\\n...\\n\"");
  CHECK(answer("yamlencode(1.5)") == "string \"1.5\\n...\\n\"");
  CHECK(answer("yamlencode(\"a\")") == "string \"\\\"a\\\"\\n\"");
  CHECK(answer("yamlencode({ a = [], b = { c = null } })") == "string \"\\\"a\\\": []\\n\\\"b\\\":\\n  \\\"c\\\": null\\n\"");
  const std::string out = answer("yamlencode(join(\" \", [for n in range(60) : \"x\"]))");
  CHECK(out.find("x\\n  x") != std::string::npos);
}

TEST_CASE("language: a network is split by no more than 32 bits in one call") {
  CHECK(answer("cidrsubnet(\"fd00::/48\", 33, 1)").find("may not extend prefix by more than 32 bits") != std::string::npos);
  CHECK(answer("cidrsubnet(\"fd00::/48\", 32, 1)") == "string \"fd00::1:0:0:0/80\"");
  CHECK(answer("cidrsubnets(\"fd00::/48\", 16, 33)").find("may not extend prefix by more than 32 bits") != std::string::npos);
}
