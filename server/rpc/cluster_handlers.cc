// Who leads, who belongs to the cluster, and what an operator or another server changes about it.
#include <algorithm>

#include "server/cluster/cluster.h"
#include "server/rpc/context.h"

namespace drover::rpc {
namespace {

std::vector<model::ClusterMember> members(const Context& c) {
  std::vector<model::ClusterMember> out;
  if (c.cluster != nullptr) {
    for (const auto& one : c.cluster->info().members) out.push_back(one);
  } else {
    out.push_back({.node_id = c.node_id, .name = c.name, .address = c.advertise_rpc, .voter = true});
  }
  return out;
}

std::string leader_address(const Context& c) {
  if (c.writer.is_leader()) return c.advertise_rpc;
  return c.cluster != nullptr ? c.cluster->leader() : std::string();
}

Async<Result<model::StatusReply>> status(Context& c) {
  model::StatusReply reply;
  reply.leader = leader_address(c);
  for (const auto& one : members(c)) reply.peers.push_back(one.address);
  reply.known_leader = !reply.leader.empty();
  reply.index = c.fsm.store().tables().index;
  if (reply.leader.empty()) co_return fail(Code::no_leader, "No cluster leader");
  co_return reply;
}

Async<Result<model::WriteMeta>> verify(Context& c) {
  if (c.cluster != nullptr) {
    const auto leads = co_await c.cluster->verify();
    if (!leads) co_return fail(leads.error());
  }
  model::WriteMeta reply;
  reply.index = c.fsm.store().tables().index;
  co_return reply;
}

Async<Result<model::RaftConfigurationResponse>> raft_config(Context& c) {
  model::RaftConfigurationResponse reply;
  const std::string leading = leader_address(c);
  reply.servers.allocate();
  for (const auto& one : members(c)) {
    model::RaftServer server;
    server.id = one.node_id;
    server.node = one.name + "." + c.region;
    server.address = one.address;
    server.leader = one.address == leading;
    server.voter = one.voter;
    server.raft_protocol = "3";
    reply.servers.push_back(std::move(server));
  }
  co_return reply;
}

Error no_cluster() { return Error(Code::unimplemented, "this server has no others"); }

Async<Result<model::WriteMeta>> remove_peer(Context& c, std::string id) {
  if (c.cluster == nullptr) co_return fail(no_cluster());
  const auto known = members(c);
  if (std::ranges::find(known, id, &model::ClusterMember::node_id) == known.end()) {
    co_return fail(Code::internal, "id \"{}\" was not found in the Raft configuration", id);
  }
  auto removed = co_await c.cluster->remove(std::move(id));
  if (!removed) co_return fail(removed.error());
  co_return model::WriteMeta{};
}

// By id, or by name with or without the region; one that is not there has left already.
Async<Result<model::WriteMeta>> leave(Context& c, model::RaftPeerRequest request) {
  if (c.cluster == nullptr) co_return model::WriteMeta{};
  for (const auto& one : members(c)) {
    if (one.node_id != request.id && one.name != request.id && one.name + "." + c.region != request.id) continue;
    auto removed = co_await c.cluster->remove(one.node_id);
    if (!removed) co_return fail(removed.error());
    break;
  }
  co_return model::WriteMeta{};
}

Async<Result<model::LeadershipTransferResponse>> transfer(Context& c, model::RaftPeerRequest request) {
  const auto known = members(c);
  const auto find = [&](const std::string& id, const std::string& address) {
    return std::ranges::find_if(known, [&](const model::ClusterMember& one) { return id.empty() ? one.address == address : one.node_id == id; });
  };
  const auto target = find(request.id, request.address);
  const auto from = find(c.node_id, {});
  if (target == known.end() || from == known.end()) {
    const std::string what = request.id.empty() ? "address \"" + request.address : "id \"" + request.id;
    co_return fail(Code::internal, "{}\" was not found in the Raft configuration", what);
  }
  model::LeadershipTransferResponse reply;
  reply.from.id = from->node_id;
  reply.from.address = from->address;
  reply.to.id = target->node_id;
  reply.to.address = target->address;
  reply.noop = target->node_id == c.node_id;
  if (reply.noop) co_return reply;
  if (!target->voter) co_return fail(Code::conflict, "server \"{}\" does not vote, so it cannot lead", target->name + "." + c.region);
  auto done = co_await c.cluster->transfer(target->node_id);
  if (!done) co_return fail(done.error());
  co_return reply;
}

Async<Result<model::ClusterHealth>> health(Context& c) {
  if (c.cluster != nullptr) {
    auto known = co_await c.cluster->health();
    co_return known;
  }
  model::ClusterHealth out;
  out.healthy = true;
  model::ServerHealth server;
  server.id = c.node_id;
  server.name = c.name;
  server.address = c.advertise_rpc;
  server.serf_status = "alive";
  server.datacenter = c.datacenter;
  server.leader = server.healthy = server.voter = true;
  out.servers.push_back(std::move(server));
  co_return out;
}

Async<Result<model::AutopilotReply>> autopilot(Context& c) {
  model::AutopilotReply reply;
  const auto& stored = c.fsm.store().tables().autopilot;
  reply.config = stored ? *stored : model::AutopilotConfiguration::standard();
  reply.index = c.fsm.store().tables().index;
  reply.known_leader = c.writer.leader_known();
  co_return reply;
}

Async<Result<model::AutopilotSetReply>> set_autopilot(Context& c, model::AutopilotSetRequest request) {
  fsm::AutopilotConfig message;
  message.config = std::move(request.config);
  message.check_index = request.check_index;
  model::AutopilotSetReply reply;
  auto index = co_await c.writer.write(std::move(message));
  if (!index && index.error().code() != Code::conflict) co_return fail(index.error());
  // A check that failed is an answer, not an error.
  reply.updated = index.has_value();
  reply.index = index ? *index : c.fsm.store().tables().index;
  co_return reply;
}

Async<Result<model::ServerInfo>> server_info(Context& c, model::ServerInfoRequest request) {
  if (c.cluster == nullptr) co_return fail(no_cluster());
  c.cluster->note(request.asker);
  co_return c.cluster->info();
}

Async<Result<model::WriteMeta>> bootstrap(Context& c, model::ClusterBootstrapRequest request) {
  if (c.cluster == nullptr) co_return fail(no_cluster());
  auto done = co_await c.cluster->bootstrap(std::move(request));
  if (!done) co_return fail(done.error());
  co_return model::WriteMeta{};
}

Async<Result<model::ServerJoinReply>> add_server(Context& c, model::ServerJoinRequest request) {
  if (c.cluster == nullptr) co_return fail(no_cluster());
  auto reply = co_await c.cluster->add(std::move(request));
  co_return reply;
}

}  // namespace

void add_cluster_handlers(Context& c, wire::Registry& registry) {
  namespace e = wire::endpoints;
  using wire::Place;
  registry.add(e::status, std::function([&c](model::EmptyRequest) { return status(c); }));
  registry.add(e::verify_leader, std::function([&c](model::EmptyRequest) { return verify(c); }));
  registry.add(e::cluster_health, std::function([&c](model::EmptyRequest) { return health(c); }));
  registry.add(e::autopilot_get, std::function([&c](model::EmptyRequest) { return autopilot(c); }));
  registry.add(e::autopilot_set, std::function([&c](model::AutopilotSetRequest r) { return set_autopilot(c, std::move(r)); }));
  registry.add(e::raft_config, std::function([&c](model::EmptyRequest) { return raft_config(c); }));
  registry.add(e::raft_remove_peer, std::function([&c](model::RaftPeerRequest r) { return remove_peer(c, std::move(r.id)); }));
  registry.add(e::raft_transfer, std::function([&c](model::RaftPeerRequest r) { return transfer(c, std::move(r)); }));
  registry.add(e::server_leave, std::function([&c](model::RaftPeerRequest r) { return leave(c, std::move(r)); }));
  registry.add(e::server_join, std::function([&c](model::ServerJoinRequest r) { return add_server(c, std::move(r)); }));
  registry.add(e::server_info, std::function([&c](model::ServerInfoRequest r) { return server_info(c, std::move(r)); }), Place::here);
  registry.add(e::cluster_bootstrap, std::function([&c](model::ClusterBootstrapRequest r) { return bootstrap(c, std::move(r)); }), Place::here);
}

}  // namespace drover::rpc
