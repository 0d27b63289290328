// The one file that sees Boost.Beast.
#include "lib/http/websocket.h"

#include <array>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/buffers_iterator.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <boost/beast/websocket/stream.hpp>

#include "lib/http/websocket_beast.h"

namespace drover::http {

namespace beast = boost::beast;
namespace ws = boost::beast::websocket;

// Any handler of a read or write, as one type.
class IoHandler {
 public:
  using executor_type = asio::any_io_executor;
  using cancellation_slot_type = asio::cancellation_slot;
  template <class Handler>
  IoHandler(Handler handler, const executor_type& otherwise)
      : executor_(asio::get_associated_executor(handler, otherwise)),
        slot_(asio::get_associated_cancellation_slot(handler)),
        call_(std::make_unique<CallOf<Handler>>(std::move(handler))) {}
  [[nodiscard]] executor_type get_executor() const { return executor_; }
  [[nodiscard]] cancellation_slot_type get_cancellation_slot() const { return slot_; }
  void operator()(error_code error, std::size_t size) { std::exchange(call_, nullptr)->run(error, size); }

 private:
  struct Call {
    virtual ~Call() = default;
    virtual void run(error_code error, std::size_t size) = 0;
  };
  template <class Handler>
  struct CallOf final : Call {
    explicit CallOf(Handler given) : handler(std::move(given)) {}
    void run(error_code error, std::size_t size) override { std::move(handler)(error, size); }
    Handler handler;
  };
  executor_type executor_;
  cancellation_slot_type slot_;
  std::unique_ptr<Call> call_;
};

// What Beast sees of a stream. Beast has dozens of types of buffers and handlers, and each would bring a TCP and a TLS operation
// of its own, a megabyte in all: here every read and every write is of one type.
class WireStream {
 public:
  using executor_type = AnyStream::executor_type;
  explicit WireStream(AnyStream& stream) : stream_(stream) {}
  [[nodiscard]] executor_type get_executor() { return stream_.get_executor(); }
  [[nodiscard]] AnyStream& stream() { return stream_; }

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return asio::async_initiate<Token, Signature>(
        [this](auto handler, const Buffers& to) {
          asio::mutable_buffer first;
          for (auto at = asio::buffer_sequence_begin(to); first.size() == 0 && at != asio::buffer_sequence_end(to); ++at) first = *at;
          stream_.async_read_some(first, IoHandler(std::move(handler), get_executor()));
        },
        token, buffers);
  }
  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return asio::async_initiate<Token, Signature>(
        [this](auto handler, const Buffers& from) {
          std::array<asio::const_buffer, 4> parts;  // the rest is written by the next call
          std::size_t used = 0;
          for (auto at = asio::buffer_sequence_begin(from); used < parts.size() && at != asio::buffer_sequence_end(from); ++at) parts[used++] = *at;
          stream_.async_write_some(parts, IoHandler(std::move(handler), get_executor()));
        },
        token, buffers);
  }

 private:
  using Signature = void(error_code, std::size_t);
  AnyStream& stream_;
};

// What Beast looks up to end a stream that it did not make.
void beast_close_socket(WireStream& wire) { wire.stream().abort(); }
template <class Handler>
void async_teardown(beast::role_type, WireStream& wire, Handler&& handler) {
  wire.stream().shutdown_write();
  asio::post(wire.get_executor(), [handler = std::forward<Handler>(handler)]() mutable { std::move(handler)(error_code()); });
}
void teardown(beast::role_type, WireStream& wire, error_code& error) {
  wire.stream().shutdown_write();
  error = {};
}

namespace {
using WireSocket = ws::stream<WireStream, false>;

class BeastWebSocket final : public WebSocket {
 public:
  BeastWebSocket(AnyStream& stream, std::shared_ptr<AnyStream> owned) : owned_(std::move(owned)), wire_(stream) {
    wire_.read_message_max(max_websocket_message);
    wire_.auto_fragment(false);
    // Keep-alive pings find a peer that vanished without a word.
    auto limits = ws::stream_base::timeout::suggested(owned_ ? beast::role_type::client : beast::role_type::server);
    limits.idle_timeout = std::chrono::seconds(60);
    limits.keep_alive_pings = true;
    wire_.set_option(limits);
  }

  [[nodiscard]] WireSocket& wire() { return wire_; }

  Async<std::optional<WebSocketMessage>> receive() override {
    if (ended_) co_return std::nullopt;
    const auto [error, size] = co_await wire_.async_read(buffer_, no_throw);
    if (error) {
      ended_ = true;
      if (error == asio::error::operation_aborted) co_await throw_if_cancelled();
      co_return std::nullopt;
    }
    WebSocketMessage out;
    out.data.assign(static_cast<const char*>(buffer_.data().data()), buffer_.size());
    out.binary = wire_.got_binary();
    buffer_.clear();
    co_return out;
  }

