// How a server finds its cluster, and how the leader changes who belongs to it.
#include <algorithm>

#include "sdk/base/fail_point.h"
#include "sdk/base/text.h"
#include "sdk/base/uuid.h"
#include "server/cluster/cluster.h"
#include "server/cluster/formation.h"
#include "server/cluster/identity.h"

namespace drover::cluster {
namespace {
constexpr std::chrono::seconds ask_limit{2};
constexpr std::chrono::milliseconds first_pause{100};
// A server that hears no leader for so long asks the others whether it still belongs to them.
constexpr std::chrono::seconds lonely_after{3};

Member to_member(const model::ClusterMember& member, MemberRole role) {
  return {.id = member_id(member.node_id), .address = member.address, .role = role, .node_id = member.node_id, .name = member.name};
}
}  // namespace

Result<> Cluster::adopt(const std::string& cluster_id) {
  if (cluster_id_ == cluster_id) return {};
  if (!cluster_id_.empty()) {
    return fail(Code::conflict, "server \"{}\" belongs to another cluster ({} here, {} there): empty the data directory of the one that is to join the other",
                options_.name, cluster_id_, cluster_id);
  }
  DROVER_TRY(store_cluster_id(options_.data_dir, cluster_id));
  cluster_id_ = cluster_id;
  transport_.set_cluster_id(cluster_id);
  return {};
}

void Cluster::start(std::function<void(Error)> failed) { scope_.spawn(look_for_servers(std::move(failed))); }

bool Cluster::needs_others() const {
  if (cluster_id_.empty() || raft_->empty()) return true;
  if (ready_) return false;
  const auto contact = raft_->last_contact();
  return !contact || *contact > lonely_after;
}

std::vector<std::string> Cluster::addresses_to_ask() const {
  std::vector<std::string> out = options_.join;
  for (const auto& member : raft_->members()) out.push_back(member.address);
  for (const auto& member : handed_out_) out.push_back(member.address);
  for (const auto& [id, other] : seen_) {
    out.push_back(other.address);
    out.insert(out.end(), other.known.begin(), other.known.end());
  }
  std::ranges::sort(out);
  out.erase(std::ranges::unique(out).begin(), out.end());
  std::erase(out, options_.address);
  return out;
}

Async<> Cluster::look_for_servers(std::function<void(Error)> failed) {
  std::chrono::nanoseconds pause = first_pause;
  std::int64_t in_vain = 0;
  for (;;) {
    if (!needs_others()) {
      handed_out_.clear();
      pause = first_pause;
      in_vain = 0;
      co_await sleep_for(std::chrono::seconds(1));
      continue;
    }
    const bool answered = co_await look_once();
    // The first rounds follow each other quickly: servers of one cluster are often started together.
    if (pause >= options_.retry_interval && !answered && ++in_vain >= options_.retry_max && options_.retry_max > 0) {
      if (failed) failed(Error(Code::unavailable, fmt::format("no server of {} answered in {} rounds", drover::join(options_.join, ", "), in_vain)));
      co_return;
    }
    const auto slowest = answered || cluster_id_.empty() == false ? std::min<std::chrono::nanoseconds>(std::chrono::seconds(1), options_.retry_interval)
                                                                  : options_.retry_interval;
    pause = std::min(pause * 2, slowest);
    co_await sleep_for(pause);
  }
}

Async<bool> Cluster::look_once() {
  std::vector<model::ServerInfo> answers;
  const auto addresses = addresses_to_ask();
  for (const std::string& address : addresses) {
    auto reply = co_await ask(address, ask_limit);
    if (reply) answers.push_back(std::move(*reply));
  }
  log_.debug("looked for other servers", "asked", addresses.size(), "answered", answers.size());
  if (!needs_others()) co_return !answers.empty();
  if (!cluster_id_.empty() && !raft_->empty()) {
    // Those of ours who never got the first configuration cannot vote. This server may have been restarted since it took it.
    if (handed_out_.empty() && raft_->last_index() == 1) {
      for (const auto& member : raft_->latest_members()) {
        handed_out_.push_back({.node_id = member.node_id, .name = member.name, .address = member.address, .voter = true});
      }
    }
    co_await hand_out_configuration();
    // A server that was removed, or has another address than the others know, is not spoken to by the leader.
    for (const auto& other : answers) {
      if (other.cluster_id != cluster_id_ || other.leader_address.empty()) continue;
      const auto own = std::ranges::find(other.members, options_.node_id, &model::ClusterMember::node_id);
      if (own != other.members.end() && own->address == options_.address) continue;
      const auto joined = co_await ask_to_join(other.leader_address);
      if (!joined) log_.warn("joining the cluster again failed", "server", other.leader_address, "error", joined.error());
      break;
    }
    co_return !answers.empty();
  }
  const Step step = next_step(info(), answers);
  if (const auto* start = std::get_if<Begin>(&step)) {
    const auto begun = co_await begin(start->members);
    if (!begun) log_.error("beginning the cluster failed", "error", begun.error());
  } else if (const auto* other = std::get_if<Join>(&step)) {
    const auto joined = co_await ask_to_join(other->address);
    if (!joined) log_.warn("joining the cluster failed", "server", other->address, "error", joined.error());
  } else {
    log_.info("waiting for other servers", "reason", std::get<Wait>(step).why);
  }
  co_return !answers.empty();
}

// --- the first configuration

// This server takes it first: what it hands out afterwards is then the only one that it can ever have chosen.
Async<Result<>> Cluster::begin(std::vector<model::ClusterMember> members) {
  model::ClusterBootstrapRequest request{.cluster_id = cluster_id_.empty() ? make_uuid() : cluster_id_};
  for (const auto& member : members) request.members.push_back(member);
  auto own = co_await bootstrap(std::move(request));
  if (!own) co_return own;
  fail_point("cluster.begun");
  log_.info("the cluster begins", "cluster", cluster_id_, "servers", members.size());
  co_await hand_out_configuration();
  co_return own;
}

Async<> Cluster::hand_out_configuration() {
  const auto members = handed_out_;
  for (const auto& member : members) {
    if (member.node_id == options_.node_id) continue;
    model::ClusterBootstrapRequest request{.cluster_id = cluster_id_};
    for (const auto& one : members) request.members.push_back(one);
    const auto done = co_await caller(member.address).call(wire::endpoints::cluster_bootstrap, std::move(request), ask_limit);
    if (!done) log_.warn("server did not take the first configuration", "server", member.name, "address", member.address, "error", done.error());
  }
}

Async<Result<>> Cluster::bootstrap(model::ClusterBootstrapRequest request) {
  const bool fresh = raft_->empty();
  if (!fresh && request.cluster_id == cluster_id_) co_return Result<>{};
  DROVER_CO_TRY(adopt(request.cluster_id));
  if (!fresh) co_return fail(Code::conflict, "server \"{}\" has data already", options_.name);
  std::vector<Member> members;
  for (const auto& member : request.members) members.push_back(to_member(member, MemberRole::voter));
  auto done = co_await raft_->bootstrap(std::move(members));
  if (done) handed_out_.assign(request.members.begin(), request.members.end());
  co_return done;
}

// --- joining

Async<Result<>> Cluster::ask_to_join(std::string address) {
  model::ServerJoinRequest request{.region = options_.region, .cluster_id = cluster_id_, .server = member_of(info())};
  auto reply = co_await caller(address).call(wire::endpoints::server_join, std::move(request), std::chrono::seconds(10));
  if (!reply) co_return fail(reply.error());
  log_.info("joined a cluster", "server", address, "cluster", reply->cluster_id);
  co_return adopt(reply->cluster_id);
}

Async<Result<>> Cluster::join(std::string address) {
  auto other = co_await ask(address, ask_limit);
  if (!other) co_return fail(other.error());
  if (other->region != options_.region) {
    co_return fail(Code::invalid_argument, "server \"{}\" is of region {}, this one of {}", other->name, other->region, options_.region);
  }
  if (!other->cluster_id.empty() && other->cluster_id == cluster_id_) co_return Result<>{};
  if (other->cluster_id.empty()) {
    // It takes us into account, and learns of us from our question; when we belong to a cluster our leader takes it in.
    if (cluster_id_.empty()) co_return Result<>{};
    model::ServerJoinRequest request{.region = other->region, .cluster_id = other->cluster_id, .server = member_of(*other)};
    if (ready_) {
      auto added = co_await add(std::move(request));
      if (!added) co_return fail(added.error());
      co_return Result<>{};
    }
    const std::string leading = leader();
    if (leading.empty()) co_return fail(Code::no_leader, "No cluster leader");
    auto reply = co_await caller(leading).call(wire::endpoints::server_join, std::move(request), std::chrono::seconds(10));
    if (!reply) co_return fail(reply.error());
    co_return Result<>{};
  }
  auto joined = co_await ask_to_join(address);
  co_return joined;
}

// --- on the leader

Async<Result<model::ServerJoinReply>> Cluster::add(model::ServerJoinRequest request) {
  const model::ClusterMember server = request.server;
  if (!ready_) co_return fail(Code::no_leader, "No cluster leader");
  if (request.region != options_.region) {
    co_return fail(Code::invalid_argument, "server \"{}\" is of region {}, this cluster of {}", server.name, request.region, options_.region);
  }
  if (!request.cluster_id.empty() && request.cluster_id != cluster_id_) {
    co_return fail(Code::conflict, "server \"{}\" belongs to another cluster ({}, here {}): empty its data directory and let it join anew",
                   server.name, request.cluster_id, cluster_id_);
  }
  const Member wanted = to_member(server, MemberRole::standby);
  // One that had this address or name before cannot be there any more: it was installed anew.
  const auto members = raft_->members();
  for (const auto& old : members) {
    if (old.id == wanted.id || (old.address != wanted.address && old.name != wanted.name)) continue;
    log_.info("server is replaced", "name", old.name, "address", old.address, "node_id", old.node_id);
    auto removed = co_await remove(old.node_id);
    if (!removed) co_return fail(removed.error(), "removing the server that was at {} before", old.address);
  }
  auto edit = [wanted](std::vector<Member> present) -> Result<std::vector<Member>> {
    const auto own = std::ranges::find(present, wanted.id, &Member::id);
    if (own == present.end()) {
      present.push_back(wanted);
    } else {
      own->address = wanted.address;
      own->name = wanted.name;
    }
    return present;
  };
  auto changed = co_await raft_->change_members(std::move(edit));
  if (!changed) co_return fail(changed.error());
  log_.info("server joined", "name", server.name, "address", server.address, "node_id", server.node_id);
  co_return model::ServerJoinReply{.cluster_id = cluster_id_};
}

Async<Result<>> Cluster::promote(std::string node_id) {
  auto edit = [node_id](std::vector<Member> present) -> Result<std::vector<Member>> {
    const auto own = std::ranges::find(present, node_id, &Member::node_id);
    if (own != present.end()) own->role = MemberRole::voter;
    return present;
  };
  auto done = co_await raft_->change_members(std::move(edit));
  if (done) log_.info("server votes", "node_id", node_id);
  co_return done;
}

Async<Result<>> Cluster::remove(std::string node_id) {
  if (!ready_) co_return fail(Code::no_leader, "No cluster leader");
  if (node_id == options_.node_id) {
    const auto all = members();
    const auto voters = std::ranges::count(all, MemberRole::voter, &Member::role);
    if (voters == 1) co_return fail(Code::conflict, "server \"{}\" is the only voter; without it nothing could be written any more", options_.name + "." + options_.region);
    // The next leader removes this one: a leader that is no member could not tell whether it was done.
    DROVER_CO_TRY(raft_->transfer_leadership(0));
    co_return fail(Code::no_leader, "No cluster leader");
  }
  auto edit = [node_id](std::vector<Member> present) -> Result<std::vector<Member>> {
    if (std::erase_if(present, [&](const Member& one) { return one.node_id == node_id; }) == 0) {
      return fail(Code::internal, "id \"{}\" was not found in the Raft configuration", node_id);
    }
    return present;
  };
  auto done = co_await raft_->change_members(std::move(edit));
  if (done) log_.info("server was removed", "node_id", node_id);
  co_return done;
}

Async<Result<>> Cluster::transfer(std::string node_id) {
  if (!ready_) co_return fail(Code::no_leader, "No cluster leader");
  DROVER_CO_TRY(raft_->transfer_leadership(member_id(node_id)));
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (raft_->leader().node_id != node_id) {
    const auto left = until - std::chrono::steady_clock::now();
    if (left.count() <= 0) co_return fail(Code::deadline_exceeded, "server {} did not take over the leadership within 10 s", node_id);
    co_await changed_.wait_for(std::min<std::chrono::nanoseconds>(left, std::chrono::milliseconds(100)));
  }
  co_return Result<>{};
}

}  // namespace drover::cluster
