#include <doctest/doctest.h>

#include <iostream>

#include "lib/model/codec.h"
#include "server/scheduler/feasible/attribute.h"
#include "server/scheduler/feasible/constraint.h"
#include "tests/unit/server/scheduler/golden.h"

namespace drover::scheduler {
namespace {

MaybeText maybe(const std::string& text) { return text == "<absent>" ? MaybeText() : MaybeText(text); }

}  // namespace

TEST_CASE("golden constraints: every operator on node values") {
  for (const auto& row : Json::parse(read_text(golden_path("constraints/node.json")))) {
    const auto left = row.at("left").get<std::string>();
    const auto right = row.at("right").get<std::string>();
    const ConstraintCheck check("", row.at("operand").get<std::string>(), "${resolved}");
    CHECK_MESSAGE(check.matches(maybe(left), maybe(right)) == row.at("match").get<bool>(), row.dump());
  }
}

TEST_CASE("golden constraints: every operator on device attributes") {
  for (const auto& row : Json::parse(read_text(golden_path("constraints/device.json")))) {
    const auto left = row.at("left").get<std::string>();
    const auto right = row.at("right").get<std::string>();
    const auto a = parse_attribute(left);
    const auto b = parse_attribute(right);
    const ConstraintCheck check("", row.at("operand").get<std::string>(), "${resolved}");
    const bool matches = check.matches(left == "<absent>" ? nullptr : &a, right == "<absent>" ? nullptr : &b);
    CHECK_MESSAGE(matches == row.at("match").get<bool>(), row.dump());
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
