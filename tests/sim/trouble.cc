// What happens to the world: clients ask, servers crash, links break, clocks jump, members change.
#include <fmt/format.h>

#include <algorithm>

#include "tests/sim/server.h"

namespace drover::sim {
namespace {
// Each register is used for a while only: a history that is too long to search proves nothing.
constexpr std::uint64_t operations_a_key = 30;
}  // namespace

void World::client_step() {
  // The last seconds are for the servers to agree.
  if (now_ > options_.duration_ms * 1000 + 15'000'000) return;
  after(2'000 + rng_.below(25'000), [this] { client_step(); });
  std::vector<Server*> ready;
  for (auto& server : servers_) {
    if (server->ready()) ready.push_back(server.get());
  }
  // More than one may think so; clients of the one that is wrong must not notice.
  if (ready.empty()) return;
  Server& server = *ready[rng_.below(ready.size())];
  const std::uint64_t clock = clock_ms(server);
  Operation operation;
  operation.key = fmt::format("r{}-{}", operations_.size() / (3 * operations_a_key), rng_.below(3));
  operation.asked = now_;
  operation.value = next_value_++;
  const std::uint64_t kind = options_.server_state ? 0 : rng_.below(3);
  std::string entry;
  if (kind == 2) {
    operation.kind = Operation::Kind::read;
    const std::uint64_t index = server.replica->commit_index();
    const auto round = server.replica->begin_round(clock);
    if (!round) return;
    operations_.push_back(std::move(operation));
    server.rounds.push_back({.operation = operations_.size() - 1, .number = *round, .index = index});
    drain(server);
    return;
  }
  if (options_.server_state) {
    entry = random_entry(rng_);
  } else if (kind == 0) {
    operation.kind = Operation::Kind::write;
    entry = Registers::write(operation.key, operation.value);
  } else {
    operation.kind = Operation::Kind::swap;
    operation.expected = static_cast<Registers&>(*server.machine).read(operation.key);
    entry = Registers::swap(operation.key, operation.expected, operation.value);
  }
  const auto index = server.replica->submit(EntryType::command, {std::move(entry)}, clock);
  if (!index) return;
  if (!options_.server_state) {
    operations_.push_back(std::move(operation));
    server.asked[*index] = {.operation = operations_.size() - 1, .term = server.replica->term()};
  }
  drain(server);
}

void World::settle_rounds(Server& server) {
  if (server.rounds.empty()) return;
  const std::uint64_t verified = server.replica->verified_round();
  std::erase_if(server.rounds, [&](const Server::Round& round) {
    if (round.number > verified || round.index > server.replica->applied_index()) return false;
    Operation& operation = operations_[round.operation];
    operation.value = static_cast<Registers&>(*server.machine).read(operation.key);
    operation.answered = now_;
    return true;
  });
}

void World::change_members() {
  Server* leading = leader();
  if (leading == nullptr || !leading->ready() || !leading->replica->can_change_members()) return;
  auto members = leading->replica->members();
  const auto voters = static_cast<std::size_t>(std::ranges::count(members, MemberRole::voter, &Member::role));
  Server& server = pick();
  const auto at = std::ranges::find(members, server.id, &Member::id);
  if (at == members.end()) {
    members.push_back({.id = server.id, .address = fmt::format("server-{}", server.id), .role = MemberRole::standby});
  } else if (at->role == MemberRole::standby) {
    if (leading->replica->match_index(server.id) + 20 < leading->replica->commit_index()) return;
    at->role = MemberRole::voter;
  } else {
    // As Cluster::remove: a leader that is to go hands the leadership over first.
    if (voters <= 2 || server.id == leading->id) return;
    members.erase(at);
  }
  const auto encoded = encode_members(members);
  if (!encoded) return fail(encoded.error().message());
  const auto done = leading->replica->submit(EntryType::change, {*encoded}, clock_ms(*leading));
  if (!done) return;
  ++summary_.changes;
  trace(fmt::format("server {} changes the members: server {}, {} of them", leading->id, server.id, members.size()));
  drain(*leading);
}

void World::trouble_step() {
  if (calm_) return;
  after(30'000 + rng_.below(600'000), [this] { trouble_step(); });
  Server& server = pick();
  switch (rng_.below(15)) {
    case 0:
    case 1:
      crash(server);
      break;
    case 2:
    case 3:
    case 4:
      if (!server.replica) start(server);
      break;
    case 5: {
      // One way or both ways, from one server to some of the others.
      const bool both = rng_.below(2) == 0;
      for (auto& other : servers_) {
        if (other->id == server.id || rng_.below(3) == 0) continue;
        cut_.insert({server.id, other->id});
        if (both) cut_.insert({other->id, server.id});
      }
      trace(fmt::format("server {} is cut off {}", server.id, both ? "both ways" : "one way"));
      break;
    }
    case 6:
    case 7:
      cut_.clear();
      break;
    case 8:
      loss_percent_ = rng_.below(3) == 0 ? rng_.below(30) : 0;
      late_percent_ = rng_.below(2) == 0 ? rng_.below(20) : 0;
      repeat_percent_ = rng_.below(2) == 0 ? rng_.below(20) : 0;
      break;
    case 9:
    case 10:
      take_snapshot(server);
      break;
    case 11:
      change_members();
      break;
    case 12:
      if (server.replica && server.replica->is_leader()) {
        (void)server.replica->transfer(0, clock_ms(server));
        drain(server);
      } else {
        server.slow_disk = !server.slow_disk;
      }
      break;
    case 13:
      // Some hear that the leader's process has ended, whether it has or not.
      for (auto& other : servers_) {
        if (!other->replica || rng_.below(3) == 0) continue;
        other->replica->leader_lost(other->replica->leader().id, rng_.below(100), clock_ms(*other));
        drain(*other);
      }
      break;
    default:
      // A machine that was suspended.
      server.offset_ms += rng_.below(4000);
      if (server.replica) {
        server.armed_ms = 0;
        arm(server);
      }
      break;
  }
}

void World::heal() {
  calm_ = true;
  trace("everything is healed");
  cut_.clear();
  loss_percent_ = late_percent_ = repeat_percent_ = 0;
  for (auto& server : servers_) {
    server->slow_disk = false;
    if (!server->replica) start(*server);
  }
}

}  // namespace drover::sim
