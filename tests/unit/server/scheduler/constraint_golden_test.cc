#include <doctest/doctest.h>

#include "lib/model/codec.h"
#include "server/scheduler/feasible/attribute.h"
#include "server/scheduler/feasible/constraint.h"
#include "server/scheduler/fit/port_set.h"
#include "tests/unit/server/scheduler/golden.h"
#include "tests/unit/support/golden.h"

namespace drover::scheduler {
namespace {

MaybeText maybe(const std::string& text) { return text == "<absent>" ? MaybeText() : MaybeText(text); }

}  // namespace

TEST_CASE("golden constraints: every operator on node values and on device attributes") {
  if (!golden::has("constraints")) return;
  golden::Tally tally("constraints");
  const auto check = [&](const char* file, const auto& matches) {
    for (const auto& row : golden::read_json(golden::topic("constraints") / file)) {
      const ConstraintCheck constraint("", row.at("operand").get<std::string>(), "${resolved}");
      const bool got = matches(constraint, row.at("left").get<std::string>(), row.at("right").get<std::string>());
      tally.report(std::string(file) + " " + row.dump(), got == row.at("match").get<bool>() ? "" : "judged otherwise");
    }
  };
  check("node.json", [](const ConstraintCheck& constraint, const std::string& left, const std::string& right) {
    return constraint.matches(maybe(left), maybe(right));
  });
  check("device.json", [](const ConstraintCheck& constraint, const std::string& left, const std::string& right) {
    const auto a = parse_attribute(left);
    const auto b = parse_attribute(right);
    return constraint.matches(left == "<absent>" ? nullptr : &a, right == "<absent>" ? nullptr : &b);
  });
}

TEST_CASE("golden misc: port ranges") {
  if (!golden::has("misc")) return;
  golden::Tally tally("misc", "port-ranges");
  for (const auto& row : golden::read_json(golden::topic("misc") / "port-ranges.json")) {
    const auto ports = parse_port_ranges(row.at("spec").get<std::string>());
    nlohmann::json got{{"spec", row["spec"]}};
    if (!ports) got["error"] = ports.error().message();
    else if (ports->size() <= 20) got["ports"] = *ports;
    else got.update({{"count", ports->size()}, {"first", ports->front()}, {"last", ports->back()}});
    tally.report(row["spec"], golden::differences(got, row));
  }
}

TEST_CASE("golden constraints: against a node, with the reason shown") {
  auto document = read_lines("scheduler/feasibility/constraints-node.jsonl").front().at("node");
  model::Node node;
  Json attributes = Json::parse(read_text(golden_path("scheduler/base.json"))).at("node");
  attributes.merge_patch(document);
  attributes.erase("NodeResources");
  REQUIRE(model::from_json(attributes.dump(), node).has_value());
  for (const auto& row : read_lines("scheduler/feasibility/constraints.jsonl")) {
    const auto& c = row.at("constraint");
    const ConstraintCheck check(c.value("LTarget", ""), c.value("Operand", ""), c.value("RTarget", ""));
    CHECK_MESSAGE(check.matches(node) == row.at("feasible").get<bool>(), row.dump());
    if (row.contains("reason")) CHECK(check.reason() == row.at("reason").get<std::string>());
    CHECK_MESSAGE(check.escapes_class() == row.at("escapes_class").get<bool>(), row.dump());
  }
}

}  // namespace drover::scheduler
