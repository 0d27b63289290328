// Z-08: filter expressions.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "lib/bexpr/filter.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto filter = drover::bexpr::Filter::parse(text);
  if (!filter && filter.error().message().empty()) __builtin_trap();
  return 0;
}
