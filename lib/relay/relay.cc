#include "lib/relay/relay.h"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/system/system_error.hpp>

#include "lib/model/codec.h"
#include "lib/relay/socket.h"

namespace drover::relay {
namespace {
using namespace asio::experimental::awaitable_operators;
using http::Response;

constexpr std::size_t part_size = 32 * 1024;
// Requests that came by no listener have none's name.
constexpr std::string_view last_listener = "relay, last";
constexpr std::string_view no_path = "X-Drover-No-Path";

// The connection's own; `Vary` and the CORS fields are added by each agent's router to its own answers.
bool stays_behind(std::string_view name) {
  for (const std::string_view field : {"Connection", "Keep-Alive", "Transfer-Encoding", "Content-Length", "Content-Encoding",
                                       "Accept-Encoding", "Host", "Upgrade", "Expect", "Vary", "Date"}) {
    if (http::iequals(name, field)) return true;
  }
  return name.size() > 15 && http::iequals(name.substr(0, 15), "Access-Control-");
}

template <class Fields>
void copy_headers(const http::Headers& from, Fields& to) {
  for (std::size_t i = 0; i < from.size(); ++i) {
    const auto [name, value] = from.at(i);
    if (!stays_behind(name)) to.push_back({std::string(name), std::string(value)});
  }
}

// Ends a body without its end mark, so that its reader knows it for cut; the connection's coroutine ends as if cancelled.
[[noreturn]] void cut_body() { throw boost::system::system_error(asio::error::operation_aborted); }

Async<> copy_parts(std::shared_ptr<NodeStream> stream, http::ResponseStream& out) {
  for (;;) {
    const auto bytes = co_await stream->receive();
    if (!bytes) cut_body();
    model::HttpRelayPart part;
    if (!model::from_msgpack(*bytes, part)) cut_body();
    if (!part.data.empty()) {
      const bool open = co_await out.write(part.data.data());
      if (!open) co_return;
    }
    if (part.end) co_return;
    if (!part.flush) continue;
    const bool open = co_await out.flush();
    if (!open) co_return;
  }
}

Async<bool> send_message(NodeStream& stream, std::string bytes) {
  const bool sent = co_await stream.send(std::move(bytes));
  co_return sent;
}

class PartWriter final : public http::ResponseStream {
 public:
  explicit PartWriter(NodeStream& stream) : stream_(stream) {}
  Async<bool> write(std::string_view text) override {
    pending_.append(text);
    if (pending_.size() < part_size) co_return !gone_;
    co_return co_await send(false, false);
  }
  Async<bool> flush() override { return send(true, false); }
  [[nodiscard]] bool gone() const override { return gone_; }
  Async<bool> finish() { return send(false, true); }

