// GET /v1/agent/monitor: an agent's log as it is written, of this agent or, by `node_id` or `server_id`, of another (http-api 3.2).
#pragma once

#include <functional>

#include "agent/api/client_ops.h"
#include "agent/api/elsewhere.h"
#include "lib/http/router.h"
#include "sdk/base/log_tap.h"

namespace drover::agent {

struct MonitorOptions {
  std::shared_ptr<LogTap> log;
  ClientOps& ops;
  Elsewhere* elsewhere = nullptr;  // null: every request is answered here
  // Whether `server_id` means this agent's server role. Empty without one.
  std::function<bool(std::string_view server_id)> is_this_server;
  // Passes a request about a server on; empty with the server role.
  std::function<Async<http::Response>(http::Request request)> ask_server;
};

// What the options refer to outlives the router.
void add_monitor_route(http::Router& router, MonitorOptions options);

}  // namespace drover::agent
