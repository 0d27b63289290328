#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "sdk/base/encoding.h"
#include "sdk/plugin/config.h"
#include "sdk/plugin/expression.h"

using namespace drover;
using namespace drover::plugin;
using json = nlohmann::json;

namespace {
std::string run(const Spec& schema, const char* input, const json& variables = json::object()) {
  const auto out = encode_config(schema, json::parse(input), variables);
  return out ? hex_encode(*out) : "error " + out.error().message();
}
Spec one(const char* key, const char* type, bool required = false) { return object({{key, attr(key, type, required)}}); }
Spec blk() { return object({{"s", attr("s", "string")}, {"n", default_value(attr("n", "number"), "7")}}); }
std::string n_of(const char* value) {
  const std::string out = run(one("n", "number"), ("{\"n\":" + std::string(value) + "}").c_str());
  return out.starts_with("81a16e") ? out.substr(6) : out;
}
}  // namespace

TEST_CASE("config: strings are converted and encoded as the recorded vectors say") {
  const Spec s = one("s", "string");
  CHECK(run(s, R"({"s":"hi"})") == "81a173a26869");
  CHECK(run(s, "{}") == "81a173c0");
  CHECK(run(s, "null") == "81a173c0");
  CHECK(run(s, R"({"s":null})") == "81a173c0");
  CHECK(run(s, R"({"s":8})") == "81a173a138");
  CHECK(run(s, R"({"s":1.5})") == "81a173a3312e35");
  CHECK(run(s, R"({"s":1.0})") == "81a173a131");
  CHECK(run(s, R"({"s":true})") == "81a173a474727565");
  CHECK(run(s, R"({"s":["a"]})") == "error Incorrect attribute value type: Inappropriate value for attribute \"s\": string required.");
  CHECK(run(s, ("{\"s\":\"" + std::string(31, 'a') + "\"}").c_str()).starts_with("81a173bf61"));
  CHECK(run(s, ("{\"s\":\"" + std::string(32, 'a') + "\"}").c_str()).starts_with("81a173d92061"));
  CHECK(run(s, R"({"//":"x"})") == "81a173c0");
  CHECK(run(s, R"([{"s":"x"}])") == "81a173a178");
  CHECK(run(s, R"({"s":"x","foo":1})") == "error Invalid label: No argument or block type is named \"foo\".");
  CHECK(run(s, R"({"s":"$${literal} %%{x}"})") == "81a173af247b6c69746572616c7d20257b787d");
  CHECK(run(s, R"({"s":"%{if true}y%{else}n%{endif}"})") == "81a173a179");
  CHECK(run(s, R"({"s":"${nope}"})", {{"a", "b"}}) == "error Unknown variable: There is no variable named \"nope\".");
  CHECK(run(one("image", "string"), R"({"imag":"x"})") ==
        "error Invalid label: No argument or block type is named \"imag\". Did you mean \"image\"?");
  CHECK(run(s, "7").starts_with("error Root value must be object: "));
  CHECK(run(one("s", "string", true), "{}") ==
        "error Missing required argument: The argument \"s\" is required, but no definition was found.");
  CHECK(run(one("s", "string", true), R"({"s":null})") == "81a173c0");
}

TEST_CASE("config: numbers take the smallest form") {
  const std::pair<const char*, const char*> rows[] = {
      {"0", "00"}, {"127", "7f"}, {"128", "cc80"}, {"255", "ccff"}, {"256", "cd0100"}, {"65535", "cdffff"}, {"65536", "ce00010000"},
      {"4294967295", "ceffffffff"}, {"4294967296", "cf0000000100000000"}, {"-1", "ff"}, {"-32", "e0"}, {"-33", "d0df"},
      {"-128", "d080"}, {"-129", "d1ff7f"}, {"-32769", "d2ffff7fff"}, {"-2147483649", "d3ffffffff7fffffff"},
      {"1.5", "cb3ff8000000000000"}, {"1e3", "cd03e8"}, {"0.1", "cb3fb999999999999a"}, {"\"5\"", "05"}, {"\"${2+2}\"", "04"}};
  for (const auto& [input, expected] : rows) CHECK(n_of(input) == expected);
  CHECK(n_of("1e30").starts_with("bf31"));
  CHECK(n_of("\"x\"").ends_with(": a number is required."));
  CHECK(n_of("true").ends_with(": number required, but have bool."));
  const Spec b = one("b", "bool");
  CHECK(run(b, R"({"b":true})") == "81a162c3");
  CHECK(run(b, R"({"b":"false"})") == "81a162c2");
  CHECK(run(b, R"({"b":"1"})") == "81a162c3");
  CHECK(run(b, R"({"b":1})").ends_with("bool required, but have number."));
}

TEST_CASE("config: defaults, literals and implied names") {
  CHECK(run(object({{"s", default_value(attr("s", "string"), "\"bash\"")}}), "{}") == "81a173a462617368");
  CHECK(run(object({{"s", default_value(attr("s", "string"), "\"bash\"")}}), R"({"s":null})") == "81a173a462617368");
  CHECK(run(object({{"s", default_value(attr("s", "string"), "5")}}), "{}") == "81a17305");
  CHECK(run(object({{"s", default_value(attr("s", "list(string)"), R"(["a","b"])")}}), "{}") == "81a17392a161a162");
  CHECK(run(object({{"s", literal("upper(\"x\")")}}), "{}") == "81a173a158");
  CHECK(run(object({{"z", attr("z", "number")}, {"a", attr("a", "number")}, {"M", attr("M", "number")}}), R"({"z":1,"a":2,"M":3})") ==
        "83a14d03a16102a17a01");
  CHECK(run(object({{"out", attr("in", "string")}}), R"({"in":"x"})") == "81a36f7574a178");
  CHECK(run(object({{"out", attr("", "string")}}), R"({"out":"x"})") == "81a36f7574a178");
  CHECK(run(object({{"out", default_value(attr("", "string"), "1")}}), "{}").ends_with("Missing name in attribute spec"));
  CHECK(run(object({{"t", array({attr("x", "string"), attr("y", "number")})}}), R"({"x":"q"})") == "81a17492a171c0");
  CHECK(run(object({{"o", object({{"x", attr("x", "string")}})}, {"y", attr("y", "string")}}), R"({"x":"1","y":"2"})") ==
        "82a16f81a178a131a179a132");
}

TEST_CASE("config: collections") {
  const Spec l = one("l", "list(string)");
  CHECK(run(l, R"({"l":["b","a",1]})") == "81a16c93a162a161a131");
  CHECK(run(l, R"({"l":[]})") == "81a16c90");
  CHECK(run(l, R"({"l":"a"})").ends_with("list of string required, but have string."));
  CHECK(run(one("l", "set(string)"), R"({"l":["b","a","b"]})") == "81a16c92a161a162");
  CHECK(run(one("l", "set(number)"), R"({"l":[10,2,2]})") == "81a16c92020a");
  const Spec m = one("m", "map(string)");
  CHECK(run(m, R"({"m":{"b":"1","a":2}})") == "81a16d82a161a132a162a131");
  CHECK(run(m, R"({"m":{}})") == "81a16d80");
  CHECK(run(m, R"({"m":[{"b":"1"}]})").ends_with("map of string required."));
  const Spec lm = one("m", "list(map(string))");
  CHECK(run(lm, R"({"m":[{"b":"1","a":2}]})") == "81a16d9182a161a132a162a131");
  CHECK(run(lm, R"({"m":[{"b":"1"},{"a":"2"}]})") == "81a16d9281a162a13181a161a132");
  CHECK(run(lm, R"({"m":{"b":"1"}})").ends_with(": list of map of string required."));
  CHECK(run(one("m", "list(map(number))"), R"({"m":[{"http":80,"s":"443"}]})") == "81a16d9182a46874747050a173cd01bb");
  const Spec o = one("o", "object({a=string,b=number})");
  CHECK(run(o, R"({"o":{"a":"x","b":1}})") == "81a16f82a161a178a16201");
  CHECK(run(o, R"({"o":{"a":"x"}})").ends_with("attribute \"b\" is required."));
  CHECK(run(one("o", "tuple([string,number])"), R"({"o":["x",1]})") == "81a16f92a17801");
  const Spec x = one("x", "any");
  CHECK(run(x, R"({"x":"s"})") == "81a178a173");
  CHECK(run(x, R"({"x":["a",1,true]})") == "81a17893a16101c3");
  CHECK(run(x, R"({"x":{"k":[1]}})") == "81a17881a16b9101");
  CHECK(run(x, "{}") == "81a178c0");
}

TEST_CASE("config: blocks") {
  const Spec b = object({{"b", block("b", blk())}});
  CHECK(run(b, "{}") == "81a162c0");
  CHECK(run(b, R"({"b":null})") == "81a162c0");
  CHECK(run(b, R"({"b":{"s":"x"}})") == "81a16282a16e07a173a178");
  CHECK(run(b, R"({"b":[{"s":"x"}]})") == "81a16282a16e07a173a178");
  CHECK(run(b, R"({"b":[{"s":"x"},{"s":"y"}]})").starts_with("error Duplicate b block: Only one block of type \"b\" is allowed."));
  CHECK(run(b, R"({"b":"x"})").starts_with("error Incorrect JSON value type: "));
  CHECK(run(object({{"b", block("b", blk(), true)}}), "{}") == "error Missing b block: A block of type \"b\" is required here.");
  CHECK(run(object({{"b", default_value(block("b", blk()), "{ s = \"d\" }")}}), "{}") == "81a16281a173a164");
  const Spec list = object({{"b", block_list("b", blk())}});
  CHECK(run(list, "{}") == "81a16290");
  CHECK(run(list, R"({"b":{"s":"x"}})") == "81a1629182a16e07a173a178");
  CHECK(run(list, R"({"b":[{"s":"x"},{"n":1}]})") == "81a1629282a16e07a173a17882a16e01a173c0");
  const Spec bounded = object({{"b", block_list("b", blk(), 1, 1)}});
  CHECK(run(bounded, "{}") == "error Insufficient b blocks: At least 1 \"b\" blocks are required.");
  CHECK(run(bounded, R"({"b":[{},{}]})") == "error Too many b blocks: No more than 1 \"b\" blocks are allowed");
  CHECK(run(object({{"b", block_set("b", blk())}}), R"({"b":[{"s":"x"},{"s":"x"},{"s":"a"}]})") ==
        "81a1629282a16e07a173a16182a16e07a173a178");
  const Spec map = object({{"b", block_map("b", {"name"}, blk())}});
  CHECK(run(map, "{}") == "81a16280");
  const char* labelled = "81a16282a16182a16e07a173a132a17882a16e07a173a131";
  CHECK(run(map, R"({"b":{"x":{"s":"1"},"a":{"s":"2"}}})") == labelled);
  CHECK(run(map, R"({"b":[{"x":[{"s":"1"}]},{"a":[{"s":"2"}]}]})") == labelled);
  CHECK(run(map, R"({"b":[{"x":{}},{"x":{}}]})") ==
        "error Duplicate b block: A block for b \"x\" was already defined. The b labels must be unique.");
  CHECK(run(object({{"b", block_map("b", {"t", "name"}, blk())}}), R"({"b":{"x":{"y":{"s":"1"}}}})") ==
        "81a16281a17881a17982a16e07a173a131");
  const Spec attrs = object({{"b", block_attrs("b", "string")}});
  CHECK(run(attrs, "{}") == "81a162c0");
  CHECK(run(attrs, R"({"b":{"k":"v","a":1}})") == "81a16282a161a131a16ba176");
  CHECK(run(attrs, R"({"b":[{"k":"v"}]})") == "81a16281a16ba176");
  CHECK(run(attrs, R"({"b":{}})") == "81a16280");
}

TEST_CASE("config: templates see nested variables") {
  const json variables = nest_variables({{"NOMAD_TASK_NAME", "web"}, {"node.unique.id", "7"}, {"attr.driver.x", "1"},
                                         {"attr.driver.x.version", "2"}, {"bad..key", "no"}});
  const Spec s = one("s", "string");
  CHECK(run(s, R"({"s":"${NOMAD_TASK_NAME}-${node.unique.id}"})", variables) == "81a173a57765622d37");
  CHECK(run(s, R"({"s":"${attr.driver.x.version}"})", variables) == "81a173a132");
  CHECK(run(s, R"({"s":"%{for x in [1,2]}${x},%{endfor}"})", variables) == "81a173a4312c322c");
  CHECK(run(s, R"({"s":"${1 > 2 ? \"a\" : upper(\"b\")}"})", variables) == "81a173a142");
  CHECK(run(s, R"({"s":"${"})", variables).starts_with("error "));
}

TEST_CASE("P_25 schema: hostile schemas are refused") {
  Spec deep = attr("x", "string");
  for (int i = 0; i < 40; ++i) deep = block("b", deep);
  CHECK(!check_schema(deep));
  CHECK(!check_schema(attr("x", "strng")));
  CHECK(!check_schema(Spec()));
  CHECK(!check_schema(block_map("b", {}, attr("x", "any"))));
  std::map<std::string, Spec> many;
  for (int i = 0; i < 10'001; ++i) many.emplace(std::to_string(i), attr("x", "any"));
  CHECK(!check_schema(object(many)));
}

TEST_CASE("msgpack: decoding is lenient where plugins are") {
  const auto decode = [](const char* hex) {
    std::string bytes;
    for (const char* at = hex; *at != '\0'; at += 2) bytes += static_cast<char>(std::stoi(std::string(at, 2), nullptr, 16));
    const auto out = decode_config(bytes);
    return out ? out->dump() : "error";
  };
  CHECK(decode("") == "null");
  CHECK(decode("c0") == "null");
  CHECK(decode("81a173c403616263") == R"({"s":"abc"})");
  CHECK(decode("80c0c0") == "{}");
  CHECK(decode("82a173a161a173a162") == R"({"s":"b"})");
  CHECK(decode("81a3616e7993a16101c3") == R"({"any":["a",1,true]})");
  CHECK(decode("8191a1ff01") == "error");
  CHECK(decode("81810101") == "error");
  CHECK(decode("810102") == R"({"1":2})");
  CHECK(get_string(json::object({{"k", json::array({std::string("\xff")})}}), "k") == "[\"\xef\xbf\xbd\"]");
  CHECK(decode("81a173d40000") == "error");
  CHECK(decode("81a1") == "error");
  CHECK(decode("c1") == "error");
  const json object = {{"n", "12"}, {"f", 2.0}, {"b", 1}, {"l", {"x", 1}}, {"m", {{{"a", "b"}}, {{"c", 1}}}}};
  CHECK(get_int(object, "n") == 12);
  CHECK(get_int(object, "f") == 2);
  CHECK(get_bool(object, "b"));
  CHECK(get_strings(object, "l") == std::vector<std::string>{"x", "1"});
  CHECK(get_string_map(object, "m") == std::map<std::string, std::string>{{"a", "b"}, {"c", "1"}});
  CHECK(get_string(object, "none", "d") == "d");
}
