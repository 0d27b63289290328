#include "lib/relay/socket.h"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "lib/model/codec.h"
#include "lib/model/relay.h"

namespace drover::relay {
namespace {
using http::vanished;

Async<bool> send_frame(NodeStream& stream, model::HttpRelayFrame frame) {
  const bool sent = co_await stream.send(model::to_msgpack(frame));
  co_return sent;
}

// The next frame; one of code 1006 when the stream is over.
Async<model::HttpRelayFrame> next_frame(NodeStream& stream) {
  const auto bytes = co_await stream.receive();
  model::HttpRelayFrame frame;
  if (!bytes || !model::from_msgpack(*bytes, frame)) frame = {.data = {}, .binary = false, .close = vanished};
  co_return frame;
}

class StreamSocket final : public http::WebSocket {
 public:
  explicit StreamSocket(NodeStream& stream) : stream_(stream) {}

  Async<std::optional<http::WebSocketMessage>> receive() override {
    if (close_code_ != 0) co_return std::nullopt;
    auto frame = co_await next_frame(stream_);
    if (frame.close != 0) {
      close_code_ = static_cast<std::uint16_t>(frame.close);
      close_reason_ = frame.data.data();
      co_return std::nullopt;
    }
    co_return http::WebSocketMessage{frame.data.data(), frame.binary};
  }
  Async<bool> send_text(std::string_view data) override { return send(data, false); }
  Async<bool> send_binary(std::string_view data) override { return send(data, true); }
  // The asking side keeps its peer alive.
  Async<bool> ping() override { co_return !over_; }
  Async<> close(std::uint16_t code, std::string reason) override {
    if (over_) co_return;
    over_ = true;
    model::HttpRelayFrame frame{.data = model::Bytes(std::move(reason)), .binary = false, .close = code};
    [[maybe_unused]] const bool sent = co_await send_frame(stream_, std::move(frame));
  }
  Async<> drop() override { return close(vanished, {}); }
  [[nodiscard]] std::uint16_t close_code() const override { return close_code_; }
  [[nodiscard]] std::string close_reason() const override { return close_reason_; }

 private:
  Async<bool> send(std::string_view data, bool binary) {
    if (over_) co_return false;
    model::HttpRelayFrame frame{.data = model::Bytes(std::string(data)), .binary = binary, .close = 0};
    const bool sent = co_await send_frame(stream_, std::move(frame));
    over_ = !sent;
    co_return sent;
  }

  NodeStream& stream_;
  std::uint16_t close_code_ = 0;
  std::string close_reason_;
  bool over_ = false;
};

// Returns when the websocket's user has gone.
Async<> copy_in(http::WebSocket& socket, NodeStream& stream) {
  for (;;) {
    auto message = co_await socket.receive();
    model::HttpRelayFrame frame;
    if (message) {
      frame.data = model::Bytes(std::move(message->data));
      frame.binary = message->binary;
    } else {
      frame.close = socket.close_code() != 0 ? socket.close_code() : vanished;
      frame.data = model::Bytes(socket.close_reason());
    }
    const bool sent = co_await send_frame(stream, std::move(frame));
    if (!message || !sent) co_return;
  }
}

// Returns when the answering side has ended, or the user cannot be written to.
Async<> copy_out(NodeStream& stream, http::WebSocket& socket) {
  for (;;) {
    auto frame = co_await next_frame(stream);
    const std::string& data = frame.data.data();
    if (frame.close != 0) {
      co_await http::end_socket(socket, static_cast<std::uint16_t>(frame.close), data);
      co_return;
    }
    bool open = false;
    if (frame.binary) open = co_await socket.send_binary(data);
    else open = co_await socket.send_text(data);
    if (!open) co_return;
  }
}
}  // namespace

std::unique_ptr<http::WebSocket> socket_over(NodeStream& stream) { return std::make_unique<StreamSocket>(stream); }

Async<> copy_socket(std::shared_ptr<NodeStream> stream, http::WebSocket& socket) {
  using namespace asio::experimental::awaitable_operators;
  auto both = copy_in(socket, *stream) || copy_out(*stream, socket);
  co_await std::move(both);
}

}  // namespace drover::relay
