// The HTTP/1.1 server: any number of TCP and unix listeners in front of one handler, all on the loop. Owned by the agent's
// composition root; `co_await close()` before it dies. Pipelined requests of a connection are answered one by one, in order.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "lib/http/message.h"
#include "lib/http/router.h"
#include "lib/http/tls.h"
#include "sdk/async/scope.h"

namespace drover::http {

struct ServerOptions {
  std::uint32_t max_header_bytes = 1 << 20;      // 431 beyond it
  std::uint32_t max_header_fields = 1000;        // 431 beyond it
  std::uint64_t max_body_bytes = 64ULL << 20;    // 413 beyond it, unless the route has its own
  std::uint32_t max_connections_per_client = 100;  // 429 beyond it; 0 is no limit; an IPv6 client is its /64
  std::uint32_t max_connections = 20'000;
  std::chrono::seconds header_timeout{60};       // from the first byte of a request to the end of its head
  std::chrono::seconds body_timeout{300};        // for the body; each received part starts it anew
  std::chrono::seconds idle_timeout{120};        // between requests, and before the first
  std::chrono::seconds tls_handshake_timeout{5};
};

struct ListenOptions {
  std::string tag;                        // becomes Request::listener
  std::optional<TlsServerOptions> tls;
  std::uint32_t unix_mode = 0600;         // permissions of a unix socket
};

// What the metrics and `agent-info` show.
struct ServerStats {
  std::uint64_t connections = 0;   // open now
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;       // by the per-client limit
  std::uint64_t requests = 0;
  std::uint64_t streams = 0;       // open now
  std::uint64_t websockets = 0;    // open now
};

using ListenerId = std::uint64_t;

class Server {
 public:
  // `router` must outlive the server.
  Server(Executor loop, const Router& router, ServerOptions options = {});
  // Every request goes to `handler` as it is: for tests and small servers.
  Server(Executor loop, Handler handler, ServerOptions options = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Port 0 takes a free one; see port(). `address` is an IP address.
  [[nodiscard]] Result<ListenerId> listen_tcp(const std::string& address, std::uint16_t port, ListenOptions options = {});
  // Replaces a stale socket file at `path`.
  [[nodiscard]] Result<ListenerId> listen_unix(const std::string& path, ListenOptions options = {});
  [[nodiscard]] std::uint16_t port(ListenerId id) const;
  // Stops accepting and removes a unix socket's file. Its open connections go on.
  void close_listener(ListenerId id);
  // Reads every TLS listener's files again; connections that are open keep the old ones.
  [[nodiscard]] Result<> reload_tls();

  // The handler, called in process, without a connection.
  [[nodiscard]] Async<Response> dispatch(Request request);
  [[nodiscard]] ServerStats stats() const;
  // Stops accepting, cancels every connection and waits for them.
  [[nodiscard]] Async<> close();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace drover::http
