#include "lib/http/connection.h"

#include <fmt/format.h>
#include <poll.h>

#include <array>
#include <ctime>

#include "lib/http/response_stream.h"
#include "lib/http/websocket_beast.h"
#include "sdk/base/defer.h"

namespace drover::http {

namespace {
constexpr std::size_t read_size = 16 * 1024;
constexpr std::size_t small_body = 4 * 1024;

bool has_body(int status) { return status >= 200 && status != 204 && status != 304; }

// The client has closed its side or the connection broke, whatever is still unread.
bool peer_gone(int fd) {
  pollfd entry{fd, POLLRDHUP, 0};
  return ::poll(&entry, 1, 0) > 0 && (entry.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}
}  // namespace

std::string ServerContext::pack(Encoding encoding, std::string_view body) {
  const bool small = body.size() <= small_body;
  auto& packer = packers[encoding == Encoding::gzip ? 0 : 1][small ? 0 : 1];
  if (!packer) packer = std::make_unique<Packer>(encoding, small);
  return packer->pack(body);
}

const std::string& ServerContext::http_date() {
  const auto now = std::time(nullptr);
  if (now != date_second) {
    date_second = now;
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    std::array<char, 64> text;
    date.assign(text.data(), std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts));
  }
  return date;
}

void Connection::enter(Phase phase, std::chrono::seconds limit) {
  phase_ = phase;
  deadline_ = limit.count() == 0 ? SteadyTime::max() : std::chrono::steady_clock::now() + limit;
}

void Connection::sweep(SteadyTime now, const std::function<void()>& cancel) {
  if (phase_ == Phase::closed) return;
  if (now > deadline_) {
    deadline_ = SteadyTime::max();
    stream_.abort();
    cancel();
  } else if ((phase_ == Phase::handling && readable_only_) || phase_ == Phase::open) {
    if (!watched_) watch(cancel);
  }
}

void Connection::watch(const std::function<void()>& cancel) {
  if (peer_gone(stream_.socket().native_handle())) return cancel();
  // Unread bytes (a pipelined request) would report readiness for ever; the sweep looks again then.
  pollfd entry{stream_.socket().native_handle(), POLLIN, 0};
  if (::poll(&entry, 1, 0) > 0) return;
  watched_ = true;
  stream_.socket().async_wait(asio::socket_base::wait_read, [self = shared_from_this(), cancel](const error_code& error) {
    self->watched_ = false;
    if (error) return;
    const bool waiting = (self->phase_ == Phase::handling && self->readable_only_) || self->phase_ == Phase::open;
    if (waiting && peer_gone(self->stream_.socket().native_handle())) cancel();
  });
}

Async<Result<Framing>> Connection::read_head(Request& request) {
  const auto& options = context_.options;
  std::size_t scanned = 0;
  // Blank lines before a request are tolerated (RFC 9112 2.2).
  while (used_ < in_.size() && (in_[used_] == '\r' || in_[used_] == '\n')) ++used_;
  for (;;) {
    const auto unread = std::string_view(in_).substr(used_);
    const auto end = find_head_end(unread, scanned);
    const auto size = end == std::string_view::npos ? unread.size() : end;
    if (size > options.max_header_bytes) {
      co_return fail(Error(Code::too_large, "431 Request Header Fields Too Large").with_http_status(431));
    }
    if (end != std::string_view::npos) {
      auto framing = parse_request_head(unread.substr(0, end), options.max_header_fields, request);
      used_ += end;
      co_return framing;
    }
    in_.erase(0, used_);
    used_ = 0;
    if (in_.empty()) {
      enter(Phase::idle, options.idle_timeout);
    } else if (phase_ != Phase::head) {
      enter(Phase::head, options.header_timeout);
    }
    const bool more = co_await read_more(stream_, in_, read_size);
    if (!more) co_return fail(Code::cancelled, "the client has closed the connection");
  }
}

Async<Result<>> Connection::read_body(const Framing& framing, Request& request) {
  if (!framing.chunked && framing.length == 0) co_return Result<>();
  auto limit = context_.router ? context_.router->max_body_bytes(request.method, request.path) : 0;
  if (limit == 0) limit = context_.options.max_body_bytes;
  const auto too_large = [] { return fail(Error(Code::too_large, "http: request body too large").with_http_status(413)); };
  if (framing.length > limit) co_return too_large();
  if (framing.expect_continue && used_ == in_.size()) {
    const bool sent = co_await write_all(stream_, "HTTP/1.1 100 Continue\r\n\r\n", {});
    if (!sent) co_return fail(Code::cancelled, "the client has closed the connection");
  }
  ChunkDecoder decoder;
  std::uint64_t size = 0;
  if (context_.router) request.sink = context_.router->body_sink(request);
  if (!framing.chunked && !request.sink) request.body.reserve(std::min<std::uint64_t>(framing.length, 1 << 20));
  for (;;) {
    const auto unread = std::string_view(in_).substr(used_);
    const std::size_t before = request.body.size();
    bool done = false;
    if (framing.chunked) {
      const auto taken = decoder.feed(unread, request.body);
      if (!taken) co_return fail(Error(taken.error()).with_http_status(400));
      used_ += *taken;
      size += request.body.size() - before;
      if (size > limit) co_return too_large();
      done = decoder.done();
    } else {
      const auto take = std::min<std::uint64_t>(framing.length - size, unread.size());
      request.body.append(unread.substr(0, take));
      used_ += take;
      size += take;
      done = size == framing.length;
    }
    if (request.sink && !request.body.empty()) {
      // Whoever takes it may be slow: only the client's own silence counts against it.
      enter(Phase::handling);
      auto taken = request.sink->take(std::exchange(request.body, {}));
      co_await std::move(taken);
    }
    if (done) co_return Result<>();
    in_.erase(0, used_);
    used_ = 0;
    enter(Phase::body, context_.options.body_timeout);
    const bool more = co_await read_more(stream_, in_, 64 * 1024);
    if (!more) co_return fail(Code::cancelled, "the client has closed the connection");
  }
}

Async<Response> Connection::run_handler(Request request) {
  // A bug or a third-party exception in one handler must not end the agent for everybody.
  std::string what;
  try {
    if (context_.router) {
      auto pending = context_.router->handle(std::move(request));
      auto response = co_await std::move(pending);
      co_return response;
    }
    auto pending = context_.handler(std::move(request));
    auto response = co_await std::move(pending);
    co_return response;
  } catch (const boost::system::system_error& error) {
    if (error.code() == asio::error::operation_aborted) throw;
    what = error.what();
  } catch (const std::exception& error) {
    what = error.what();
  }
  co_return Response::text(500, "internal error: " + what);
}

void Connection::begin_head(const Response& response, const Framing& framing) {
  const auto reason = status_text(response.status);
  head_.clear();
  head_.append(framing.minor_version == 1 ? "HTTP/1.1 " : "HTTP/1.0 ");
  fmt::format_to(std::back_inserter(head_), "{} {}\r\n", response.status, reason);
  for (std::size_t i = 0; i < response.headers.size(); ++i) {
    const auto [name, value] = response.headers.at(i);
    head_.append(name).append(": ");
    // A value from outside must not begin a new field (response splitting).
    for (const char c : value) head_.push_back(c == '\r' || c == '\n' ? ' ' : c);
    head_.append("\r\n");
  }
  if (!response.headers.has("Vary")) head_.append("Vary: Accept-Encoding\r\n");
  head_.append("Date: ").append(context_.http_date()).append("\r\n");
  if (!framing.keep_alive) {
    if (framing.minor_version == 1) head_.append("Connection: close\r\n");
  } else if (framing.minor_version == 0) {
    head_.append("Connection: keep-alive\r\n");
  }
}

Async<bool> Connection::respond(Response response, const Framing& framing, bool head_only, std::string accept) {
  auto encoding = Encoding::identity;
  if (response.compress && !accept.empty() && !response.headers.has("Content-Encoding")) encoding = choose_encoding(accept);
  if (response.stream) co_return co_await respond_stream(std::move(response), framing, head_only, encoding);
  auto body = response.static_body.empty() ? std::string_view(response.body) : response.static_body;
  std::string packed;
  if (encoding != Encoding::identity && !body.empty() && !head_only && has_body(response.status)) {
    packed = context_.pack(encoding, body);
    body = packed;
    response.headers.set("Content-Encoding", encoding == Encoding::gzip ? "gzip" : "deflate");
  }
  begin_head(response, framing);
  const bool chunked = framing.minor_version == 1 && response.static_body.empty() && body.size() > longest_with_length;
  if (!has_body(response.status) || (head_only && (chunked || body.empty()))) {
    head_.append("\r\n");
  } else if (chunked) {
    fmt::format_to(std::back_inserter(head_), "Transfer-Encoding: chunked\r\n\r\n{:x}\r\n", body.size());
    std::string& owned = encoding == Encoding::identity ? response.body : packed;
    owned.append("\r\n0\r\n\r\n");
    body = owned;
  } else {
    fmt::format_to(std::back_inserter(head_), "Content-Length: {}\r\n\r\n", body.size());
  }
  if (head_only || !has_body(response.status)) body = {};
  enter(Phase::writing, context_.options.body_timeout);
  const auto sent = stream_.try_write(head_, body);
  if (sent == head_.size() + body.size()) co_return framing.keep_alive;
  const auto rest_head = sent < head_.size() ? std::string_view(head_).substr(sent) : std::string_view();
  const auto rest_body = sent < head_.size() ? body : body.substr(sent - head_.size());
  const bool written = co_await write_all(stream_, rest_head, rest_body);
  co_return written && framing.keep_alive;
}

Async<bool> Connection::respond_stream(Response response, const Framing& framing, bool head_only, Encoding encoding) {
  const bool chunked = framing.minor_version == 1 && !response.until_close;
  auto shown = framing;
  if (!chunked) shown.keep_alive = false;
  if (encoding != Encoding::identity) response.headers.set("Content-Encoding", encoding == Encoding::gzip ? "gzip" : "deflate");
  begin_head(response, shown);
  if (head_only) {
    head_.append("\r\n");
    const bool written = co_await write_all(stream_, head_, {});
    co_return written && shown.keep_alive;
  }
  enter(Phase::open);
  ++context_.stats.streams;
  const Defer leave([this] { --context_.stats.streams; });
  ChunkedStream out(stream_, std::move(head_), chunked, encoding);
  head_ = {};
  if (response.early_head) {
    const bool sent = co_await out.flush();
    if (!sent) co_return false;
  }
  try {
    co_await response.stream(out);
  } catch (const boost::system::system_error&) {
    // What follows a file has no end but ours; anything else was cut.
    if (context_.closing && response.early_head) out.finish_at_once();
    throw;
  }
  enter(Phase::writing, context_.options.body_timeout);
  const bool ended = co_await out.finish();
  co_return ended && shown.keep_alive;
}

Async<> Connection::upgrade(Request request, Response response) {
  enter(Phase::open);
  ++context_.stats.websockets;
  const Defer leave([this] { --context_.stats.websockets; });
  stream_.unread(std::string_view(in_).substr(used_));
  in_.clear();
  used_ = 0;
  auto socket = co_await accept_websocket(stream_, request, response.headers);
  if (!socket) {
    co_await refuse(Error(socket.error()).with_http_status(400));
    co_return;
  }
  co_await response.upgrade(**socket);
  co_await (*socket)->close();
}

Async<> Connection::refuse(Error error) {
  auto response = Response::error(error);
  const auto status = error.http_status();
  Framing framing;
  framing.keep_alive = false;
  begin_head(response, framing);
  // The status line of an error names its detail: `400 Bad Request: missing required Host header`.
  const auto line_end = head_.find("\r\n");
  const auto& text = response.body;
  if (text.starts_with(std::to_string(status))) head_.replace(9, line_end - 9, text);
  fmt::format_to(std::back_inserter(head_), "Content-Length: {}\r\n\r\n", text.size());
  enter(Phase::writing, std::chrono::seconds(2));
  const bool sent = co_await write_all(stream_, head_, text);
  if (!sent) co_return;
  // Closing with unread bytes would reset the connection and destroy the answer on its way.
  stream_.shutdown_write();
  for (std::size_t drained = 0; drained < (1U << 20); drained += read_size) {
    in_.clear();
    const bool more = co_await read_more(stream_, in_, read_size);
    if (!more) break;
  }
}

Async<> Connection::serve(SslContext tls) {
  // A pending watch holds this object: closing ends it, and the phase tells it that nothing is left to cancel.
  const Defer leave([this] {
    phase_ = Phase::closed;
    error_code ignored;
    stream_.socket().close(ignored);
  });
  if (tls) {
    enter(Phase::handshake, context_.options.tls_handshake_timeout);
    const auto ready = co_await stream_.accept_tls(std::move(tls));
    if (!ready) co_return;
  }
  enter(Phase::idle, context_.options.idle_timeout);
  for (;;) {
    Request request;
    auto framing = co_await read_head(request);
    if (!framing) {
      if (framing.error().code() != Code::cancelled) co_await refuse(framing.error());
      co_return;
    }
    const auto body = co_await read_body(*framing, request);
    if (!body) {
      if (body.error().code() != Code::cancelled) co_await refuse(body.error());
      co_return;
    }
    ++context_.stats.requests;
    request.remote = remote_;
    request.listener = tag_;
    request.secure = stream_.is_tls();
    const bool head_only = request.method == "HEAD";
    const bool websocket = request.is_websocket();
    std::string accept(request.headers.get("Accept-Encoding"));
    // The handshake needs the request again; ordinary requests are given away.
    Request kept;
    if (websocket) kept = request;
    readable_only_ = head_only || request.method == "GET";
    enter(Phase::handling);
    auto response = co_await run_handler(std::move(request));
    if (response.upgrade) {
      if (websocket) {
        co_await upgrade(std::move(kept), std::move(response));
        co_return;
      }
      response = Response::text(400, "websocket: the client is not using the websocket protocol");
    }
    const bool again = co_await respond(std::move(response), *framing, head_only, std::move(accept));
    if (!again) break;
    enter(Phase::idle, context_.options.idle_timeout);
  }
  stream_.shutdown_write();
}

}  // namespace drover::http
