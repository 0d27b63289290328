#include "server/rpc/alloc_updates.h"
#include "server/cluster/cluster.h"
#include "server/rpc/context.h"

namespace drover::rpc {
namespace {

using state::NodePtr;
using Reply = model::NodeUpdateResponse;

model::NodeEvent cluster_event(const Context& c, std::string message) {
  model::NodeEvent event;
  event.message = std::move(message);
  event.subsystem = "Cluster";
  event.timestamp = model::Time(c.clock.unix_nanos());
  return event;
}

// What became of drivers that the node had before, for its operators; empty message: nothing.
model::NodeEvent driver_event(const Context& c, const model::Node& before, const model::Node& after) {
  model::NodeEvent event;
  std::string names;
  for (const auto& [name, info] : after.drivers) {
    const auto* old = before.drivers.get(name);
    if (old == nullptr || (old->healthy == info.healthy && old->detected == info.detected)) continue;
    if (!old->healthy && !info.healthy) continue;
    // The first word of a driver is no change.
    if (!old->detected && old->health_description.empty()) continue;
    event.message += (event.message.empty() ? "" : "; ") + (info.health_description.empty() ? std::string(info.healthy ? "Healthy" : "Unhealthy") : info.health_description);
    names += (names.empty() ? "" : ",") + name;
  }
  event.subsystem = "Driver";
  event.details["driver"] = names;
  event.timestamp = model::Time(c.clock.unix_nanos());
  return event;
}

std::int64_t unix_seconds(const Context& c) { return c.clock.unix_nanos() / 1'000'000'000; }

void add_server_info(const Context& c, const state::Snapshot& snapshot, Reply& reply) {
  reply.leader_rpc_addr = c.writer.is_leader() ? c.advertise_rpc : "";
  reply.known_leader = c.writer.is_leader();
  reply.num_nodes = static_cast<std::int32_t>(snapshot.node_count());
  const auto add = [&](std::string address) {
    model::NodeServerInfo server;
    server.rpc_advertise_addr = std::move(address);
    server.rpc_major_version = 1;
    server.rpc_minor_version = 1;
    server.datacenter = c.datacenter;
    reply.servers.push_back(std::move(server));
  };
  add(c.advertise_rpc);
  if (c.cluster == nullptr) return;
  for (const auto& member : c.cluster->members()) {
    if (member.address != c.advertise_rpc) add(member.address);
  }
}

void add_evals(Reply& reply, const fsm::EvalList& evals) {
  for (const auto& eval : evals) reply.eval_ids.push_back(eval->id);
}

Result<> check_node(const model::Node* node) {
  if (node == nullptr) return fail(Code::invalid_argument, "missing node for client registration");
  if (node->id.empty()) return fail(Code::invalid_argument, "missing node ID for client registration");
  if (node->datacenter.empty()) return fail(Code::invalid_argument, "missing datacenter for client registration");
  if (node->name.empty()) return fail(Code::invalid_argument, "missing node name for client registration");
  if (node->secret_id.empty()) return fail(Code::invalid_argument, "missing node secret ID for client registration");
  if (node->node_pool == "all") return fail(Code::invalid_argument, "node is not allowed to register in node pool \"all\"");
  return {};
}

// A node that was away takes new work again once it has told how what it still runs has fared. Allocations given up as lost, or
// out of sight, are settled by the scheduler; without any other there is nothing to wait for.
std::string settled_status(const state::Snapshot& snapshot, const model::Node& node, const std::string& asked) {
  if (asked != "ready") return asked;
  const bool was_gone = node.status == "down" || node.status == "disconnected";
  if (!was_gone && node.last_missed_heartbeat_index <= node.last_alloc_update_index) return asked;
  for (const auto& alloc : snapshot.live_allocs_by_node(node.id)) {
    if (alloc->client_status != "unknown") return "initializing";
  }
  return asked;
}

Async<Result<Reply>> register_node(Context& c, model::NodeRegisterRequest request) {
  DROVER_CO_TRY(check_node(request.node.get()));
  model::Node node = *request.node;
  const auto snapshot = c.fsm.store().snapshot();
  const NodePtr before = snapshot->node(node.id);
  if (before && before->secret_id != node.secret_id) {
    co_return fail(Code::permission_denied, "node secret ID does not match. Not registering node.");
  }
  if (node.status.empty()) node.status = "initializing";
  if (node.status != "initializing" && node.status != "ready" && node.status != "down") {
    co_return fail(Code::invalid_argument, "invalid status for node");
  }
  if (node.scheduling_eligibility.empty()) node.scheduling_eligibility = "eligible";
  if (node.node_pool.empty()) node.node_pool = "default";
  node.computed_class = nodes::computed_class(node);
  if (!before || before->status != node.status || node.status_updated_at == 0) node.status_updated_at = unix_seconds(c);
  if (before) node.status = settled_status(*snapshot, *before, node.status);

  fsm::NodeRegister message;
  if (!before) message.event = cluster_event(c, "Node registered");
  else if (before->status == "down" || before->status == "disconnected") message.event = cluster_event(c, "Node re-registered");
  else if (auto event = driver_event(c, *before, node); !event.message.empty()) message.event = std::move(event);
  if (nodes::status_makes_evals(before ? before->status : "", node.status)) {
    message.evals = nodes::node_evals(*snapshot, node, c.clock.unix_nanos(), c.rng);
  }
  Reply reply;
  add_evals(reply, message.evals);
  const std::string id = node.id;
  message.node = std::make_shared<const model::Node>(std::move(node));
  auto index = co_await c.writer.write(std::move(message));
  if (!index) co_return fail(index.error());
  reply.index = reply.node_modify_index = *index;
  if (!reply.eval_ids.empty()) reply.eval_create_index = *index;
  reply.heartbeat_ttl = c.heartbeat(id);
  const auto after = c.fsm.store().snapshot();
  if (const NodePtr stored = after->node(id)) reply.scheduling_eligibility = stored->scheduling_eligibility;
  add_server_info(c, *after, reply);
  co_return reply;
}

Async<Result<Reply>> update_status(Context& c, model::NodeUpdateStatusRequest request) {
  if (request.node_id.empty()) co_return fail(Code::invalid_argument, "missing node ID for client status update");
  const auto snapshot = c.fsm.store().snapshot();
  const NodePtr node = snapshot->node(request.node_id);
  if (!node) co_return fail(Code::not_found, "node not found");
  if (node->secret_id != request.secret_id) co_return fail(Code::permission_denied, "Permission denied");
  const std::string status = settled_status(*snapshot, *node, request.status.empty() ? node->status : request.status);
  if (status != "initializing" && status != "ready" && status != "down" && status != "disconnected") {
    co_return fail(Code::invalid_argument, "invalid status for node");
  }
  Reply reply;
  reply.index = snapshot->index_of(state::Table::nodes);
  reply.node_modify_index = node->modify_index;
  reply.scheduling_eligibility = node->scheduling_eligibility;
  if (status != node->status) {
    fsm::NodeUpdateStatus message;
    message.node_id = request.node_id;
    message.status = status;
    message.updated_at = unix_seconds(c);
    message.event = request.node_event;
    if (nodes::status_makes_evals(node->status, status)) {
      message.evals = nodes::node_evals(*snapshot, *node, c.clock.unix_nanos(), c.rng);
    }
    add_evals(reply, message.evals);
    auto index = co_await c.writer.write(std::move(message));
    if (!index) co_return fail(index.error());
    reply.index = reply.node_modify_index = *index;
    if (!reply.eval_ids.empty()) reply.eval_create_index = *index;
  }
  if (status != "down") reply.heartbeat_ttl = c.heartbeat(request.node_id);
  add_server_info(c, *c.fsm.store().snapshot(), reply);
  co_return reply;
}

Async<Result<model::WriteMeta>> update_alloc(Context& c, AllocUpdates& updates, model::NodeUpdateAllocRequest request) {
  const auto snapshot = c.fsm.store().snapshot();
  const NodePtr node = snapshot->node(request.node_id);
  if (!node) co_return fail(Code::not_found, "node {} not found", request.node_id);
  if (node->secret_id != request.secret_id) co_return fail(Code::permission_denied, "Permission denied");
  fsm::AllocList known;
  for (auto& alloc : request.allocs) {
    const state::AllocPtr stored = snapshot->alloc(alloc->id);
    if (!stored) continue;  // collected meanwhile
    // Only the node that runs it may speak for it.
    if (stored->node_id != request.node_id) co_return fail(Code::permission_denied, "Permission denied");
    known.push_back(in_our_time(std::move(alloc), stored->create_time, c.clock.unix_nanos()));
  }
  model::WriteMeta reply;
  if (known.empty()) co_return reply;
  fsm::EvalList evals = update_evals(c, *snapshot, known);
  auto index = co_await updates.write(std::move(known), std::move(evals));
  if (!index) co_return fail(index.error());
  reply.index = *index;
  co_return reply;
}

Async<Result<model::NodeEligibilityUpdateResponse>> update_eligibility(Context& c, model::NodeUpdateEligibilityRequest request) {
  if (request.eligibility != "eligible" && request.eligibility != "ineligible") {
    co_return fail(Code::internal, "invalid scheduling eligibility \"{}\"", request.eligibility);
  }
  const auto snapshot = c.fsm.store().snapshot();
  const NodePtr node = snapshot->node(request.node_id);
  if (!node) co_return fail(Code::internal, "node not found");
  if (node->drain_strategy && request.eligibility == "eligible") {
    co_return fail(Code::internal, "can not set node's scheduling eligibility to eligible while it is draining");
  }
  fsm::NodeEligibility message;
  message.node_id = request.node_id;
  message.eligibility = request.eligibility;
  message.updated_at = unix_seconds(c);
  message.event = cluster_event(c, request.eligibility == "eligible" ? "Node marked as eligible for scheduling"
                                                                      : "Node marked as ineligible for scheduling");
  if (node->scheduling_eligibility == "ineligible" && request.eligibility == "eligible") {
    message.evals = nodes::node_evals(*snapshot, *node, c.clock.unix_nanos(), c.rng);
  }
  model::NodeEligibilityUpdateResponse reply;
  for (const auto& eval : message.evals) reply.eval_ids.push_back(eval->id);
  auto index = co_await c.writer.write(std::move(message));
  if (!index) co_return fail(index.error());
  reply.index = *index;
  if (!reply.eval_ids.empty()) reply.eval_create_index = *index;
  co_return reply;
}

Async<Result<Reply>> evaluate(Context& c, model::ObjectRequest request) {
  const auto snapshot = c.fsm.store().snapshot();
  const NodePtr node = snapshot->node(request.id);
  if (!node) co_return fail(Code::internal, "node not found");
  fsm::EvalUpdate message;
  message.evals = nodes::node_evals(*snapshot, *node, c.clock.unix_nanos(), c.rng);
  Reply reply;
  add_evals(reply, message.evals);
  reply.index = snapshot->index_of(state::Table::nodes);
  if (!message.evals.empty()) {
    auto index = co_await c.writer.write(std::move(message));
    if (!index) co_return fail(index.error());
    reply.index = reply.eval_create_index = *index;
  }
  reply.node_modify_index = node->modify_index;
  reply.scheduling_eligibility = node->scheduling_eligibility;
  add_server_info(c, *snapshot, reply);
  co_return reply;
}

Async<Result<Reply>> deregister(Context& c, model::NodeDeregisterRequest request) {
  const auto snapshot = c.fsm.store().snapshot();
  const NodePtr node = snapshot->node(request.node_id);
  if (!node) co_return fail(Code::internal, "node not found");
  fsm::NodeDeregister message;
  message.node_ids.push_back(request.node_id);
  message.evals = nodes::node_evals(*snapshot, *node, c.clock.unix_nanos(), c.rng);
  Reply reply;
  add_evals(reply, message.evals);
  auto index = co_await c.writer.write(std::move(message));
  if (!index) co_return fail(index.error());
  reply.index = reply.node_modify_index = *index;
  if (!reply.eval_ids.empty()) reply.eval_create_index = *index;
  co_return reply;
}

}  // namespace

void add_node_writes(Context& c, wire::Registry& registry) {
  namespace e = wire::endpoints;
  registry.add(e::node_register, std::function([&c](model::NodeRegisterRequest r) { return register_node(c, std::move(r)); }));
  registry.add(e::node_update_status, std::function([&c](model::NodeUpdateStatusRequest r) { return update_status(c, std::move(r)); }));
  auto updates = std::make_shared<AllocUpdates>(c);
  registry.add(e::node_update_alloc, std::function([&c, updates](model::NodeUpdateAllocRequest r) { return update_alloc(c, *updates, std::move(r)); }));
  registry.add(e::node_update_eligibility, std::function([&c](model::NodeUpdateEligibilityRequest r) { return update_eligibility(c, std::move(r)); }));
  registry.add(e::node_evaluate, std::function([&c](model::ObjectRequest r) { return evaluate(c, std::move(r)); }));
  registry.add(e::node_deregister, std::function([&c](model::NodeDeregisterRequest r) { return deregister(c, std::move(r)); }));
}

}  // namespace drover::rpc
