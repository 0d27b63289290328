#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "lib/bexpr/filter.h"
#include "tests/unit/support/golden.h"

using namespace drover;
using namespace drover::bexpr;
using Json = nlohmann::ordered_json;

namespace {
// JSON as a datum: objects are structs but for `Meta`; null lists and maps are written {"nil": kind}.
class JsonDatum final : public Datum {
 public:
  JsonDatum(Json value, bool is_map) : value_(std::move(value)), is_map_(is_map) {}

  [[nodiscard]] Kind kind() const override {
    if (value_.is_object() && value_.contains("nil")) {
      return value_["nil"] == "list" ? Kind::list : value_["nil"] == "map" ? Kind::map : Kind::nil;
    }
    if (value_.is_object() && value_.contains("uint")) return Kind::unsigned_integer;
    if (value_.is_string()) return Kind::string;
    if (value_.is_boolean()) return Kind::boolean;
    if (value_.is_number_float()) return Kind::floating;
    if (value_.is_number()) return Kind::integer;
    if (value_.is_array()) return Kind::list;
    return is_map_ ? Kind::map : Kind::structure;
  }
  [[nodiscard]] std::string_view text() const override { return value_.get_ref<const std::string&>(); }
  [[nodiscard]] std::int64_t integer() const override { return value_.get<std::int64_t>(); }
  [[nodiscard]] std::uint64_t unsigned_integer() const override { return value_["uint"].get<std::uint64_t>(); }
  [[nodiscard]] double floating() const override { return value_.get<double>(); }
  [[nodiscard]] bool boolean() const override { return value_.get<bool>(); }
  [[nodiscard]] bool is_nil() const override { return value_.is_object() && value_.contains("nil"); }
  [[nodiscard]] std::size_t size() const override { return is_nil() ? 0 : value_.size(); }
  [[nodiscard]] std::unique_ptr<Datum> field(std::string_view name) const override {
    const auto found = value_.find(std::string(name));
    if (is_nil() || found == value_.end()) return nullptr;
    return std::make_unique<JsonDatum>(*found, name == "Meta");
  }
  [[nodiscard]] std::unique_ptr<Datum> element(std::size_t index) const override {
    return std::make_unique<JsonDatum>(value_[index], false);
  }
  [[nodiscard]] std::vector<std::string> keys() const override {
    std::vector<std::string> out;
    if (!is_nil()) {
      for (const auto& [key, value] : value_.items()) out.push_back(key);
    }
    return out;
  }

 private:
  Json value_;
  bool is_map_;
};

const char* object_1 = R"({"ID":"web","Name":"web front","Type":"service","Priority":50,"Stop":false,"Weight":1.5,"Index":{"uint":10},
 "Meta":{"team":"a","x y":"z"},"Datacenters":["dc1","dc2"],
 "TaskGroups":[{"Name":"fe","Count":2,"Tasks":[{"Name":"nginx","Driver":"docker"}]}],"Update":{"nil":"pointer"},"Nothing":{"nil":"list"}})";
const char* object_2 = R"({"ID":"etl","Name":"","Type":"batch","Priority":80,"Stop":true,"Weight":-2.0,"Index":{"uint":18446744073709551615},
 "Meta":{"nil":"map"},"Datacenters":["dc3"],
 "TaskGroups":[{"Name":"g1","Count":0,"Tasks":[{"Name":"a","Driver":"exec"},{"Name":"b","Driver":"raw_exec"}]},
 {"Name":"g2","Count":5,"Tasks":{"nil":"list"}}],"Update":{"Name":"u"},"Nothing":{"nil":"list"}})";
}  // namespace

TEST_CASE("filter: every recorded expression gives the recorded answer, word for word") {
  if (!golden::has("filters")) return;
  golden::Tally tally("filters");
  const JsonDatum objects[] = {JsonDatum(Json::parse(object_1), false), JsonDatum(Json::parse(object_2), false)};
  int number = 0;
  for (const auto& row : golden::read_json(golden::topic("filters") / "filters.json")) {
    const std::string text = row["filter"];
    const auto filter = Filter::parse(text);
    nlohmann::json got{{"filter", text}};
    if (!filter) {
      got["parse_error"] = filter.error().message();
    } else {
      for (const JsonDatum& object : objects) {
        const auto held = filter->match(object);
        if (held) got["match"].push_back(*held);
        else got["match"].push_back("error: " + held.error().message());
      }
    }
    tally.report(std::to_string(number++) + " " + text, golden::differences(got, row));
  }
}

TEST_CASE("filter: size and depth are limited") {
  CHECK_FALSE(Filter::parse("ID == \"" + std::string(5000, 'x') + "\""));
  CHECK_FALSE(Filter::parse(std::string(100, '(') + "ID == x" + std::string(100, ')')));
  CHECK(Filter::parse(std::string(40, '(') + "ID == x" + std::string(40, ')')));
  CHECK_FALSE(Filter::parse(std::string(60, '(') + "ID == x"));
  std::string many = "ID == x";
  for (int i = 0; i < 300; ++i) many += " or ID == y";
  CHECK(Filter::parse(many));
}
