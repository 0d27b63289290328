// The routes under /v1/client/fs/. Internal to agent/api.
#pragma once

#include "agent/api/client_ops.h"
#include "agent/api/elsewhere.h"
#include "lib/http/router.h"
#include "sdk/async/pool.h"

namespace drover::agent {

void add_fs_routes(http::Router& router, ClientOps& ops, Pool& pool, Elsewhere* elsewhere);

// Answers for an allocation of another node by asking there; nothing: the handler here answers.
[[nodiscard]] Async<std::optional<http::Response>> ask_elsewhere(ClientOps& ops, Elsewhere* elsewhere, const http::Request& request);

}  // namespace drover::agent
