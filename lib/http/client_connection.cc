#include "lib/http/client_connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>

namespace drover::http {

namespace {
using Generic = asio::generic::stream_protocol;

Error dial_error(const Address& address, const error_code& error) {
  const auto where = address.kind == Address::Kind::unix_socket ? address.path : address.authority();
  return Error(Code::unavailable, fmt::format("connecting to \"{}\": {}", where, error.message())).with_errno(error.value());
}

Async<Result<std::shared_ptr<AnyStream>>> dial_unix(Executor loop, Address address) {
  if (address.path.size() >= 108) co_return fail(Code::invalid_argument, "connecting to \"{}\": the path is too long", address.path);
  auto stream = std::make_shared<AnyStream>(Socket(loop));
  const Generic::endpoint endpoint(asio::local::stream_protocol::endpoint(address.path));
  const auto [error] = co_await stream->socket().async_connect(endpoint, no_throw);
  if (error) co_return fail(dial_error(address, error));
  co_return stream;
}

Async<Result<std::shared_ptr<AnyStream>>> dial_tcp(Executor loop, Address address, std::chrono::nanoseconds limit) {
  asio::ip::tcp::resolver resolver(loop);
  const auto [failed, found] = co_await resolver.async_resolve(address.host, std::to_string(address.port), no_throw);
  if (failed == asio::error::operation_aborted) co_await throw_if_cancelled();
  if (failed) co_return fail(dial_error(address, failed));
  error_code last = asio::error::host_not_found;
  for (const auto& entry : found) {
    auto stream = std::make_shared<AnyStream>(Socket(loop));
    const CutOff cut(loop, stream, limit);
    const Generic::endpoint endpoint(entry.endpoint());
    const auto [error] = co_await stream->socket().async_connect(endpoint, no_throw);
    if (error == asio::error::operation_aborted) co_await throw_if_cancelled();
    if (!error) {
      const int on = 1;
      ::setsockopt(stream->socket().native_handle(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      co_return stream;
    }
    last = cut.passed() ? error_code(asio::error::timed_out) : error;
  }
  co_return fail(dial_error(address, last));
}
}  // namespace

CutOff::CutOff(const Executor& loop, std::weak_ptr<AnyStream> stream, std::chrono::nanoseconds limit) : timer_(loop) {
  if (limit.count() <= 0) return;
  timer_.expires_after(limit);
  timer_.async_wait([passed = passed_, stream = std::move(stream)](const error_code& error) {
    if (error) return;
    *passed = true;
    if (const auto live = stream.lock()) live->abort();
  });
}

Async<Result<std::shared_ptr<AnyStream>>> dial(Executor loop, Address address, ClientOptions options) {
  if (address.kind == Address::Kind::unix_socket) co_return co_await dial_unix(loop, address);
  auto stream = co_await dial_tcp(loop, address, options.connect_timeout);
  if (!stream || address.kind == Address::Kind::http) co_return stream;
  auto context = make_client_context(options.tls);
  if (!context) co_return fail(context.error());
  const auto name = options.tls.server_name.empty() ? address.host : options.tls.server_name;
  const CutOff cut(loop, *stream, options.connect_timeout);
  const auto ready = co_await (*stream)->connect_tls(std::move(*context), name, !options.tls.skip_verify);
  if (!ready) co_return fail(ready.error(), "connecting to \"{}\"", address.authority());
  co_return stream;
}

Async<Result<>> AnswerReader::read_head(bool head_only) {
  std::size_t scanned = 0;
  for (;;) {
    const auto unread = std::string_view(in_).substr(used_);
    const auto end = find_head_end(unread, scanned);
    if (end != std::string_view::npos) {
      head_ = {};
      auto framing = parse_response_head(unread.substr(0, end), head_);
      if (!framing) co_return fail(framing.error());
      used_ += end;
      scanned = 0;
      if (head_.status >= 100 && head_.status < 200 && head_.status != 101) continue;
      framing_ = *framing;
      break;
    }
    if (unread.size() > (1U << 20)) co_return fail(Code::too_large, "reading the answer: its head has more than 1 MiB");
    const bool more = co_await read_more(*stream_, in_, 16 * 1024);
    if (!more) co_return fail(Code::unavailable, "reading the answer: the server has closed the connection (EOF)");
    any_ = true;
  }
  if (head_only || head_.status == 204 || head_.status == 304 || head_.status == 101) {
    finished_ = true;
  } else if (!framing_.chunked && !framing_.has_length) {
    until_close_ = true;
  } else {
    left_ = framing_.length;
    finished_ = !framing_.chunked && left_ == 0;
  }
  const auto encoding = head_.headers.get("Content-Encoding");
  if (iequals(encoding, "gzip")) unpacker_ = std::make_unique<Unpacker>(Encoding::gzip);
  if (iequals(encoding, "deflate")) unpacker_ = std::make_unique<Unpacker>(Encoding::deflate);
  co_return Result<>();
}

Async<Result<bool>> AnswerReader::read_part(std::string& out, std::uint64_t limit) {
  const auto before = out.size();
  while (!finished_ && out.size() == before) {
    if (used_ == in_.size()) {
      in_.clear();
      used_ = 0;
      const bool more = co_await read_more(*stream_, in_, 32 * 1024);
      if (!more) {
        if (!until_close_) co_return fail(Code::unavailable, "reading the answer: unexpected EOF");
        finished_ = true;
        break;
      }
    }
    const auto unread = std::string_view(in_).substr(used_);
    std::string data;
    if (framing_.chunked) {
      const auto taken = decoder_.feed(unread, data);
      if (!taken) co_return fail(taken.error(), "reading the answer");
      used_ += *taken;
      finished_ = decoder_.done();
    } else {
      const auto take = until_close_ ? unread.size() : static_cast<std::size_t>(std::min<std::uint64_t>(left_, unread.size()));
      data.assign(unread.substr(0, take));
      used_ += take;
      if (!until_close_) {
        left_ -= take;
        finished_ = left_ == 0;
      }
    }
    if (unpacker_) {
      const auto unpacked = unpacker_->add(data, out, limit);
      if (!unpacked) co_return fail(unpacked.error(), "reading the answer");
    } else {
      out.append(data);
    }
    if (out.size() > limit) co_return fail(Code::too_large, "reading the answer: its body has more than {} bytes", limit);
  }
  co_return out.size() > before;
}

std::string AnswerReader::take_rest() {
  auto out = in_.substr(used_);
  in_.clear();
  used_ = 0;
  return out;
}

}  // namespace drover::http
