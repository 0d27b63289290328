// An HTTP/1.1 client for the command line, the agent's outside callers and tests: TCP, TLS and unix sockets, gzip unpacked,
// streamed bodies, websockets and hijacked connections. Use on one loop. Idle connections are kept and used again; a request
// that met a connection the server had just closed is sent once more on a new one when it has no effect twice.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "lib/http/message.h"
#include "lib/http/tls.h"
#include "lib/http/websocket.h"

namespace drover::http {

struct ClientOptions {
  std::chrono::nanoseconds connect_timeout = std::chrono::seconds(10);
  std::chrono::nanoseconds request_timeout{0};  // to the end of the answer; 0 waits for ever
  std::uint64_t max_body_bytes = 1ULL << 30;
  std::size_t max_idle_connections = 8;
  TlsClientOptions tls;
  bool accept_gzip = true;
};

struct ClientRequest {
  std::string method = "GET";
  std::string target = "/";  // encoded path and query; the address's base path is put before it
  Headers headers;
  std::string body;
  // In the place of `body`: so many bytes of an open file, from its start. Read on the loop: for programs that do nothing else.
  int body_file = -1;
  std::uint64_t body_file_bytes = 0;
};

struct ClientResponse {
  int status = 0;
  std::string reason;
  Headers headers;
  std::string body;
};

// A byte stream that is no longer HTTP (Docker's and Podman's attach).
class RawStream {
 public:
  virtual ~RawStream() = default;
  // Empty at the end.
  [[nodiscard]] virtual Async<Result<std::string>> read() = 0;
  [[nodiscard]] virtual Async<Result<>> write(std::string_view data) = 0;
  virtual void shutdown_write() = 0;
};

// An answer whose body is read as it comes. Dropping it closes the connection.
class StreamingResponse {
 public:
  virtual ~StreamingResponse() = default;
  [[nodiscard]] virtual const ClientResponse& head() const = 0;  // `body` stays empty
  // The next part, unpacked; empty at the end of the body.
  [[nodiscard]] virtual Async<Result<std::string>> read() = 0;
  // The next line without its end; nothing at the end of the body.
  [[nodiscard]] virtual Async<Result<std::optional<std::string>>> read_line() = 0;
  // The rest of the body.
  [[nodiscard]] virtual Async<Result<std::string>> read_all() = 0;
};

class Client {
 public:
  Client(Executor loop, Address address, ClientOptions options = {});
  ~Client();
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;

  // An answer of any status is a value; an error means there was none.
  [[nodiscard]] Async<Result<ClientResponse>> send(ClientRequest request);
  [[nodiscard]] Async<Result<std::unique_ptr<StreamingResponse>>> stream(ClientRequest request);
  // A refused handshake is an error with the answer's status (Error::http_status) and its body as the message.
  [[nodiscard]] Async<Result<std::unique_ptr<WebSocket>>> websocket(ClientRequest request);
  // For `Upgrade: tcp`: the raw connection after a 101 or 200 head; other statuses are errors as in websocket().
  [[nodiscard]] Async<Result<std::unique_ptr<RawStream>>> hijack(ClientRequest request);
  [[nodiscard]] const Address& address() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace drover::http
