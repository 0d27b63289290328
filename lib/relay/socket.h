// A websocket carried over a stream of the node RPC: each message is a HttpRelayFrame. Loop only.
#pragma once

#include <memory>

#include "lib/http/websocket.h"
#include "sdk/rpc/node_rpc.h"

namespace drover::relay {

// The answering side's socket. `stream` outlives it; its peer copies between the stream and the real websocket.
[[nodiscard]] std::unique_ptr<http::WebSocket> socket_over(NodeStream& stream);

// The asking side: copies until either end is over, and passes on how it ended.
[[nodiscard]] Async<> copy_socket(std::shared_ptr<NodeStream> stream, http::WebSocket& socket);

}  // namespace drover::relay
