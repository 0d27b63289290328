#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "lib/metrics/metrics.h"

using namespace drover;
using namespace drover::metrics;
using namespace std::chrono_literals;
using Json = nlohmann::json;

namespace {
constexpr UnixNanos start = 1'700'000'003'000'000'000;
}

TEST_CASE("metrics: the summary shows the last finished interval, the current one in the first") {
  ManualClock clock(start);
  Registry registry(clock);
  registry.set_gauge("client.uptime", 1.5, {{"node_id", "n1"}});
  registry.add_counter("client.allocs.start");
  registry.add_counter("client.allocs.start", 3);
  registry.add_sample("rpc.query", 2);
  registry.add_sample("rpc.query", 4);
  const auto first = Json::parse(registry.summary_json());
  CHECK(first["Timestamp"] == "2023-11-14 22:13:20 +0000 UTC");
  CHECK(first["Points"] == Json::array());
  CHECK(first["Gauges"][0] == Json::parse(R"({"Name":"nomad.client.uptime","Value":1.5,"Labels":{"node_id":"n1"}})"));
  CHECK(first["Counters"][0] == Json::parse(R"({"Name":"nomad.client.allocs.start","Count":2,"Rate":0.4,"Sum":4,"Min":1,"Max":3,
    "Mean":2,"Stddev":1.4142135623730951,"Labels":{}})"));
  CHECK(first["Samples"][0]["Mean"] == 3);
  clock.advance(10s);
  registry.add_counter("client.allocs.start", 5);
  CHECK(Json::parse(registry.summary_json())["Counters"][0]["Sum"] == 4);
  clock.advance(10s);
  CHECK(Json::parse(registry.summary_json())["Counters"][0]["Sum"] == 5);
  clock.advance(10s);
  CHECK(Json::parse(registry.summary_json())["Counters"] == Json::array());
}

TEST_CASE("metrics: Prometheus text accumulates") {
  ManualClock clock(start);
  Registry registry(clock, {.host = "h1"});
  registry.set_gauge("client.uptime", 7);
  registry.add_counter("client.allocs.start", 1, {{"job", "a\"b"}});
  clock.advance(10s);
  registry.add_counter("client.allocs.start", 2, {{"job", "a\"b"}});
  for (int i = 1; i <= 100; ++i) registry.add_sample("rpc.query-time", i);
  const auto text = registry.prometheus_text();
  CAPTURE(text);
  CHECK(text.find("# HELP nomad_client_uptime nomad_client_uptime\n# TYPE nomad_client_uptime gauge\n") != std::string::npos);
  CHECK(text.find("nomad_client_allocs_start{job=\"a\\\"b\",host=\"h1\"} 3\n") != std::string::npos);
  CHECK(text.find("nomad_rpc_query_time_count{host=\"h1\"} 100\n") != std::string::npos);
  CHECK(text.find("nomad_rpc_query_time{host=\"h1\",quantile=\"0.9\"} 90\n") != std::string::npos);
  registry.forget("client.uptime");
  CHECK(registry.prometheus_text().find("client_uptime") == std::string::npos);
}

TEST_CASE("metrics: filter, limit, expiry and sinks") {
  ManualClock clock(start);
  Registry registry(clock, {.prefix_filter = {"-nomad.raft", "+nomad.raft.apply"}, .expiry = 60s, .max_series = 2});
  std::string told;
  registry.add_sink([&](char kind, std::string_view name, double, const Labels&) { told += std::string(1, kind) + std::string(name) + " "; });
  registry.add_counter("raft.commit");
  registry.add_counter("raft.apply");
  registry.set_gauge("a", 1);
  registry.set_gauge("b", 1);
  CHECK(told == "cnomad.raft.apply gnomad.a ");
  CHECK(registry.prometheus_text().find("nomad_metrics_dropped 1") != std::string::npos);
  clock.advance(61s);
  CHECK(registry.prometheus_text().find("nomad_a") == std::string::npos);
}
