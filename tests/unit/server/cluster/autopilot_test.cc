#include "server/cluster/autopilot.h"

#include <doctest/doctest.h>

using namespace drover;
using namespace drover::cluster;

namespace {
constexpr std::int64_t second = 1'000'000'000;

Answer answer(std::string id, bool voter, bool alive = true, std::uint64_t last_index = 1000, std::chrono::milliseconds contact = std::chrono::milliseconds(50)) {
  Answer out{.member = {.id = 1, .address = "a-" + id, .role = voter ? MemberRole::voter : MemberRole::standby, .node_id = id, .name = id}};
  if (alive) {
    out.info = model::ServerInfo{};
    out.info->node_id = id;
    out.info->term = 7;
    out.info->last_index = last_index;
    out.info->last_contact = contact;
  }
  return out;
}
const LeaderView leader{.node_id = "a", .term = 7, .last_index = 1000};
const model::AutopilotConfiguration config = model::AutopilotConfiguration::standard();
}  // namespace

TEST_CASE("autopilot: health is contact, term and log") {
  Autopilot autopilot;
  auto health = autopilot.judge(config, {answer("a", true), answer("b", true), answer("c", true)}, leader, second);
  CHECK(health.healthy);
  CHECK(health.failure_tolerance == 1);
  CHECK(health.servers[0].leader);
  health = autopilot.judge(config, {answer("a", true), answer("b", true, true, 700), answer("c", true)}, leader, second);
  CHECK(!health.healthy);
  CHECK(!health.servers[1].healthy);
  CHECK(health.failure_tolerance == 0);
  health = autopilot.judge(config, {answer("a", true), answer("b", true, true, 1000, std::chrono::milliseconds(300)), answer("c", true, false)}, leader, second);
  CHECK(!health.servers[1].healthy);
  CHECK(health.servers[2].serf_status == "failed");
}

TEST_CASE("autopilot: a server votes once it has been well for the stabilisation time") {
  Autopilot autopilot;
  const auto judge = [&](bool current, std::int64_t at) {
    (void)autopilot.judge(config, {answer("a", true), answer("b", false, true, current ? 1000 : 10)}, leader, at);
    return autopilot.advise(config, at);
  };
  CHECK(judge(false, 1 * second).kind == Advice::Kind::nothing);
  CHECK(judge(true, 2 * second).kind == Advice::Kind::nothing);
  CHECK(judge(true, 11 * second).kind == Advice::Kind::nothing);
  // It fell behind in between: the time begins again.
  CHECK(judge(false, 11 * second + 1).kind == Advice::Kind::nothing);
  CHECK(judge(true, 12 * second).kind == Advice::Kind::nothing);
  const Advice advice = judge(true, 22 * second);
  CHECK(advice.kind == Advice::Kind::promote);
  CHECK(advice.node_id == "b");
}

TEST_CASE("autopilot: a server that does not want to vote is left as it is") {
  Autopilot autopilot;
  auto reader = answer("b", false);
  reader.info->non_voter = true;
  (void)autopilot.judge(config, {answer("a", true), reader}, leader, second);
  (void)autopilot.judge(config, {answer("a", true), reader}, leader, 100 * second);
  CHECK(autopilot.advise(config, 100 * second).kind == Advice::Kind::nothing);
}

TEST_CASE("autopilot: a dead server goes when the others are a majority without it") {
  Autopilot autopilot;
  const auto advise = [&](std::vector<Answer> answers, const model::AutopilotConfiguration& with, std::int64_t at) {
    (void)autopilot.judge(with, answers, leader, at);
    return autopilot.advise(with, at);
  };
  const std::vector<Answer> one_dead{answer("a", true), answer("b", true), answer("c", true, false)};
  CHECK(advise(one_dead, config, second).kind == Advice::Kind::nothing);
  CHECK(advise(one_dead, config, 100 * second).kind == Advice::Kind::nothing);
  const Advice advice = advise(one_dead, config, 101 * second);
  CHECK(advice.kind == Advice::Kind::remove);
  CHECK(advice.node_id == "c");
  auto careful = config;
  careful.min_quorum = 3;
  CHECK(advise(one_dead, careful, 102 * second).kind == Advice::Kind::nothing);
  auto off = config;
  off.cleanup_dead_servers = false;
  CHECK(advise(one_dead, off, 103 * second).kind == Advice::Kind::nothing);
}

TEST_CASE("autopilot: a minority never takes the majority out") {
  Autopilot autopilot;
  const std::vector<Answer> two_dead{answer("a", true), answer("b", true, false), answer("c", true, false)};
  (void)autopilot.judge(config, two_dead, leader, second);
  (void)autopilot.judge(config, two_dead, leader, 1000 * second);
  CHECK(autopilot.advise(config, 1000 * second).kind == Advice::Kind::nothing);
}
