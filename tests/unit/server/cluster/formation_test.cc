#include "server/cluster/formation.h"

#include <doctest/doctest.h>

using namespace drover;
using namespace drover::cluster;

namespace {
model::ServerInfo fresh(std::string id, std::int64_t expect = 3) {
  model::ServerInfo out;
  out.node_id = id;
  out.name = "s" + id;
  out.address = "10.0.0." + id + ":4647";
  out.region = "global";
  out.expect = expect;
  return out;
}
model::ServerInfo settled(std::string id, std::string cluster, std::string leader = "") {
  auto out = fresh(std::move(id));
  out.cluster_id = std::move(cluster);
  out.leader_address = std::move(leader);
  return out;
}
}  // namespace

TEST_CASE("formation: fewer servers than expected wait") {
  CHECK(std::holds_alternative<Wait>(next_step(fresh("1"), {})));
  CHECK(std::holds_alternative<Wait>(next_step(fresh("1"), {fresh("2")})));
  // The same server seen twice is one.
  CHECK(std::holds_alternative<Wait>(next_step(fresh("1"), {fresh("2"), fresh("2")})));
}

TEST_CASE("formation: the first of the expected servers begins, the others wait for it") {
  const Step first = next_step(fresh("1"), {fresh("3"), fresh("2")});
  REQUIRE(std::holds_alternative<Begin>(first));
  const auto& members = std::get<Begin>(first).members;
  REQUIRE(members.size() == 3);
  CHECK(members[0].node_id == "1");
  CHECK(members[2].node_id == "3");
  CHECK(std::holds_alternative<Wait>(next_step(fresh("2"), {fresh("1"), fresh("3")})));
  CHECK(std::holds_alternative<Wait>(next_step(fresh("3"), {fresh("1"), fresh("2")})));
  // A fourth is none of them: all four agree on which three.
  CHECK(std::get<Begin>(next_step(fresh("1"), {fresh("4"), fresh("3"), fresh("2")})).members == members);
  CHECK(std::holds_alternative<Wait>(next_step(fresh("4"), {fresh("1"), fresh("3"), fresh("2")})));
}

TEST_CASE("formation: servers of another region, another expectation or without a vote do not count") {
  auto far = fresh("2");
  far.region = "mars";
  auto silent = fresh("3");
  silent.non_voter = true;
  CHECK(std::holds_alternative<Wait>(next_step(fresh("1"), {far, fresh("4"), silent})));
  CHECK(std::holds_alternative<Wait>(next_step(fresh("1"), {fresh("2", 5), fresh("3")})));
  CHECK(std::holds_alternative<Wait>(next_step(fresh("1", 0), {fresh("2", 0), fresh("3", 0)})));
}

TEST_CASE("formation: a cluster that exists is joined, by its leader where one is known") {
  CHECK(std::get<Join>(next_step(fresh("1"), {fresh("2"), settled("3", "c")})).address == "10.0.0.3:4647");
  CHECK(std::get<Join>(next_step(fresh("1"), {settled("3", "c", "10.0.0.9:4647")})).address == "10.0.0.9:4647");
  CHECK(std::get<Join>(next_step(fresh("1", 0), {settled("3", "c")})).address == "10.0.0.3:4647");
}
