#include "lib/http/response_stream.h"

#include <fmt/format.h>

#include "lib/http/connection.h"

namespace drover::http {

namespace {
constexpr std::size_t hold_back = 32 * 1024;
}

void ChunkedStream::finish_at_once() {
  if (chunked_ && !packer_ && head_.empty() && pending_.empty() && !gone_) [[maybe_unused]] const auto sent = stream_.try_write("0\r\n\r\n", {});
}

Async<bool> ChunkedStream::write(std::string_view text) {
  pending_.append(text);
  if (pending_.size() < hold_back) co_return !gone_;
  co_return co_await send(Packer::Mode::more);
}

Async<bool> ChunkedStream::flush() { return send(Packer::Mode::flush); }

Async<bool> ChunkedStream::finish() { return send(Packer::Mode::end); }

Async<bool> ChunkedStream::send(Packer::Mode mode) {
  if (gone_) co_return false;
  std::string body;
  const bool end = mode == Packer::Mode::end;
  if (packer_) {
    // A stream that never wrote has an empty body, not an empty archive.
    if (!pending_.empty() || packed_any_) {
      packed_any_ = true;
      packer_->add(pending_, mode, body);
    }
    pending_.clear();
  } else {
    body = std::move(pending_);
    pending_ = {};
  }
  auto head = std::move(head_);
  head_ = {};
  const bool whole = chunked_ && end && !head.empty() && body.size() <= longest_with_length;
  if (whole) {
    fmt::format_to(std::back_inserter(head), "Content-Length: {}\r\n\r\n", body.size());
  } else if (!head.empty()) {
    head.append(chunked_ ? "Transfer-Encoding: chunked\r\n\r\n" : "\r\n");
  }
  if (chunked_ && !whole) {
    if (!body.empty()) {
      fmt::format_to(std::back_inserter(head), "{:x}\r\n", body.size());
      body.append("\r\n");
    }
    if (end) body.append("0\r\n\r\n");
  }
  if (head.empty() && body.empty()) co_return true;
  const bool sent = co_await write_all(stream_, head, body);
  gone_ = !sent;
  co_return sent;
}

}  // namespace drover::http
