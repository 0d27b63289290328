// Z-02: the canonical layout of any text that parses parses as well, and stays as it is when laid out again.
#include <cstddef>
#include <cstdint>
#include <string>

#include "lib/hcl/format.h"
#include "lib/hcl/parser.h"

using namespace drover::hcl;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto file = make_source("fuzz.hcl", std::string(reinterpret_cast<const char*>(data), size));
  Diagnostics before;
  (void)parse_native(file, before);
  if (before.has_errors()) return 0;
  const auto formatted = make_source("fuzz.hcl", format(file));
  Diagnostics after;
  (void)parse_native(formatted, after);
  if (after.has_errors()) __builtin_trap();
  if (format(formatted) != formatted->text) __builtin_trap();
  return 0;
}
