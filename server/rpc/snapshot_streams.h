// The whole state as a file, and a file in the place of the state (operator snapshot save and restore): streams, in parts of which one is
// in memory at a time, the rest in files without a name below the data directory. A server that does not lead passes them on. Loop only.
//
// A restore goes through the log, in pieces: so every server, also one that is away, ends with the same state, and a crash in between
// leaves the old one. Everything about the file is checked before the first piece is written (F-66).
#pragma once

#include "sdk/rpc/node_rpc.h"
#include "server/rpc/context.h"

namespace drover::rpc {

// Registers both streams with the RPC server.
void serve_snapshots(Context& context, NodeRpcServer& server);

}  // namespace drover::rpc
