// One client's connection on the server side: reads a request, runs the handler, writes the answer, again. Private to lib/http.
// Owned by the server's list; lives on the loop. The server's sweep enforces deadlines and watches for clients that vanish while
// their handler waits, so an ordinary request sets no timer.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "lib/http/parser.h"
#include "lib/http/server.h"
#include "lib/http/stream.h"
#include "lib/http/zip.h"

namespace drover::http {

// Go's: a longer body that was not given a length is chunked.
inline constexpr std::size_t longest_with_length = 2048;

using SteadyTime = std::chrono::steady_clock::time_point;

// What all connections of a server share.
struct ServerContext {
  ServerOptions options;
  Handler handler;
  const Router* router = nullptr;
  ServerStats stats;
  // Packers kept between answers, by encoding and size.
  std::unique_ptr<Packer> packers[2][2];
  std::string date;
  std::int64_t date_second = 0;
  bool closing = false;

  [[nodiscard]] std::string pack(Encoding encoding, std::string_view body);
  [[nodiscard]] const std::string& http_date();
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(ServerContext& context, Socket socket, std::string remote, std::string client, std::string tag)
      : context_(context), stream_(std::move(socket)), remote_(std::move(remote)), client_(std::move(client)), tag_(std::move(tag)) {}

  // Until the connection is over.
  [[nodiscard]] Async<> serve(SslContext tls);
  // Called about twice a second. `cancel` ends the coroutine that serves.
  void sweep(SteadyTime now, const std::function<void()>& cancel);
  // Key of the per-client limit.
  [[nodiscard]] const std::string& client() const { return client_; }

 private:
  enum class Phase : std::uint8_t { handshake, idle, head, body, handling, writing, open, closed };

  void enter(Phase phase, std::chrono::seconds limit = std::chrono::seconds(0));
  [[nodiscard]] Async<Result<Framing>> read_head(Request& request);
  [[nodiscard]] Async<Result<>> read_body(const Framing& framing, Request& request);
  [[nodiscard]] Async<Response> run_handler(Request request);
  // False when the connection must end.
  [[nodiscard]] Async<bool> respond(Response response, const Framing& framing, bool head_only, std::string accept);
  [[nodiscard]] Async<bool> respond_stream(Response response, const Framing& framing, bool head_only, Encoding encoding);
  [[nodiscard]] Async<> upgrade(Request request, Response response);
  [[nodiscard]] Async<> refuse(Error error);
  // Writes status line and fields but for the blank line.
  void begin_head(const Response& response, const Framing& framing);
  void watch(const std::function<void()>& cancel);

  ServerContext& context_;
  AnyStream stream_;
  std::string remote_;
  std::string client_;
  std::string tag_;
  std::string in_;
  std::size_t used_ = 0;  // bytes of in_ that belong to finished requests
  std::string head_;
  SteadyTime deadline_ = SteadyTime::max();
  Phase phase_ = Phase::idle;
  bool readable_only_ = false;  // the handler may be cut when the client vanishes
  bool watched_ = false;
};

}  // namespace drover::http
