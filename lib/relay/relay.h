// Both ends of an HTTP request that one agent passes to another over a stream. Loop only.
#pragma once

#include <chrono>
#include <memory>

#include "lib/http/router.h"
#include "lib/model/relay.h"
#include "sdk/rpc/node_rpc.h"

namespace drover::relay {

// The request as it travels, with its token; fields that belong to the connection stay behind.
[[nodiscard]] model::HttpRelayRequest to_message(const http::Request& request);
// True for a request whose message named a node: whoever sent it asks all servers himself. No header says so, and nobody outside can.
[[nodiscard]] bool goes_no_further(const http::Request& request);
// The answer to such a request of a server that has no way to the node, and whether an answer is that one. It comes before anything else:
// also before the head of a websocket, which otherwise precedes what there is to say.
[[nodiscard]] Async<> answer_no_path(NodeStream& stream);
[[nodiscard]] bool says_no_path(const http::Response& answer);

// Waits for the answer to a request that was sent on `stream`: `limit` for its head, no limit for a streamed body. When the
// stream breaks before the head, the answer is `lost` with the reason; when it breaks later, the body is cut.
[[nodiscard]] Async<http::Response> receive_answer(std::unique_ptr<NodeStream> stream, std::chrono::nanoseconds limit, std::string lost);

// Answers `request`, which opened `stream` or came on it, by `router`. Returns when the answer is sent or the asker has gone.
[[nodiscard]] Async<> answer(model::HttpRelayRequest request, NodeStream& stream, const http::Router& router);

}  // namespace drover::relay
