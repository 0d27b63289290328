// The replicated log the server writes to, made of server/raft and server/fsm. Loop only.
#pragma once

#include <memory>

#include "server/fsm/writer.h"
#include "server/server.h"

namespace drover {

// A lone server's log under `data_dir`/server/raft, in memory with `dev`. Reads what is stored into `fsm`; blocking.
[[nodiscard]] Result<std::unique_ptr<fsm::Log>> open_raft_log(const ServerOptions& options, fsm::Fsm& fsm, const Executor& executor);

// The id of this server, kept in `data_dir`/server/node-id; a new one each time with `dev`.
[[nodiscard]] Result<std::string> server_node_id(const ServerOptions& options);

}  // namespace drover
