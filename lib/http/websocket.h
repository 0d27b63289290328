// A websocket, either side. Owned by whoever runs it; one reader and one writer at a time, on the loop. Pings are answered by
// receive(), so somebody must be receiving.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sdk/async/asio.h"
#include "sdk/base/error.h"

namespace drover::http {

struct WebSocketMessage {
  std::string data;
  bool binary = false;
};

// The close code of a socket that ended without a close frame.
inline constexpr std::uint16_t vanished = 1006;

class WebSocket {
 public:
  virtual ~WebSocket() = default;
  // The next whole message; empty after the other side closed or vanished.
  [[nodiscard]] virtual Async<std::optional<WebSocketMessage>> receive() = 0;
  // False when the connection is gone. `data` must live until it returns.
  [[nodiscard]] virtual Async<bool> send_text(std::string_view data) = 0;
  [[nodiscard]] virtual Async<bool> send_binary(std::string_view data) = 0;
  [[nodiscard]] virtual Async<bool> ping() = 0;
  // Sends the close frame and waits for the other's. 1000 is a normal end. Cancelling a receive() breaks the socket: who wants to
  // close one while another coroutine receives lets that one go on.
  [[nodiscard]] virtual Async<> close(std::uint16_t code = 1000, std::string reason = {}) = 0;
  // Ends the connection without a close frame.
  [[nodiscard]] virtual Async<> drop() = 0;
  // What the other side's close frame said; 0 before that, 1006 when it vanished without one.
  [[nodiscard]] virtual std::uint16_t close_code() const = 0;
  [[nodiscard]] virtual std::string close_reason() const = 0;
};

// Ends a socket while another coroutine still receives from it: with a close frame, or without one by the code `vanished`. Gives
// the other side a moment to close first, since closing with unread bytes would destroy what is on its way; to be cancelled when
// the receiver has seen the end.
[[nodiscard]] Async<> end_socket(WebSocket& socket, std::uint16_t code, std::string reason);

}  // namespace drover::http
