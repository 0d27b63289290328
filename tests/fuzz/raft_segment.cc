// Z-20: the bytes of a log segment: records are intact, torn or refused.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "server/raft/record.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (size < drover::segment_header_bytes) return 0;
  const auto scan = drover::scan_segment(text, 1);
  if (scan.end > size) __builtin_trap();
  return 0;
}
