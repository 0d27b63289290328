// Z-09: any text is refused or names instants; the next one is later, and in every zone file that can be read.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "lib/cron/schedule.h"

using namespace drover;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // The expression up to the first zero byte, the zone file behind it.
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t end = bytes.find('\0');
  const auto schedule = cron::Schedule::parse(bytes.substr(0, end));
  if (!schedule) return 0;
  constexpr std::int64_t from = 1'700'000'000;
  const auto next = schedule->next(from, cron::TimeZone());
  if (next && *next <= from) __builtin_trap();
  if (end == std::string_view::npos) return 0;
  const auto zone = cron::TimeZone::parse(bytes.substr(end + 1));
  if (!zone) return 0;
  const auto there = schedule->next(from, *zone);
  if (there && *there <= from) __builtin_trap();
  return 0;
}
