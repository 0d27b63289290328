// The websockets that run a command in a task: /v1/client/allocation/:id/exec and /v1/job/:id/action (http-api 3.4).
#pragma once

#include "agent/api/client_ops.h"
#include "agent/api/elsewhere.h"
#include "lib/http/router.h"

namespace drover::agent {

// `ops` and `elsewhere` outlive the router; without `elsewhere` every request is answered here.
void add_exec_routes(http::Router& router, ClientOps& ops, Elsewhere* elsewhere);

}  // namespace drover::agent
