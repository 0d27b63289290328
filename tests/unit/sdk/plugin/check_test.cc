#include "sdk/plugin/check.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "sdk/plugin/schema_json.h"

using namespace drover;
using namespace drover::plugin;
using json = nlohmann::json;

namespace {
// One of every kind.
Spec rich() {
  return object({{"command", attr("command", "string", true)},
                 {"args", attr("args", "list(string)")},
                 {"count", default_value(attr("count", "number"), "1")},
                 {"tty", attr("tty", "bool")},
                 {"labels", block_attrs("labels", "string")},
                 {"auth", block("auth", object({{"user", attr("user", "string", true)}}))},
                 {"mount", block_list("mount", object({{"target", attr("target", "string")}, {"options", block("options", object({{"ro", attr("ro", "bool")}}))}}), 0, 2)},
                 {"tag", block_set("tag", object({{"name", attr("name", "string")}}), 1)},
                 {"port", block_map("port", {"label"}, object({{"to", attr("to", "number")}}))},
                 {"pair", attr("pair", "tuple([string, number])")},
                 {"shape", attr("shape", "object({w=number, h=number})")}});
}
// "mount#1.options.ro: wrong type" for each problem.
std::string found(const Spec& schema, const json& config) {
  const auto problems = check_config(schema, config);
  if (!problems) return "error";
  std::string out;
  for (const ConfigProblem& one : *problems) {
    if (!out.empty()) out += "; ";
    for (std::size_t i = 0; i < one.path.size(); i++) out += (i == 0 ? "" : ".") + one.path[i].name + (one.path[i].index == 0 ? "" : "#" + std::to_string(one.path[i].index));
    out += ": " + one.summary;
  }
  return out;
}
json good() { return {{"command", "x"}, {"tag", {{{"name", "a"}}}}}; }
std::string with(const char* name, const json& value) {
  json config = good();
  config[name] = value;
  return found(rich(), config);
}
}  // namespace

TEST_CASE("check: a good block has no problems, in the API's form and with open texts") {
  CHECK(found(rich(), good()) == "");
  CHECK(with("args", {"a", "${NOMAD_PORT_x}"}) == "");
  CHECK(with("count", "${meta.count}") == "");
  CHECK(with("count", "7") == "");
  CHECK(with("args", "${meta.args}") == "");
  CHECK(with("tty", "${meta.tty}") == "");
  CHECK(with("pair", json::array({"${a}", "${b}"})) == "");
  CHECK(with("shape", {{"w", "${a}"}, {"h", 2}}) == "");
  CHECK(with("shape", "${a}") == "");
  CHECK(with("labels", json::array({{{"a", "b"}}})) == "");
  CHECK(with("port", json::array({{{"http", json::array({{{"to", 80}}})}}})) == "");
  CHECK(with("args", nullptr) == "");
}

TEST_CASE("check: every problem is found, with its path") {
  CHECK(found(rich(), json::object()) == ": missing argument; : too few blocks");
  CHECK(found(rich(), nullptr) == ": missing argument; : too few blocks");
  CHECK(with("comand", 1) == "comand: unknown argument");
  CHECK(with("args", "text") == "args: wrong type");
  CHECK(with("count", "many") == "count: wrong type");
  CHECK(with("tty", json::array()) == "tty: wrong type");
  CHECK(with("auth", json::array({json::object(), json::object()})) == "auth#1: duplicate block; auth: missing argument");
  CHECK(with("auth", 1) == "auth: a block is needed");
  CHECK(with("mount", json::array({json::object(), {{"options", json::array({{{"ro", "perhaps"}, {"x", 1}}})}}})) == "mount#1.options.x: unknown argument; mount#1.options.ro: wrong type");
  CHECK(with("mount", json::array({json::object(), json::object(), json::object()})) == "mount: too many blocks");
  CHECK(with("labels", json::array({{{"a", json::array()}}})) == "labels.a: wrong type");
  CHECK(with("port", json::array({{{"http", json::array({{{"to", "x"}}})}}})) == "port.to: wrong type");
  CHECK(with("pair", json::array({"a", "b"})) == "pair: wrong type");
}

TEST_CASE("check: an unknown name is told with the near one, or with all") {
  const auto detail = [](const char* name) { return check_config(rich(), {{"command", "x"}, {"tag", json::array({json::object()})}, {name, 1}})->at(0).detail; };
  CHECK(detail("comand") == "No argument or block type is named \"comand\". Did you mean \"command\"?");
  CHECK(detail("zzzzzzzz").find("There are: args, auth, command,") != std::string::npos);
}

TEST_CASE("P_25 check: hostile schemas and blocks are bounded") {
  Spec deep = attr("a", "string");
  for (int i = 0; i < 50; i++) deep = block("a", deep);
  CHECK_FALSE(check_config(deep, json::object()));
  json config = good();
  for (int i = 0; i < 5000; i++) config["unknown" + std::to_string(i)] = i;
  CHECK(check_config(rich(), config)->size() <= 100);
  CHECK_FALSE(check_config(rich(), 7));
}

TEST_CASE("check: options for completion") {
  std::string names;
  for (const ConfigOption& one : config_options(rich())) names += one.name + (one.block ? "{}" : "") + (one.required ? "!" : "") + " ";
  CHECK(names == "args auth{} command! count labels{} mount{} pair port{} shape tag{}! tty ");
  CHECK(config_options(rich())[0].type == "list of string");
  CHECK(config_options(Spec()).empty());
}

TEST_CASE("schema as JSON: there and back, of every kind") {
  for (const Spec& spec : {rich(), array({attr("a", "string"), literal("5")}), default_spec(attr("a", "string"), attr("b", "string"))}) {
    const auto back = schema_from_json(json::parse(schema_to_json(spec).dump()));
    REQUIRE(back);
    CHECK(*back == spec);
  }
  CHECK(schema_to_json(Spec()).is_null());
  CHECK_FALSE(static_cast<bool>(*schema_from_json(nullptr)));
}

TEST_CASE("P_25 schema as JSON: what is none is refused") {
  json deep = {{"attr", {{"name", "a"}, {"type", "string"}}}};
  for (int i = 0; i < 1000; i++) deep = {{"block_value", {{"name", "a"}, {"nested", deep}}}};
  for (const json& bad : {json(1), json::object(), json{{"attr", 1}}, json{{"nosuch", json::object()}}, json{{"attr", {{"name", "a"}}}}, json{{"attr", {{"name", 1}, {"type", "string"}}}},
                          json{{"block_value", {{"name", "a"}}}}, json{{"object", {{"attributes", 1}}}}, json{{"a", json::object()}, {"b", json::object()}}, deep}) {
    CAPTURE(bad.dump().substr(0, 80));
    CHECK_FALSE(schema_from_json(bad));
  }
}
