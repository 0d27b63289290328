#include <doctest/doctest.h>

#include "server/scheduler/alloc_state.h"
#include "server/scheduler/rank/stack.h"
#include "tests/unit/server/scheduler/golden.h"

namespace drover::scheduler {
namespace {

Json counts(const model::Map<std::int64_t>& map) {
  Json out = Json::object();
  for (const auto& [key, value] : map) out[key] = value;
  return out;
}

Json metrics_json(const model::AllocMetric& metric) {
  Json out = Json::object();
  const auto number = [&](const char* name, std::int64_t value) {
    if (value != 0) out[name] = value;
  };
  const auto map = [&](const char* name, const model::Map<std::int64_t>& value) {
    if (!value.empty()) out[name] = counts(value);
  };
  number("NodesEvaluated", metric.nodes_evaluated);
  number("NodesFiltered", metric.nodes_filtered);
  number("NodesExhausted", metric.nodes_exhausted);
  map("ClassFiltered", metric.class_filtered);
  map("ConstraintFiltered", metric.constraint_filtered);
  map("ClassExhausted", metric.class_exhausted);
  map("DimensionExhausted", metric.dimension_exhausted);
  return out;
}

Json scores_json(const Scores& scores) {
  Json out = Json::object();
  for (const auto& [name, value] : scores) out[std::string(name)] = value;
  return out;
}

Json tasks_json(const model::AllocatedResources& resources) {
  Json out = Json::object();
  for (const auto& [name, task] : resources.tasks) {
    auto& json = out[name];
    if (task.cpu.cpu_shares != 0) json["cpu"] = task.cpu.cpu_shares;
    if (task.memory.memory_mb != 0) json["memory"] = task.memory.memory_mb;
    if (task.memory.memory_max_mb != 0) json["memory_max"] = task.memory.memory_max_mb;
    if (!task.cpu.reserved_cores.empty()) json["cores"] = std::vector<int>(task.cpu.reserved_cores.begin(), task.cpu.reserved_cores.end());
    for (const auto& device : task.devices) {
      json["devices"][device.vendor + "/" + device.type + "/" + device.name] = device.device_ids.size();
    }
  }
  return out;
}

Json ports_json(const model::AllocatedResources& resources, const model::TaskGroup& group) {
  Json out = Json::array();
  for (const auto& port : resources.shared.ports) {
    const auto& dynamic = group.networks.front().dynamic_ports;
    if (std::ranges::find(dynamic, port.label, &model::Port::label) != dynamic.end()) {
      out.push_back({{"dynamic", true}, {"host_ip", port.host_ip}, {"label", port.label}, {"to_equals_value", port.to == port.value}});
    } else {
      out.push_back({{"host_ip", port.host_ip}, {"label", port.label}, {"to", port.to}, {"value", port.value}});
    }
  }
  return out;
}

NodeTable table_of(const StateView& view) {
  NodeTable table;
  table.sync({std::shared_ptr<void>(), &view});
  return table;
}

struct Selection {
  explicit Selection(Case& c)
      : rng(7), draft(c.evaluation, c.job, c.now), table(table_of(c.view)),
        stack(c.view, table, draft, eligibility, rng, c.input().at("stack") == "batch" || c.input().at("stack") == "sysbatch",
              c.input().at("stack") == "system" || c.input().at("stack") == "sysbatch") {
    for (const auto& id : c.input().value("plan_stops", Json::array())) draft.stop(c.view.alloc(id.get<std::string>()), {.description = ""});
    for (const auto& patch : c.input().value("plan_placements", Json::array())) {
      draft.place(std::make_shared<const model::Allocation>(c.allocation(patch)));
    }
    stack.set_job(*c.job);
    group = find_group(c.job.get(), c.input().at("group").get<std::string>());
    options.alloc_name = alloc_name(c.job->id, group->name, 0);
    options.preempt = c.input().value("preempt", false);
    for (const auto& id : c.input().value("penalty_nodes", Json::array())) options.penalty_nodes.insert(id.get<std::string>());
  }
  Rng rng;
  PlanDraft draft;
  Eligibility eligibility;
  NodeTable table;
  Stack stack;
  const model::TaskGroup* group;
  SelectOptions options;
};

Json node_alone(Case& c, const NodePtr& node) {
  Selection selection(c);
  selection.stack.set_node(*node);
  const auto placement = selection.stack.select(*selection.group, selection.options);
  if (placement) {
    Json out = {{"scores", scores_json(placement->scores)}, {"norm_score", placement->final_score}, {"final_score", placement->final_score},
                {"tasks", tasks_json(placement->resources)}};
    for (const auto& alloc : placement->evicted) out["preempted"].push_back(alloc->id);
    if (out.contains("preempted")) std::sort(out["preempted"].begin(), out["preempted"].end());
    if (!selection.group->networks.empty()) out["ports"] = ports_json(placement->resources, *selection.group);
    return out;
  }
  const auto& metrics = selection.stack.metrics();
  if (!metrics.constraint_filtered.empty()) return {{"filtered", metrics.constraint_filtered.begin()->first}};
  return {{"exhausted", metrics.dimension_exhausted.empty() ? "" : metrics.dimension_exhausted.begin()->first}};
}

Answers judge(Case& c) {
  Answers answers{Json::object(), c.output()};
  for (const auto& [id, node] : c.view.nodes) answers.ours["nodes"][id] = node_alone(c, node);
  auto& expected = answers.expected;
  if (expected.contains("whole")) expected.erase("whole");
  if (!expected.contains("metrics")) return answers;
  Selection selection(c);
  std::vector<std::uint32_t> rows;
  for (const auto& [id, node] : c.view.nodes) rows.push_back(selection.table.row_of(id));
  selection.stack.compare_all();
  selection.stack.set_rows(rows);
  const auto placement = selection.stack.select(*selection.group, selection.options);
  const auto& metrics = placement ? placement->metrics : selection.stack.metrics();
  auto& ours = answers.ours;
  ours["metrics"] = metrics_json(metrics);
  ours["score_meta"] = Json::object();
  for (const auto& meta : metrics.score_meta_data) {
    Json scores = Json::object();
    for (const auto& [name, value] : meta.scores) scores[name] = value;
    ours["score_meta"][meta.node_id] = {{"NormScore", meta.norm_score}, {"Scores", std::move(scores)}};
  }
  ours["chosen"] = placement ? Json(placement->node->id) : Json(nullptr);
  if (expected.at("chosen") == "any of the best" && placement) ours["chosen"] = "any of the best";
  ours["escaped"] = selection.eligibility.escaped();
  ours["classes"] = Json::object();
  for (const auto& [name, eligible] : selection.eligibility.classes()) ours["classes"][name] = eligible;
  for (const auto* key : {"classes", "escaped", "score_meta"}) {
    if (!expected.contains(key)) ours.erase(key);
  }
  return answers;
}

}  // namespace

TEST_CASE("golden rank: every node alone and one selection over all") {
  replay("rank", {"affinity", "anti-affinity", "binpack", "cores", "devices", "distinct", "lifecycle", "mixed", "oversubscription",
                  "penalty", "ports", "reserved", "spread"}, judge);
}

TEST_CASE("golden preempt: whom to evict on every node") {
  replay("preempt", {"select"}, judge);
}

TEST_CASE("golden feasibility: reasons and feasible nodes") {
  replay("feasibility", {"classes", "devices", "drivers", "host-volumes", "networks"}, judge);
}

}  // namespace drover::scheduler
