// What an agent says of itself, and the servers it knows.
#include <algorithm>

#include "lib/http/url.h"
#include "lib/model/json_text.h"
#include "server/api/answer.h"
#include "server/api/params.h"

namespace drover::api {
namespace {

using http::Request;
using http::Response;

model::ServerMember make_member(const Context& c, const model::ServerHealth& server, std::size_t servers) {
  model::ServerMember out;
  out.name = server.name + "." + c.options.region;
  if (const auto address = http::Address::parse(server.address)) {
    out.addr = address->host;
    out.port = address->port;
  }
  out.tags["port"] = std::to_string(out.port);
  // Nothing listens there; tools that know members expect a port of their own for them.
  if (c.options.serf_port != 0) out.port = c.options.serf_port;
  out.status = server.serf_status;
  // The numbers that clients of the API know for today's member protocol.
  out.protocol_min = 1;
  out.protocol_max = 5;
  out.protocol_cur = 2;
  out.delegate_min = 2;
  out.delegate_max = 5;
  out.delegate_cur = 4;
  out.tags["role"] = "nomad";
  out.tags["region"] = c.options.region;
  out.tags["dc"] = server.datacenter.empty() ? c.options.datacenter : server.datacenter;
  out.tags["build"] = server.version.empty() ? c.options.version : server.version;
  out.tags["revision"] = "";
  out.tags["vsn"] = "1";
  out.tags["raft_vsn"] = "3";
  if (!server.voter) out.tags["nonvoter"] = "1";
  out.tags["id"] = server.id;
  out.tags["rpc_addr"] = out.addr;
  out.tags["expect"] = std::to_string(servers);
  if (servers == 1) out.tags["bootstrap"] = "1";
  return out;
}

// As the leader sees them; without a leader as this server knows them from the log.
Async<Result<model::ServerMembersResponse>> find_members(const Context& c, bool ask_leader) {
  if (c.options.agent.members) co_return c.options.agent.members();
  model::ServerMembersResponse out;
  out.server_name = c.options.name;
  out.server_region = c.options.region;
  out.server_dc = c.options.datacenter;
  out.members.allocate();
  Result<model::ClusterHealth> health = fail(Code::no_leader, "No cluster leader");
  if (ask_leader) health = co_await c.caller.call(wire::endpoints::cluster_health, model::EmptyRequest{});
  if (!health) {
    model::EmptyRequest query;
    query.allow_stale = true;
    auto raft = co_await c.caller.call(wire::endpoints::raft_config, std::move(query));
    if (!raft) co_return fail(raft.error());
    health = model::ClusterHealth{};
    for (const auto& server : raft->servers) {
      model::ServerHealth one;
      one.id = server.id;
      one.name = server.node.substr(0, server.node.rfind('.'));
      one.address = server.address;
      one.voter = server.voter;
      one.serf_status = "alive";
      health->servers.push_back(std::move(one));
    }
  }
  for (const auto& server : health->servers) out.members.push_back(make_member(c, server, health->servers.size()));
  std::ranges::sort(out.members, {}, &model::ServerMember::name);
  co_return out;
}

Async<Response> members(const Context& c, Request request) {
  model::EmptyRequest query;
  if (auto read = read_query(c, request, query); !read) co_return error_answer(read.error());
  auto reply = co_await find_members(c, true);
  if (!reply) co_return error_answer(reply.error());
  co_return json_answer(request, model::to_json(*reply));
}

// A server names itself as a member; a client has none.
model::AgentMember own_member(const Context& c, const Result<model::ServerMembersResponse>& members) {
  model::AgentMember out;
  if (!members) return out;
  const std::string name = c.options.name + "." + c.options.region;
  const auto at = std::ranges::find(members->members, name, &model::ServerMember::name);
  if (at == members->members.end()) return out;
  out.name = at->name;
  out.addr = at->addr;
  out.port = at->port;
  out.tags = at->tags;
  out.status = at->status;
  out.protocol_min = at->protocol_min;
  out.protocol_max = at->protocol_max;
  out.protocol_cur = at->protocol_cur;
  out.delegate_min = at->delegate_min;
  out.delegate_max = at->delegate_max;
  out.delegate_cur = at->delegate_cur;
  return out;
}

Async<Response> self(const Context& c, Request request) {
  if (!c.options.agent.self) co_return error_answer(Error(Code::unimplemented, "this agent does not describe itself"));
  model::AgentSelf out = c.options.agent.self();
  if (out.member.name.empty()) {
    const auto known = co_await find_members(c, false);
    out.member = own_member(c, known);
  }
  co_return json_answer(request, model::to_json(out));
}

Async<Response> health(const Context& c, Request request) {
  if (!c.options.agent.health) co_return error_answer(Error(Code::unimplemented, "this agent does not report its health"));
  const auto types = request.query.all("type");
  const auto asked = [&](std::string_view type) { return types.empty() || std::ranges::find(types, type) != types.end(); };
  const model::AgentHealthResponse out = c.options.agent.health(asked("client"), asked("server"));
  auto answer = json_answer(request, model::to_json(out));
  if ((out.client && !out.client->ok) || (out.server && !out.server->ok)) answer.status = 500;
  co_return answer;
}

// A server that is no member has left already; one that is, is taken out of the raft configuration.
Async<Response> force_leave(const Context& c, Request request) {
  model::RaftPeerRequest body;
  body.id = request.query.get("node");
  if (body.id.empty()) co_return error_answer(Error(Code::invalid_argument, "missing node to force leave"));
  if (!read_bool(request.query, "prune")) co_return error_answer(Error(Code::invalid_argument, "invalid prune value"));
  auto reply = co_await c.caller.call(wire::endpoints::server_leave, std::move(body));
  if (!reply) co_return error_answer(reply.error());
  co_return empty_answer();
}

// Go's words for a connection that failed, by which scripts know it.
std::string join_failure(const std::string& address, const Error& error) {
  const bool refused = error.message().find("onnection refused") != std::string::npos;
  return refused ? fmt::format("failed to join {}: dial tcp {}: connect: connection refused", address, address)
                 : fmt::format("failed to join {}: {}", address, error.message());
}

Async<Response> join(const Context& c, Request request) {
  const auto addresses = request.query.all("address");
  if (addresses.empty()) co_return error_answer(Error(Code::invalid_argument, "missing address to join"));
  if (!c.options.agent.join) co_return error_answer(Error(Code::unimplemented, "Not a server: only servers join others"));
  std::size_t joined_count = 0;
  std::string failures;
  std::size_t failed = 0;
  for (const std::string_view address : addresses) {
    auto joined = co_await c.options.agent.join(std::string(address));
    if (joined) {
      ++joined_count;
      continue;
    }
    ++failed;
    failures += "\t* " + join_failure(std::string(address), joined.error()) + "\n";
  }
  if (failed > 0) failures = fmt::format("failed joining: {} error{} occurred:\n{}\n", failed, failed == 1 ? "" : "s", failures);
  std::string body = fmt::format("{{\"num_joined\":{},\"error\":", joined_count);
  model::append_json_string(body, failures);
  body += ",\"warning\":\"\"}";
  co_return json_answer(request, std::move(body));
}

}  // namespace

void add_agent(http::Router& router, const ContextPtr& context) {
  router.add("GET", "/v1/agent/self", bind<self>(context));
  router.add("GET", "/v1/agent/members", bind<members>(context));
  router.add("PUT", "/v1/agent/force-leave", bind<force_leave>(context));
  router.add("PUT", "/v1/agent/join", bind<join>(context));
  router.add("GET", "/v1/agent/health", bind<health>(context));
}

}  // namespace drover::api
