// The HTTP routes the client role answers (http-api 2.8): files, logs, statistics, restart, signal, garbage collection.
#pragma once

#include "agent/api/client_ops.h"
#include "lib/http/router.h"
#include "sdk/async/pool.h"

namespace drover::agent {

// `ops` and `pool` outlive the router.
void add_client_routes(http::Router& router, ClientOps& ops, Pool& pool);

}  // namespace drover::agent
