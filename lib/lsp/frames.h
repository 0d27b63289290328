// The frames of the language server protocol: `Content-Length: n`, other headers, an empty line, n bytes. Fed with pieces of any size.
//
// The other side is not trusted: headers and messages are bounded, and a frame that cannot be understood ends the session, since there
// is no way to find the next one. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sdk/base/error.h"

namespace drover::lsp {

inline constexpr std::size_t max_header_bytes = 4096;
inline constexpr std::size_t max_message_bytes = 16U << 20U;

class FrameReader {
 public:
  void feed(std::string_view bytes) { buffer_.append(bytes); }
  // The next whole message; nothing when more bytes are needed. After an error every call gives one.
  [[nodiscard]] Result<std::optional<std::string>> next();
  // Whether a frame has begun and not ended.
  [[nodiscard]] bool midway() const { return !buffer_.empty(); }

 private:
  std::string buffer_;
};

[[nodiscard]] std::string frame(std::string_view message);

}  // namespace drover::lsp
