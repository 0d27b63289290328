#include <doctest/doctest.h>

#include "agent/alloc/client_status.h"
#include "agent/alloc/health.h"

using namespace drover;
using namespace drover::agent;

namespace {

constexpr UnixNanos second = 1'000'000'000;

model::TaskState state(const std::string& name, bool failed = false, UnixNanos started = 0) {
  model::TaskState out;
  out.state = name;
  out.failed = failed;
  if (started != 0) out.started_at = model::Time(started);
  return out;
}
model::Map<model::TaskState> states(std::vector<std::pair<std::string, model::TaskState>> from) {
  model::Map<model::TaskState> out;
  out.allocate();
  for (auto& [name, one] : from) out[name] = std::move(one);
  return out;
}

}  // namespace

TEST_CASE("client status: the worst of the tasks, in the words of the API") {
  CHECK(client_status({}).status == "pending");
  CHECK(client_status(states({{"a", state("pending")}})).description == "No tasks have started");
  CHECK(client_status(states({{"a", state("pending")}, {"b", state("running")}})).status == "running");
  CHECK(client_status(states({{"a", state("dead")}, {"b", state("running")}})).status == "running");
  CHECK(client_status(states({{"a", state("dead", true)}, {"b", state("running")}})).status == "failed");
  CHECK(client_status(states({{"a", state("dead")}, {"b", state("dead")}})).description == "All tasks have completed");
  CHECK(client_status(states({{"a", state("dead")}, {"b", state("pending")}})).status == "pending");
  CHECK(is_terminal_client_status("lost"));
  CHECK_FALSE(is_terminal_client_status("running"));
}

TEST_CASE("health: every task up for the minimum time, within the deadline") {
  model::TaskGroup group;
  group.tasks.resize(1);
  group.tasks[0].name = "a";
  model::UpdateStrategy update;
  update.min_healthy_time = std::chrono::seconds(10);
  update.healthy_deadline = std::chrono::seconds(60);
  group.update.ensure() = update;
  const auto at = [&](const model::TaskState& one, UnixNanos now) { return health_of(group, *health_rules(group, true, "service"), states({{"a", one}}), 100 * second, now * second); };

  CHECK(at(state("pending"), 110).healthy == std::nullopt);
  CHECK(at(state("pending"), 110).again_at == 160 * second);
  CHECK(at(state("pending"), 160).healthy == false);
  CHECK(at(state("running", false, 120 * second), 125).again_at == 130 * second);
  CHECK(at(state("running", false, 120 * second), 130).healthy == true);
  CHECK(at(state("dead"), 110).healthy == false);
  CHECK(at(state("running", true), 110).healthy == false);
  SUBCASE("a restart begins the time again") {
    auto restarted = state("running", false, 120 * second);
    restarted.last_restart = model::Time(128 * second);
    CHECK(at(restarted, 130).healthy == std::nullopt);
    CHECK(at(restarted, 138).healthy == true);
  }
  SUBCASE("a task that is meant to end may have ended") {
    model::TaskLifecycleConfig lifecycle;
    lifecycle.hook = "prestart";
    group.tasks[0].lifecycle.ensure() = lifecycle;
    CHECK(at(state("dead"), 110).healthy == true);
  }
}

TEST_CASE("health: by the rules of the deployment, else of migration, and only where somebody waits for it") {
  model::TaskGroup group;
  CHECK(health_rules(group, false, "service")->minimum == std::chrono::seconds(10));
  CHECK(health_rules(group, false, "service")->deadline == std::chrono::minutes(5));
  group.update.ensure().min_healthy_time = std::chrono::seconds(1);
  group.migrate.ensure().min_healthy_time = std::chrono::seconds(2);
  CHECK(health_rules(group, true, "service")->minimum == std::chrono::seconds(1));
  CHECK(health_rules(group, true, "system")->minimum == std::chrono::seconds(1));
  CHECK(health_rules(group, false, "service")->minimum == std::chrono::seconds(2));
  CHECK_FALSE(health_rules(group, false, "system"));
  CHECK_FALSE(health_rules(group, false, "batch"));
  group.update->health_check = "manual";
  CHECK_FALSE(health_rules(group, true, "service"));
}
