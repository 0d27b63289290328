// Reads HTTP/1.1 heads and chunked bodies out of a buffer. Pure; shared by server and client; private to lib/http.
//
// Strict where leniency lets two readers disagree about where a message ends (N-smuggling: length with chunked, repeated
// lengths, folded lines, blanks before the colon), lenient where Go is: lines may end in LF alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/http/message.h"

namespace drover::http {

struct Framing {
  int minor_version = 1;
  bool keep_alive = true;
  bool chunked = false;
  bool has_length = false;
  std::uint64_t length = 0;
  bool expect_continue = false;
};

// Position after the blank line that ends the head, npos while it is not there. `scanned` remembers how far it has looked.
[[nodiscard]] std::size_t find_head_end(std::string_view buffer, std::size_t& scanned);

// The error carries the status to answer; its message is the whole body (`400 Bad Request`).
[[nodiscard]] Result<Framing> parse_request_head(std::string_view head, std::uint32_t max_fields, Request& out);

struct ResponseHead {
  int status = 0;
  std::string reason;
  Headers headers;
};
[[nodiscard]] Result<Framing> parse_response_head(std::string_view head, ResponseHead& out);

// Takes a chunked body apart.
class ChunkDecoder {
 public:
  // Appends the data found in `input` to `out` and returns how many bytes of input were used; look at done() afterwards.
  [[nodiscard]] Result<std::size_t> feed(std::string_view input, std::string& out);
  [[nodiscard]] bool done() const { return state_ == State::done; }

 private:
  enum class State : std::uint8_t { size, data, data_end, trailer, done };
  [[nodiscard]] Result<> line(std::string_view text);
  State state_ = State::size;
  std::uint64_t left_ = 0;
  std::size_t trailer_bytes_ = 0;
  std::string partial_;
};

}  // namespace drover::http