 private:
  Async<bool> send(bool flush, bool end) {
    if (gone_) co_return false;
    model::HttpRelayPart part;
    part.data = model::Bytes(std::move(pending_));
    pending_ = {};
    part.flush = flush;
    part.end = end;
    const bool sent = co_await send_message(stream_, model::to_msgpack(part));
    gone_ = !sent;
    co_return sent;
  }
  NodeStream& stream_;
  std::string pending_;
  bool gone_ = false;
};

// Returns when the asker has gone: it sends nothing after its request.
Async<> until_gone(NodeStream& stream) {
  for (;;) {
    const auto message = co_await stream.receive();
    if (!message) co_return;
  }
}

// A third party's exception in one handler must not end the agent.
Async<Response> run_handler(const http::Router& router, http::Request request) {
  std::string what;
  try {
    auto response = co_await router.handle(std::move(request));
    co_return response;
  } catch (const boost::system::system_error& error) {
    if (error.code() == asio::error::operation_aborted) throw;
    what = error.what();
  } catch (const std::exception& error) {
    what = error.what();
  }
  co_return Response::text(500, "internal error: " + what);
}

Async<> deliver(Response response, NodeStream& stream) {
  model::HttpRelayHead head;
  head.status = response.status;
  copy_headers(response.headers, head.headers);
  head.body = model::Bytes(response.static_body.empty() ? std::move(response.body) : std::string(response.static_body));
  head.parts_follow = static_cast<bool>(response.stream);
  head.early_head = response.early_head;
  head.until_close = response.until_close;
  head.compress = response.compress;
  const bool sent = co_await send_message(stream, model::to_msgpack(head));
  if (!sent || !response.stream) co_return;
  PartWriter writer(stream);
  bool complete = false;
  try {
    co_await response.stream(writer);
    complete = true;
  } catch (const boost::system::system_error& error) {
    if (error.code() != asio::error::operation_aborted) throw;
  }
  co_await throw_if_cancelled();
  // A body that its writer gave up gets no end.
  if (!complete) co_return;
  [[maybe_unused]] const bool finished = co_await writer.finish();
}

Result<http::Request> to_request(model::HttpRelayRequest message) {
  http::Request out;
  out.method = std::move(message.method);
  out.target = std::move(message.target);
  auto path = http::percent_decode(out.raw_path());
  if (!path || !path->starts_with('/')) return fail(Code::invalid_argument, "the relayed request's path is malformed");
  out.path = std::move(*path);
  out.query = http::Query::parse(out.raw_query());
  for (const auto& field : message.headers) out.headers.add(field.name, field.value);
  out.body = message.body.data();
  if (!message.node.empty()) out.listener = last_listener;
  if (message.websocket) {
    out.headers.set("Connection", "Upgrade");
    out.headers.set("Upgrade", "websocket");
  }
  return out;
}

Async<> run_socket(Response response, NodeStream& stream) {
  const model::HttpRelayHead head{.status = 101, .headers = {}, .body = {}, .parts_follow = false, .early_head = false, .until_close = false, .compress = false};
  const bool sent = co_await send_message(stream, model::to_msgpack(head));
  if (!sent) co_return;
  const auto socket = socket_over(stream);
  co_await response.upgrade(*socket);
  co_await socket->close();
}
}  // namespace

model::HttpRelayRequest to_message(const http::Request& request) {
  model::HttpRelayRequest out;
  out.method = request.method;
  out.target = request.target;
  copy_headers(request.headers, out.headers);
  out.body = model::Bytes(request.body);
  out.websocket = request.is_websocket();
  return out;
}

bool says_no_path(const Response& answer) { return answer.headers.has(no_path); }

Async<> answer_no_path(NodeStream& stream) {
  Response response = Response::text(404, "no path to the node");
  response.headers.add(no_path, "1");
  co_await deliver(std::move(response), stream);
}

bool goes_no_further(const http::Request& request) { return request.listener == last_listener; }

Async<Response> receive_answer(std::unique_ptr<NodeStream> stream, std::chrono::nanoseconds limit, std::string lost) {
  auto either = stream->receive() || sleep_for(limit);
  auto first = co_await std::move(either);
  if (first.index() == 1) co_return Response::text(504, lost + ": no answer in time");
  const auto& bytes = std::get<0>(first);
  model::HttpRelayHead head;
  if (!bytes || !model::from_msgpack(*bytes, head)) {
    const auto end = stream->end();
    co_return Response::text(end || end.error().http_status() == 0 ? 500 : end.error().http_status(),
                             lost + ": " + (end ? "the connection broke" : end.error().message()));
  }
  Response out;
  out.status = static_cast<int>(head.status);
  for (const auto& field : head.headers) out.headers.add(field.name, field.value);
  out.body = head.body.data();
  out.early_head = head.early_head;
  out.until_close = head.until_close;
  out.compress = head.compress;
  if (head.status == 101) {
    const std::shared_ptr<NodeStream> frames = std::move(stream);
    out.upgrade = [frames](http::WebSocket& socket) { return copy_socket(frames, socket); };
  } else if (head.parts_follow) {
    const std::shared_ptr<NodeStream> parts = std::move(stream);
    out.stream = [parts](http::ResponseStream& to) { return copy_parts(parts, to); };
  }
  co_return out;
}

Async<> answer(model::HttpRelayRequest message, NodeStream& stream, const http::Router& router) {
  Response response;
  auto request = to_request(std::move(message));
  if (!request) {
    response = Response::error(request.error());
  } else if (request->is_websocket()) {
    // What the asker sends after its request is for the socket.
    response = co_await run_handler(router, std::move(*request));
    if (response.upgrade) {
      co_await run_socket(std::move(response), stream);
      co_return;
    }
  } else if (request->method == "GET" || request->method == "HEAD") {
    auto either = run_handler(router, std::move(*request)) || until_gone(stream);
    auto first = co_await std::move(either);
    if (first.index() == 1) co_return;
    response = std::get<0>(std::move(first));
  } else {
    // What it changes happens, whether somebody waits for the answer or not.
    response = co_await run_handler(router, std::move(*request));
  }
  auto either = deliver(std::move(response), stream) || until_gone(stream);
  co_await std::move(either);
}

}  // namespace drover::relay
