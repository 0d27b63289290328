#include <doctest/doctest.h>

#include <cstdlib>
#include <ctime>

#include "cli/alloc_table.h"
#include "cli/deployment_view.h"
#include "cli/ui.h"

using namespace drover;
using namespace drover::cli;

namespace {
constexpr std::int64_t second = 1'000'000'000;
}

TEST_CASE("table: two blanks between columns, no trailing ones, an empty cell shows <none>") {
  CHECK(format_table({{"ID", "Name"}, {"1", ""}, {"longer", "x"}}) == "ID      Name\n1       <none>\nlonger  x");
  CHECK(format_table({{"ID", "Name"}, {"1", ""}}, true) == "ID  Name\n1");
  CHECK(format_table({{"é", "b"}, {"aa", "c"}}) == "é   b\naa  c");
}

TEST_CASE("pairs: keys padded, an empty value shows <none>") {
  CHECK(format_pairs({{"ID", "web"}, {"Node Pool", ""}}) == "ID        = web\nNode Pool = <none>");
}

TEST_CASE("relative times have at most two units") {
  const std::int64_t now = 1'700'000'000 * second;
  const auto ago = [&](std::int64_t seconds) { return relative_time(now - seconds * second, now); };
  CHECK(ago(0) == "0s ago");
  CHECK(ago(5) == "5s ago");
  CHECK(ago(63) == "1m3s ago");
  CHECK(ago(60) == "1m ago");
  CHECK(ago(2 * 3600 + 5 * 60 + 9) == "2h5m ago");
  CHECK(ago(3 * 86'400 + 4 * 3600) == "3d4h ago");
  CHECK(ago(32 * 86'400) == "1mo2d ago");
  CHECK(ago(-300) == "5m from now");
  CHECK(relative_time(0, now).empty());
}

TEST_CASE("times are RFC 3339 without fraction in the local zone") {
  ::setenv("TZ", "Etc/GMT-2", 1);
  ::tzset();
  CHECK(format_time(1'700'000'000 * second + 5) == "2023-11-15T00:13:20+02:00");
  ::setenv("TZ", "UTC", 1);
  ::tzset();
  CHECK(format_time(1'700'000'000 * second) == "2023-11-14T22:13:20Z");
  CHECK(format_time(0).empty());
}

TEST_CASE("byte sizes are IEC with two digits or fewer") {
  CHECK(format_bytes(0) == "0 B");
  CHECK(format_bytes(1023) == "1023 B");
  CHECK(format_bytes(1536) == "1.5 KiB");
  CHECK(format_bytes(256ull << 20) == "256 MiB");
}

TEST_CASE("ids are cut to eight characters unless verbose") {
  CHECK(short_id("8a0c24d9-fbfc-a95b", false) == "8a0c24d9");
  CHECK(short_id("8a0c24d9-fbfc-a95b", true) == "8a0c24d9-fbfc-a95b");
  CHECK(short_id("", false).empty());
}

TEST_CASE("pretty JSON has four blanks and keeps < > &; other text stays") {
  CHECK(pretty_json("{\"b\":[1,{}],\"a\":\"<&>\"}") == "{\n    \"b\": [\n        1,\n        {}\n    ],\n    \"a\": \"<&>\"\n}");
  CHECK(pretty_json("no json") == "no json");
}

TEST_CASE("placement metrics name every reason in a line of its own") {
  model::AllocMetric metrics;
  CHECK(placement_metrics(metrics, "") == "* No nodes were eligible for evaluation");
  metrics.nodes_evaluated = 3;
  metrics.class_filtered["golden"] = 1;
  metrics.constraint_filtered["${meta.rack} = r9"] = 1;
  metrics.nodes_exhausted = 2;
  metrics.dimension_exhausted["memory"] = 2;
  CHECK(placement_metrics(metrics, "  ") ==
        "  * Class \"golden\": 1 nodes excluded by filter\n  * Constraint \"${meta.rack} = r9\": 1 nodes excluded by filter\n"
        "  * Resources exhausted on 2 nodes\n  * Dimension \"memory\" exhausted on 2 nodes");
  CHECK(failed_group_heading("g", metrics) == "Task Group \"g\" (failed to place 1 allocation):");
  metrics.coalesced_failures = 2;
  CHECK(failed_group_heading("g", metrics) == "Task Group \"g\" (failed to place 3 allocations):");
}

TEST_CASE("deployment: columns appear when a group uses them") {
  model::Deployment deployment;
  deployment.id = "3cea1a5c-0000";
  deployment.job_id = "web";
  deployment.status = "running";
  deployment.task_groups["g"].desired_total = 2;
  CHECK(deployment_block(deployment, false, "", false) ==
        "ID          = 3cea1a5c\nStatus      = running\nDescription = <none>\n\nDeployed\nTask Group  Desired  Placed  Healthy  Unhealthy\ng           2        0       0        0");
  deployment.task_groups["c"].desired_canaries = 1;
  CHECK(deployment_block(deployment, false, "", false).find("Task Group  Promoted  Desired  Canaries") != std::string::npos);
  CHECK(deployment_block(deployment, false, "    ", false).starts_with("    ID "));
}
