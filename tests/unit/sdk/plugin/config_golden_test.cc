// Configuration values of tasks as the reference encodes them for a driver: tests/golden/plugin-host/03-config-values.json.
#include <doctest/doctest.h>

#include <cmath>

#include "sdk/base/encoding.h"
#include "sdk/base/text.h"
#include "sdk/plugin/config.h"
#include "tests/unit/support/golden.h"

using namespace drover;
using nlohmann::json;

namespace {
// The schema of the recorder's driver: every kind of it, under the names that the recording has.
plugin::Spec full_schema() {
  using namespace plugin;
  const auto numbered = [] { return object({{"s", attr("s", "string")}, {"n", default_value(attr("n", "number"), "7")}}); };
  return object({
      {"s", attr("s", "string")},
      {"n", attr("n", "number")},
      {"b", attr("b", "bool")},
      {"any", attr("any", "any")},
      {"ls", attr("ls", "list(string)")},
      {"ln", attr("ln", "list(number)")},
      {"ss", attr("ss", "set(string)")},
      {"sn", attr("sn", "set(number)")},
      {"ms", attr("ms", "map(string)")},
      {"lms", attr("lms", "list(map(string))")},
      {"lmn", attr("lmn", "list(map(number))")},
      {"ob", attr("ob", "object({a=string,b=number})")},
      {"lob", attr("lob", "list(object({a=string,n=number}))")},
      {"tup", attr("tup", "tuple([string,number])")},
      {"code", attr("code", "number")},
      {"out", attr("in", "string")},
      {"arr", array({attr("arr_x", "string"), attr("arr_y", "number")})},
      {"sub", object({{"x", attr("sub_x", "string")}, {"y", attr("sub_y", "bool")}})},
      {"blk", block("blk", numbered())},
      {"blkreq", block("blkreq", object({{"r", attr("r", "string", true)}, {"deep", block_list("deep", object({{"v", attr("v", "any")}}))}}))},
      {"blks", block_list("blks", numbered())},
      {"few", block_list("few", numbered(), 0, 2)},
      {"bset", block_set("bset", numbered())},
      {"bmap", block_map("bmap", {"name"}, numbered())},
      {"bmap2", block_map("bmap2", {"t", "name"}, numbered())},
      {"battr", block_attrs("battr", "string")},
      {"battrn", block_attrs("battrn", "number")},
      {"ds", default_value(attr("ds", "string"), "\"bash\"")},
      {"dn", default_value(attr("dn", "number"), "5")},
      {"dl", default_value(attr("dl", "list(string)"), "[\"a\", \"b\"]")},
      {"dblk", default_spec(block("dblk", object({{"s", attr("s", "string")}, {"n", attr("n", "number")}})), literal("{ s = \"d\" }"))},
      {"chain", default_spec(attr("chain", "string"), default_spec(attr("chain2", "string"), literal("\"last\"")))},
      {"life", default_value(attr("life", "number"), "0.1")},
      {"lit", literal("upper(\"x\")")},
  });
}

// A fraction travels as a float here and as its text there (protocol 4.4): the better form stands for the recorded one.
void fractions_to_text(json& value, const json& recorded) {
  if (value.is_number_float() && recorded.is_string() && std::stod(recorded.get<std::string>()) == value.get<double>()) value = recorded;
  if (value.is_object() && recorded.is_object()) {
    for (auto& [key, child] : value.items()) {
      if (recorded.contains(key)) fractions_to_text(child, recorded[key]);
    }
  }
  if (value.is_array() && recorded.is_array() && value.size() == recorded.size()) {
    for (std::size_t i = 0; i < value.size(); ++i) fractions_to_text(value[i], recorded[i]);
  }
}

// The texts that a recorded event may have held, without what stands around them.
std::vector<std::string> refusals(const json& event) {
  const json& text = event.at("DisplayMessage");
  std::vector<std::string> out;
  for (const json& one : text.is_object() ? text.at("varies") : json::array({text})) {
    std::string line = one;
    static const std::string head = "2 errors occurred:\n\t* failed to parse config: \n\t* ";
    if (line.starts_with(head)) line = line.substr(head.size());
    out.emplace_back(trim(line));
  }
  return out;
}

std::string compare(const json& row, const json& variables) {
  const json config = row.contains("api_config") ? row["api_config"] : row["parsed"];
  const auto encoded = plugin::encode_config(full_schema(), config, variables);
  if (row.contains("msgpack_driver_config")) {
    if (!encoded) return "refused: " + encoded.error().message();
    auto value = plugin::decode_config(*encoded);
    REQUIRE(value);
    const json& want = row["msgpack_driver_config"]["value"];
    fractions_to_text(*value, want);
    std::string difference = golden::differences(*value, want);
    // Where the values are the same to the letter, so are the bytes.
    const auto again = plugin::decode_config(*encoded);
    if (difference.empty() && *again == want && hex_encode(*encoded) != row["msgpack_driver_config"]["hex"].get<std::string>()) difference = "bytes " + hex_encode(*encoded);
    return difference;
  }
  const std::vector<std::string> wanted = refusals(row["events"][0]);
  if (encoded) return "accepted, want " + wanted.front();
  for (const std::string& one : wanted) {
    // Among names that are equally near the reference takes any.
    if (encoded.error().message() == one || (wanted.size() > 1 && one.substr(0, one.find(" Did you mean")) == encoded.error().message().substr(0, encoded.error().message().find(" Did you mean")))) return {};
  }
  return "refused with " + encoded.error().message() + ", want " + wanted.front();
}
}  // namespace

TEST_CASE("plugin host: values of a task's config reach the driver as the reference encodes them") {
  if (!golden::has("plugin-host")) return;
  const json file = golden::read_json(golden::topic("plugin-host") / "03-config-values.json");
  golden::Tally tally("plugin-host", "values");
  for (const json& row : file["rows"]) {
    if (row.contains("parse_error")) continue;  // no configuration came of it
    const std::string name = row["case"];
    const json variables = plugin::nest_variables({{"NOMAD_JOB_NAME", "values"}, {"NOMAD_TASK_NAME", name}, {"node.class", ""}});
    tally.report(name, compare(row, variables));
  }
}
