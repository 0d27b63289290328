// Z-08: versions and constraints; an accepted version equals what it prints.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "lib/version/version.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto version = drover::Version::parse(text);
  if (version) {
    const auto again = drover::Version::parse(version->to_string());
    if (!again || *again != *version) __builtin_trap();
  }
  const auto constraint = drover::VersionConstraint::parse(text, drover::VersionRules::semver);
  if (constraint && version) [[maybe_unused]] const bool matches = constraint->matches(*version);
  return 0;
}
