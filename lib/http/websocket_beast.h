// Makes WebSockets out of streams. Private to lib/http.
#pragma once

#include <memory>

#include "lib/http/client.h"
#include "lib/http/stream.h"
#include "lib/http/websocket.h"

namespace drover::http {

inline constexpr std::size_t max_websocket_message = 16U << 20;

// Answers the handshake of `request`; the stream must outlive the socket.
[[nodiscard]] Async<Result<std::unique_ptr<WebSocket>>> accept_websocket(AnyStream& stream, const Request& request, const Headers& extra);
// Sends the handshake and reads the answer. A refusal is an error with the answer's status and body.
[[nodiscard]] Async<Result<std::unique_ptr<WebSocket>>> connect_websocket(std::shared_ptr<AnyStream> stream, std::string host,
                                                                          std::string target, Headers headers);

}  // namespace drover::http
