#include <doctest/doctest.h>

#include <algorithm>

#include "lib/model/codec.h"
#include "server/broker/plan_check.h"
#include "server/gc/collector.h"
#include "server/scheduler/fit/allocs_fit.h"
#include "server/state/txn.h"
#include "tests/unit/server/scheduler/golden.h"

namespace drover::scheduler {
namespace {

// The case's objects in the tables of the server's state.
state::Snapshot snapshot_of(const Case& c) {
  state::Tables tables;
  tables.index = 1000;
  tables.indexes.fill(1000);
  for (const auto& [id, node] : c.view.nodes) tables.nodes.put(node);
  for (const auto& [id, job] : c.view.jobs) tables.jobs.put(job);
  for (const auto& job : c.view.versions) tables.versions.put(job);
  for (const auto& [id, alloc] : c.view.allocs) state::add_to(tables, alloc);
  for (const auto& deployment : c.view.deployments) state::add_to(tables, deployment);
  if (!c.evaluation.id.empty()) state::add_to(tables, std::make_shared<const model::Evaluation>(c.evaluation));
  return state::Snapshot(std::move(tables));
}

template <class T>
T decode(const Json& json) {
  T out;
  REQUIRE(model::from_json(json.dump(), out).has_value());
  return out;
}

Json ids_by_node(const model::Map<model::List<AllocPtr>>& lists) {
  Json out = Json::object();
  for (const auto& [node, allocs] : lists) {
    for (const auto& alloc : allocs) out[node].push_back(alloc->id);
    std::sort(out[node].begin(), out[node].end());
  }
  return out;
}

std::size_t count(const model::Map<model::List<AllocPtr>>& lists) {
  std::size_t n = 0;
  for (const auto& [node, allocs] : lists) n += allocs.size();
  return n;
}

std::string fits_on(const model::Node& node, const std::vector<AllocPtr>& allocs) {
  const auto fit = allocs_fit(node, allocs, true);
  return fit.fits ? std::string() : fit.dimension;
}

model::Plan plan_of(const Case& c) {
  const auto& json = c.input().at("plan");
  model::Plan plan;
  plan.eval_id = c.evaluation.id;
  plan.job = c.job;
  plan.all_at_once = json.at("AllAtOnce").get<bool>();
  for (const auto& [node, ids] : json.at("NodeUpdate").items()) {
    for (const auto& id : ids) {
      auto stop = std::make_shared<model::Allocation>(*c.view.alloc(id.get<std::string>()));
      stop->desired_status = "stop";
      plan.node_update[node].push_back(std::move(stop));
    }
  }
  for (const auto& [node, ids] : json.at("NodePreemptions").items()) {
    for (const auto& id : ids) plan.node_preemptions[node].push_back(c.view.alloc(id.get<std::string>()));
  }
  for (const auto& [node, allocs] : json.at("NodeAllocation").items()) {
    for (const auto& alloc : allocs) plan.node_allocation[node].push_back(std::make_shared<const model::Allocation>(c.allocation(alloc)));
  }
  if (!json.at("Deployment").is_null()) plan.deployment = decode<model::Deployment>(json.at("Deployment"));
  return plan;
}

Answers judge_plan(Case& c) {
  const auto snapshot = snapshot_of(c);
  const auto plan = plan_of(c);
  const auto live = [&](std::string_view node) { return snapshot.live_allocs_by_node(node); };
  const auto checked = broker::check_plan(plan, snapshot, live, fits_on);
  Answers out{Json::object(), c.output()};
  auto& ours = out.ours;
  ours["NodeUpdate"] = ids_by_node(checked.result.node_update);
  ours["NodeAllocation"] = ids_by_node(checked.result.node_allocation);
  ours["NodePreemptions"] = ids_by_node(checked.result.node_preemptions);
  ours["refresh"] = checked.result.refresh_index != 0;
  ours["RejectedNodes"] = nullptr;
  if (!checked.result.rejected_nodes.empty()) {
    ours["RejectedNodes"] = std::vector<std::string>(checked.result.rejected_nodes.begin(), checked.result.rejected_nodes.end());
  }
  ours["Deployment"] = nullptr;
  if (checked.result.deployment) {
    ours["Deployment"] = {{"PlacedCanaries", Json::array()}};
    for (const auto& [name, group] : checked.result.deployment->task_groups) {
      for (const auto& id : group.placed_canaries) ours["Deployment"]["PlacedCanaries"].push_back(id);
    }
  }
  ours["expected"] = count(plan.node_allocation);
  ours["actual"] = count(checked.result.node_allocation);
  ours["full_commit"] = count(checked.result.node_allocation) == count(plan.node_allocation);
  ours["nodes"] = Json::object();
  for (const auto* lists : {&plan.node_update, &plan.node_allocation}) {
    for (const auto& [node, allocs] : *lists) ours["nodes"][node] = {{"fit", true}, {"reason", ""}};
  }
  // The verdict on each node by itself: a plan that is all or nothing stops at the first refusal.
  for (const auto& rejection : checked.rejected) ours["nodes"][rejection.node_id] = {{"fit", false}, {"reason", rejection.reason}};
  for (const auto* lists : {"NodeUpdate", "NodeAllocation", "NodePreemptions"}) {
    for (auto& list : out.expected[lists]) std::sort(list.begin(), list.end());
  }
  if (plan.all_at_once && !checked.rejected.empty()) {
    // Which node is looked at first is chance; that one was refused is what counts.
    for (auto* answer : {&out.ours, &out.expected}) (*answer)["RejectedNodes"] = !answer->at("RejectedNodes").is_null();
  }
  return out;
}

Answers judge_gc(Case& c) {
  const auto snapshot = snapshot_of(c);
  const auto cutoff = c.input().at("cutoff").get<std::int64_t>();
  Answers out{Json::object(), c.output()};
  out.ours["allocations"] = Json::object();
  for (const auto& [id, alloc] : c.view.allocs) out.ours["allocations"][id] = gc::collectable(snapshot, *alloc, cutoff, c.now);
  const auto verdict = gc::judge_eval(snapshot, c.evaluation, cutoff, c.now, c.input().value("allow_batch", false));
  out.ours["evaluation"] = verdict.eval;
  out.ours["evaluation_allocations"] = Json::array();
  for (const auto& id : verdict.allocs) out.ours["evaluation_allocations"].push_back(id);
  std::sort(out.ours["evaluation_allocations"].begin(), out.ours["evaluation_allocations"].end());
  return out;
}

}  // namespace

TEST_CASE("golden plan: what is committed of a plan that holds in part") { replay("plan", {"partial"}, judge_plan); }

TEST_CASE("golden leader: what may be collected") { replay("leader", {"gc"}, judge_gc); }

}  // namespace drover::scheduler
