// The HTTP API of the server role's objects: jobs, allocations, evaluations, nodes, deployments, status, agent, events, metrics.
//
// The only place that knows its paths, status codes and texts (http-api). It reaches servers through the Caller alone, so a
// client-only agent offers the same routes. Loop only; what the options refer to must outlive the router.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "lib/http/router.h"
#include "lib/metrics/metrics.h"
#include "lib/model/api_agent.h"
#include "lib/model/api_job.h"
#include "lib/wire/caller.h"
#include "lib/wire/streams.h"
#include "server/events/event_buffer.h"

namespace drover::api {

// What only the agent itself knows. An empty function answers 501.
struct AgentFacts {
  // Without `self.member` when empty: it is then taken from the members.
  std::function<model::AgentSelf()> self;
  // The parts asked for; a role that does not run stays empty.
  std::function<model::AgentHealthResponse(bool client, bool server)> health;
  // Brings this server and the one at host:port together. Empty on an agent without the server role.
  std::function<Async<Result<>>(std::string address)> join;
  // Empty: made from the servers' raft configuration.
  std::function<model::ServerMembersResponse()> members;
};

struct ApiOptions {
  wire::Caller& caller;
  std::string name;                 // of this agent, without the region
  std::string region = "global";
  std::string datacenter = "dc1";
  std::string version;              // shown as the members' build
  std::uint16_t serf_port = 0;      // the port members are shown with; 0: that of the RPC listener
  AgentFacts agent;
  // Job file to the JSON of a job; the error's text are the diagnostics. Canonicalises when the request says so.
  std::function<Result<std::string>(const model::JobsParseRequest& request)> parse_job;
  // The job of a request's body, with the defaults that depend on null and zero being different. Empty: as decoded.
  std::function<Result<model::Job>(model::Json&& request)> read_job;
  // Null where no server runs: the stream is then asked of one by `ask_server`.
  events::EventBuffer* events = nullptr;
  std::function<Async<http::Response>(http::Request request)> ask_server;
  // To the servers, for what does not fit into one message. Null: those requests are refused.
  wire::StreamOpener* streams = nullptr;
  metrics::Registry* metrics = nullptr;
  bool prometheus = false;          // telemetry.prometheus_metrics
  // Sets the gauges that are read off the state rather than counted, before metrics are shown.
  std::function<void()> refresh_metrics;
};

void register_server_api(http::Router& router, ApiOptions options);
// The event stream alone, for agents that ask a server for it.
void register_event_stream(http::Router& router, ApiOptions options);

}  // namespace drover::api
