// Z-02: any text gives a tree, and diagnostics that can be shown.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "lib/hcl/parser.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto file = drover::hcl::make_source("fuzz.hcl", std::string(text));
  drover::hcl::Diagnostics diagnostics;
  if (drover::hcl::parse_native(file, diagnostics) == nullptr) __builtin_trap();
  for (const auto& one : diagnostics.items()) {
    if (drover::hcl::render(one).empty()) __builtin_trap();
  }
  return 0;
}
