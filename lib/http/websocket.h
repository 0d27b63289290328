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

class WebSocket {
 public:
  virtual ~WebSocket() = default;
  // The next whole message; empty after the other side closed or vanished.
  [[nodiscard]] virtual Async<std::optional<WebSocketMessage>> receive() = 0;
  // False when the connection is gone. `data` must live until it returns.
  [[nodiscard]] virtual Async<bool> send_text(std::string_view data) = 0;
  [[nodiscard]] virtual Async<bool> send_binary(std::string_view data) = 0;
  [[nodiscard]] virtual Async<bool> ping() = 0;
  // Sends the close frame and waits briefly for the other's. 1000 is a normal end.
  [[nodiscard]] virtual Async<> close(std::uint16_t code = 1000, std::string reason = {}) = 0;
  // What the other side's close frame said; 0 before that, 1006 when it vanished without one.
  [[nodiscard]] virtual std::uint16_t close_code() const = 0;
  [[nodiscard]] virtual std::string close_reason() const = 0;
};

}  // namespace drover::http
