// The routes under /v1/client/fs/. Internal to agent/api.
#pragma once

#include "agent/api/client_ops.h"
#include "lib/http/router.h"
#include "sdk/async/pool.h"

namespace drover::agent {

void add_fs_routes(http::Router& router, ClientOps& ops, Pool& pool);

}  // namespace drover::agent
