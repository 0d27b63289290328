// Z-12: the head of a request, and a chunked body.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "lib/http/message.h"
#include "lib/http/parser.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  drover::http::Request request;
  [[maybe_unused]] const auto framing = drover::http::parse_request_head(text, 100, request);
  drover::http::ChunkDecoder decoder;
  std::string body;
  const auto used = decoder.feed(text, body);
  if (used && (*used > size || body.size() > size)) __builtin_trap();
  return 0;
}
