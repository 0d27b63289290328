// The HTTP routes the client role answers (http-api 2.8): files, logs, statistics, restart, signal, garbage collection.
#pragma once

#include "agent/api/client_ops.h"
#include "agent/api/elsewhere.h"
#include "lib/http/router.h"
#include "sdk/async/pool.h"

namespace drover::agent {

// What concerns another node goes to `elsewhere`; without one, as for requests that a server passed to this node, everything is
// answered here. `ops`, `pool` and `elsewhere` outlive the router.
void add_client_routes(http::Router& router, ClientOps& ops, Pool& pool, Elsewhere* elsewhere);

}  // namespace drover::agent
