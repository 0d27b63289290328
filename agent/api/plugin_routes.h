// The plugins of a node over HTTP: /v1/agent/plugins, /v1/agent/plugin/:name, its log and its reset. Ours, not the reference's.
#pragma once

#include "agent/api/client_ops.h"
#include "agent/api/elsewhere.h"
#include "lib/http/router.h"
#include "sdk/async/pool.h"

namespace drover::agent {

// With `?node_id=` the node is asked, wherever it is. What is referred to outlives the router.
void add_plugin_routes(http::Router& router, ClientOps& ops, Pool& pool, Elsewhere* elsewhere);

}  // namespace drover::agent
