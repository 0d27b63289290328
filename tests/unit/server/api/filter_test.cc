#include "server/api/filter.h"

#include <doctest/doctest.h>

using namespace drover;

namespace {

std::string run(std::string_view expression, const state::Object& object) {
  const auto matcher = api::parse_filter(expression);
  if (!matcher) return "parse: " + matcher.error().message();
  const auto matched = (*matcher)(object);
  if (!matched) return matched.error().message();
  return *matched ? "yes" : "no";
}

}  // namespace

TEST_CASE("filter: jobs are matched by the Go names of their stored fields") {
  auto job = std::make_shared<model::Job>();
  job->id = "web";
  job->type = "service";
  job->priority = 50;
  job->datacenters = {"dc1"};
  job->meta["team"] = "a";
  job->task_groups.emplace_back();
  job->task_groups[0].name = "g";
  const state::Object object = state::JobPtr(job);
  CHECK(run("Type == \"service\"", object) == "yes");
  CHECK(run("Meta.team == \"b\"", object) == "no");
  CHECK(run("Datacenters contains \"dc1\"", object) == "yes");
  CHECK(run("any TaskGroups as g { g.Name == \"g\" }", object) == "yes");
  CHECK(run("TaskGroups is not empty", object) == "yes");
  CHECK(run("Priority != 50", object) == "no");
  CHECK(run("Nope == 1", object) == "error finding value in datum: /Nope at part 0: couldn't find key: struct field with name \"Nope\"");
  CHECK(run("Priority == \"x\"", object) == "error getting match value in expression: strconv.ParseInt: parsing \"x\": invalid syntax");
  CHECK(run("==", object).starts_with("parse: 1:1 (0): no match found"));
}

TEST_CASE("filter: a node's secret cannot be guessed letter by letter") {
  auto node = std::make_shared<model::Node>();
  node->secret_id = "abc";
  node->status = "ready";
  const state::Object object = state::NodePtr(node);
  CHECK(run("Status == \"ready\"", object) == "yes");
  CHECK(run("SecretID matches \"^a\"", object) == "no");
}
