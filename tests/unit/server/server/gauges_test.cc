#include "server/gauges.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "server/rpc/call_metrics.h"

using namespace drover;
using Json = nlohmann::json;

namespace {

constexpr UnixNanos start = 1'700'000'003'000'000'000;

Json gauges(const metrics::Registry& registry) {
  Json out = Json::array();
  const Json summary = Json::parse(registry.summary_json());
  for (const auto& gauge : summary["Gauges"]) out.push_back({gauge["Name"], gauge["Value"], gauge["Labels"]});
  return out;
}

state::EvalPtr blocked_eval(const std::string& job, std::int64_t cpu, std::int64_t memory, std::vector<std::string> classes) {
  auto eval = std::make_shared<model::Evaluation>();
  eval->id = job;
  eval->namespace_ = "default";
  eval->job_id = job;
  model::AllocMetric metric;
  metric.node_pool = "default";
  metric.nodes_available["dc1"] = 3;
  metric.resources_exhausted["t"].cpu = cpu;
  metric.resources_exhausted["t"].memory_mb = memory;
  for (const std::string& name : classes) metric.class_exhausted[name] = 1;
  eval->failed_tg_allocs["g"] = std::move(metric);
  return eval;
}

}  // namespace

TEST_CASE("gauges: what blocked evaluations lack, by job and by class") {
  ManualClock clock(start);
  metrics::Registry registry(clock);
  publish_blocked(metrics::Meter(&registry), {blocked_eval("a", 100, 64, {"big"}), blocked_eval("b", 20, 8, {"big", "small"})});
  const Json job_a{{"namespace", "default"}, {"job", "a"}}, job_b{{"namespace", "default"}, {"job", "b"}};
  const Json big{{"datacenter", "dc1"}, {"node_class", "big"}, {"node_pool", "default"}};
  const Json small{{"datacenter", "dc1"}, {"node_class", "small"}, {"node_pool", "default"}};
  const Json expected = Json::array({
      {"nomad.nomad.blocked_evals.cpu", 120, big}, {"nomad.nomad.blocked_evals.cpu", 20, small},
      {"nomad.nomad.blocked_evals.job.cpu", 100, job_a}, {"nomad.nomad.blocked_evals.job.cpu", 20, job_b},
      {"nomad.nomad.blocked_evals.job.memory", 64, job_a}, {"nomad.nomad.blocked_evals.job.memory", 8, job_b},
      {"nomad.nomad.blocked_evals.memory", 72, big}, {"nomad.nomad.blocked_evals.memory", 8, small}});
  CHECK(gauges(registry) == expected);
}

TEST_CASE("gauges: children's summaries name their parent") {
  model::JobSummary summary;
  summary.namespace_ = "default";
  summary.job_id = "import/dispatch-1700000000-abcdef01";
  CHECK(summary_labels(summary, "g") == metrics::Labels{{"job", summary.job_id}, {"task_group", "g"}, {"namespace", "default"},
                                                       {"parent_id", "import"}, {"dispatch_id", "1700000000-abcdef01"}});
  summary.job_id = "nightly/periodic-1700000000";
  CHECK(summary_labels(summary, "g").back() == std::pair<std::string, std::string>{"periodic_id", "1700000000"});
  summary.job_id = "plain";
  CHECK(summary_labels(summary, "g").size() == 3);
}

TEST_CASE("gauges: calls have the names that dashboards know") {
  using rpc::CallMetrics;
  CHECK(CallMetrics::timer_name("Job.GetJobVersions") == "nomad.job.get_job_versions");
  CHECK(CallMetrics::timer_name("Node.UpdateAlloc") == "nomad.client.update_alloc");
  CHECK(CallMetrics::timer_name("NodePool.UpsertNodePools") == "nomad.node_pool.upsert_node_pools");
  CHECK(CallMetrics::timer_name("Namespace.ListNamespaces") == "nomad.namespace.list_namespace");
  CHECK(CallMetrics::timer_name("Status.Leader").empty());
  CHECK(CallMetrics::counter_name("NodePool.List", wire::CallKind::list) == "nomad.rpc.node_pool.list");
  CHECK(CallMetrics::counter_name("Search.PrefixSearch", wire::CallKind::read) == "nomad.rpc.search.list");
}

TEST_CASE("gauges: calls are counted by what they do") {
  CHECK(wire::call_kind<model::JobRegisterRequest, model::JobRegisterResponse>() == wire::CallKind::write);
  CHECK(wire::call_kind<model::ListRequest, model::ListReply<model::JobListStub>>() == wire::CallKind::list);
  CHECK(wire::call_kind<model::ObjectRequest, model::ObjectReply<model::Job>>() == wire::CallKind::read);
  ManualClock clock(start);
  metrics::Registry registry(clock);
  rpc::CallMetrics calls{metrics::Meter(&registry)};
  calls.note("Job.Register", wire::CallKind::write, clock.monotonic() - std::chrono::milliseconds(5), false);
  const Json summary = Json::parse(registry.summary_json());
  Json counted;
  for (const auto& counter : summary["Counters"]) counted[counter["Name"].get<std::string>()] = counter["Sum"];
  CHECK(counted == Json{{"nomad.nomad.rpc.job.write", 1}, {"nomad.nomad.rpc.request", 1}, {"nomad.nomad.rpc.request_error", 1}});
  CHECK(summary["Samples"][0]["Name"] == "nomad.nomad.job.register");
  CHECK(summary["Samples"][0]["Sum"] == 5);
}
