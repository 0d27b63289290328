#include "lib/lsp/frames.h"

#include <charconv>

#include "sdk/base/text.h"

namespace drover::lsp {

namespace {

// The length that the headers give.
Result<std::size_t> length_of(std::string_view headers) {
  std::optional<std::size_t> length;
  for (const std::string& line : split(headers, '\n')) {
    const auto [name, rest] = split_once(trim(line), ':');
    if (to_lower(trim(name)) != "content-length") continue;
    const std::string_view text = trim(rest);
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || length) return fail(Code::invalid_argument, "a frame with the Content-Length {}", quote(text.substr(0, 40)));
    length = value;
  }
  if (!length) return fail(Code::invalid_argument, "a frame without Content-Length");
  if (*length > max_message_bytes) return fail(Code::too_large, "a message of {} bytes; at most {} are taken", *length, max_message_bytes);
  return *length;
}

}  // namespace

Result<std::optional<std::string>> FrameReader::next() {
  const std::size_t end = buffer_.find("\r\n\r\n");
  if (end == std::string::npos || end > max_header_bytes) {
    if (buffer_.size() > max_header_bytes) return fail(Code::invalid_argument, "the headers of a frame are longer than {} bytes", max_header_bytes);
    return std::optional<std::string>();
  }
  const auto length = length_of(std::string_view(buffer_).substr(0, end));
  if (!length) return fail(length.error());
  const std::size_t start = end + 4;
  if (buffer_.size() - start < *length) return std::optional<std::string>();
  std::optional<std::string> message = buffer_.substr(start, *length);
  buffer_.erase(0, start + *length);
  return message;
}

std::string frame(std::string_view message) { return fmt::format("Content-Length: {}\r\n\r\n{}", message.size(), message); }

}  // namespace drover::lsp
