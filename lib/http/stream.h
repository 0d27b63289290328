// A connected byte stream of any sort: TCP or unix socket, bare or under TLS. Private to lib/http. It has the shape of an Asio
// AsyncStream, so Beast's websocket runs on it as well. Bytes read too early can be given back with unread().
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/uio.h>

#include "lib/http/tls.h"
#include "sdk/async/asio.h"
#include "sdk/base/error.h"

namespace drover::http {

using Socket = asio::basic_stream_socket<asio::generic::stream_protocol, asio::any_io_executor>;
using SslContext = std::shared_ptr<asio::ssl::context>;
using boost::system::error_code;

[[nodiscard]] Result<SslContext> make_server_context(const TlsServerOptions& options);
[[nodiscard]] Result<SslContext> make_client_context(const TlsClientOptions& options);

class AnyStream {
 public:
  using executor_type = asio::any_io_executor;

  explicit AnyStream(Socket socket) : socket_(std::move(socket)) {}
  [[nodiscard]] executor_type get_executor() { return socket_.get_executor(); }
  [[nodiscard]] Socket& socket() { return socket_; }
  [[nodiscard]] bool is_tls() const { return tls_ != nullptr; }

  // Errors name the step. The context is kept for the stream's life.
  [[nodiscard]] Async<Result<>> accept_tls(SslContext context);
  [[nodiscard]] Async<Result<>> connect_tls(SslContext context, std::string name, bool verify);

  void unread(std::string_view bytes) { early_.insert(0, bytes); }
  // Ends both directions; pending operations fail. The descriptor stays until destruction.
  void abort() {
    error_code ignored;
    socket_.shutdown(asio::socket_base::shutdown_both, ignored);
    socket_.cancel(ignored);
  }
  void shutdown_write() {
    error_code ignored;
    socket_.shutdown(asio::socket_base::shutdown_send, ignored);
  }

  // Writes what the kernel takes at once, bare sockets only; 0 when it takes nothing or the stream is under TLS.
  [[nodiscard]] std::size_t try_write(std::string_view head, std::string_view body) {
    if (tls_) return 0;
    iovec parts[2] = {{const_cast<char*>(head.data()), head.size()}, {const_cast<char*>(body.data()), body.size()}};
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = body.empty() ? 1 : 2;
    const auto sent = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent > 0 ? static_cast<std::size_t>(sent) : 0;
  }

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return asio::async_initiate<Token, void(error_code, std::size_t)>(
        [this](auto handler, const Buffers& to) {
          if (!early_.empty()) {
            const auto size = asio::buffer_copy(to, asio::buffer(early_));
            early_.erase(0, size);
            auto executor = asio::get_associated_executor(handler, socket_.get_executor());
            asio::post(executor, [handler = std::move(handler), size]() mutable { std::move(handler)(error_code(), size); });
          } else if (tls_) {
            tls_->async_read_some(to, std::move(handler));
          } else {
            socket_.async_read_some(to, std::move(handler));
          }
        },
        token, buffers);
  }
  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return asio::async_initiate<Token, void(error_code, std::size_t)>(
        [this](auto handler, const Buffers& from) {
          if (tls_) {
            tls_->async_write_some(from, std::move(handler));
          } else {
            socket_.async_write_some(from, std::move(handler));
          }
        },
        token, buffers);
  }

 private:
  Socket socket_;
  SslContext context_;
  std::unique_ptr<asio::ssl::stream<Socket&>> tls_;
  std::string early_;
};

// Reads at least one byte behind the end of `buffer`; false at the end of the stream or on failure.
[[nodiscard]] Async<bool> read_more(AnyStream& stream, std::string& buffer, std::size_t at_most);
// Writes everything; false when the other side is gone. The texts must live until it returns.
[[nodiscard]] Async<bool> write_all(AnyStream& stream, std::string_view head, std::string_view body);

}  // namespace drover::http