  Async<bool> send_text(std::string_view data) override { return send(data, false); }
  Async<bool> send_binary(std::string_view data) override { return send(data, true); }

  Async<bool> ping() override {
    const auto [error] = co_await wire_.async_ping({}, no_throw);
    co_return !error;
  }

  Async<> close(std::uint16_t code, std::string reason) override {
    if (!wire_.is_open() || dropped_) co_return;
    ws::close_reason wanted;
    wanted.code = code;
    // A close frame holds 123 bytes of text.
    wanted.reason.assign(reason.data(), std::min<std::size_t>(reason.size(), 123));
    [[maybe_unused]] const auto [error] = co_await wire_.async_close(wanted, no_throw);
    ended_ = true;
  }

  Async<> drop() override {
    ended_ = true;
    dropped_ = true;
    wire_.next_layer().stream().shutdown_write();
    co_return;
  }

  std::uint16_t close_code() const override {
    const auto code = wire_.reason().code;
    if (code != 0) return code;
    return ended_ ? 1006 : 0;
  }
  std::string close_reason() const override { return std::string(wire_.reason().reason.data(), wire_.reason().reason.size()); }

 private:
  Async<bool> send(std::string_view data, bool binary) {
    wire_.binary(binary);
    const auto [error, size] = co_await wire_.async_write(asio::buffer(data), no_throw);
    if (error == asio::error::operation_aborted) co_await throw_if_cancelled();
    co_return !error;
  }

  std::shared_ptr<AnyStream> owned_;
  WireSocket wire_;
  beast::flat_buffer buffer_;
  bool ended_ = false;
  bool dropped_ = false;
};

beast::string_view beast_view(std::string_view text) { return {text.data(), text.size()}; }

bool is_handshake_field(std::string_view name) {
  return iequals(name, "Host") || iequals(name, "Connection") || iequals(name, "Upgrade") || iequals(name, "Content-Length") ||
         (name.size() > 14 && iequals(name.substr(0, 14), "Sec-WebSocket-") && !iequals(name, "Sec-WebSocket-Protocol"));
}
}  // namespace

Async<Result<std::unique_ptr<WebSocket>>> accept_websocket(AnyStream& stream, const Request& request, const Headers& extra) {
  beast::http::request<beast::http::empty_body> wire;
  wire.method_string(beast_view(request.method));
  wire.target(beast_view(request.target));
  wire.version(11);
  for (std::size_t i = 0; i < request.headers.size(); ++i) {
    const auto [name, value] = request.headers.at(i);
    wire.insert(beast_view(name), beast_view(value));
  }
  auto out = std::make_unique<BeastWebSocket>(stream, nullptr);
  out->wire().set_option(ws::stream_base::decorator([&extra](ws::response_type& response) {
    for (std::size_t i = 0; i < extra.size(); ++i) {
      const auto [name, value] = extra.at(i);
      if (!is_handshake_field(name)) response.insert(beast_view(name), beast_view(value));
    }
  }));
  const auto [error] = co_await out->wire().async_accept(wire, no_throw);
  if (error) co_return fail(Code::invalid_argument, "websocket handshake: {}", error.message());
  co_return std::unique_ptr<WebSocket>(std::move(out));
}

Async<Result<std::unique_ptr<WebSocket>>> connect_websocket(std::shared_ptr<AnyStream> stream, std::string host, std::string target,
                                                            Headers headers) {
  auto& wire_stream = *stream;
  auto out = std::make_unique<BeastWebSocket>(wire_stream, std::move(stream));
  out->wire().set_option(ws::stream_base::decorator([&headers](ws::request_type& request) {
    for (std::size_t i = 0; i < headers.size(); ++i) {
      const auto [name, value] = headers.at(i);
      if (!is_handshake_field(name)) request.insert(beast_view(name), beast_view(value));
    }
  }));
  ws::response_type answer;
  const auto [error] = co_await out->wire().async_handshake(answer, host, target, no_throw);
  if (error) {
    if (error == ws::error::upgrade_declined) {
      const auto status = static_cast<int>(answer.result_int());
      std::string text(answer.body().data(), answer.body().size());
      if (text.empty()) text = fmt::format("unexpected response code: {}", status);
      co_return fail(Error(Code::unavailable, std::move(text)).with_http_status(status));
    }
    co_return fail(Code::unavailable, "websocket handshake: {}", error.message());
  }
  co_return std::unique_ptr<WebSocket>(std::move(out));
}

Async<> end_socket(WebSocket& socket, std::uint16_t code, std::string reason) {
  constexpr std::chrono::seconds patience{1};
  if (code == vanished) {
    co_await socket.drop();
  } else {
    using namespace asio::experimental::awaitable_operators;
    auto closed = socket.close(code, std::move(reason)) || sleep_for(patience);
    co_await std::move(closed);
  }
  co_await sleep_for(patience);
}

}  // namespace drover::http
