// What a handler gets and gives back. Values; a Response may carry a coroutine that goes on writing.
//
// A handler of a stream is a plain lambda that calls a named coroutine (never a capturing lambda that is one):
//   response.stream = [state](ResponseStream& out) { return follow_log(state, out); };   // Async<> follow_log(State, ResponseStream&)
// When the client goes away, the coroutine of a stream, of a websocket or of a GET is cancelled (its wait throws); handlers of
// other methods are let finish, because what they changed has happened.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/http/headers.h"
#include "lib/http/url.h"
#include "sdk/async/asio.h"
#include "sdk/base/error.h"

namespace drover::http {

class WebSocket;

// Takes a request's body part by part, where a route asks for it (RouteOptions::sink). What goes wrong in it is for the handler to say.
class BodySink {
 public:
  virtual ~BodySink() = default;
  // Returns when it can take more.
  [[nodiscard]] virtual Async<> take(std::string part) = 0;
};

struct Request {
  std::string method;
  std::string target;  // as sent: `/v1/job/a%2Fb?index=1`
  std::string path;    // decoded: `/v1/job/a/b`
  Query query;
  Headers headers;
  std::string body;
  std::shared_ptr<BodySink> sink;  // got the body, in the place of `body`
  std::string remote;    // `ip:port`; empty on unix sockets and in process
  std::string listener;  // ListenOptions::tag of the listener it came by
  bool secure = false;   // came by TLS
  // Filled by the Router: what `{name}` and `{name...}` matched, decoded.
  std::vector<std::pair<std::string_view, std::string>> params;

  // The pattern's parameter; empty when the pattern has none of that name.
  [[nodiscard]] std::string_view param(std::string_view name) const;
  // The part of the target before `?`, still encoded.
  [[nodiscard]] std::string_view raw_path() const;
  [[nodiscard]] std::string_view raw_query() const;
  [[nodiscard]] bool is_websocket() const;
};

// The body of a streaming response. Text is held back until 32 KiB, flush() or the end; then it goes out as one chunk.
class ResponseStream {
 public:
  virtual ~ResponseStream() = default;
  // False when the client has gone; the writer should return then.
  [[nodiscard]] virtual Async<bool> write(std::string_view text) = 0;
  [[nodiscard]] virtual Async<bool> flush() = 0;
  [[nodiscard]] virtual bool gone() const = 0;
};

struct Response {
  using Stream = std::function<Async<>(ResponseStream&)>;
  using Upgrade = std::function<Async<>(WebSocket&)>;

  int status = 200;
  Headers headers;
  std::string body;
  // Instead of `body`: bytes that outlive the server (embedded files), sent without a copy.
  std::string_view static_body;
  // Instead of a body: writes one. The head is sent when it first flushes or ends, or at once with `early_head`.
  Stream stream;
  bool early_head = true;
  // The stream's body ends with the connection, neither length nor chunks (event stream).
  bool until_close = false;
  // Only for a request that is_websocket(): the handshake is answered, then this runs.
  Upgrade upgrade;
  // False for event streams and for bodies that are compressed already.
  bool compress = true;

  [[nodiscard]] static Response text(int status, std::string body);
  [[nodiscard]] static Response json(std::string body, int status = 200);
  // Status by to_http_status, the message as plain text.
  [[nodiscard]] static Response error(const Error& error);
  // 307 unless told otherwise.
  [[nodiscard]] static Response redirect(std::string_view location, int status = 307);
};

using Handler = std::function<Async<Response>(Request)>;

// Go's reason phrase; empty for an unknown status.
[[nodiscard]] std::string_view status_text(int status);

}  // namespace drover::http
