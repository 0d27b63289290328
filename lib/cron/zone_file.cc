#include "lib/cron/zone_file.h"

#include <cstdlib>

#include "sdk/base/file.h"

namespace drover::cron {
namespace {

constexpr std::size_t max_bytes = 1 << 20;

Result<TimeZone> read_zone(const std::string& path) {
  auto bytes = read_file(path, max_bytes);
  if (!bytes) return fail(bytes.error());
  return TimeZone::parse(*bytes);
}

}  // namespace

Result<TimeZone> load_zone(const std::string& name) {
  if (name.empty() || name == "UTC") return TimeZone();
  if (name == "Local") {
    // What cannot be read means UTC, as the machine's clock then does.
    const char* set = std::getenv("TZ");
    const bool named = set != nullptr && *set != '\0' && std::string(set) != "Local";
    auto local = named ? load_zone(*set == ':' ? set + 1 : set) : read_zone("/etc/localtime");
    return local ? std::move(*local) : TimeZone();
  }
  // The name comes with a job: it stays below the folders.
  if (name.find("..") != std::string::npos || name.front() == '/' || name.front() == '\\' || name.find('\0') != std::string::npos) {
    return fail(Code::invalid_argument, "time: invalid location name");
  }
  const char* first = std::getenv("ZONEINFO");
  for (const char* folder : {first, "/usr/share/zoneinfo", "/usr/share/lib/zoneinfo", "/usr/lib/locale/TZ", "/etc/zoneinfo"}) {
    if (folder == nullptr || *folder == '\0') continue;
    auto zone = read_zone(std::string(folder) + "/" + name);
    if (zone) return zone;
  }
  return fail(Code::not_found, "unknown time zone {}", name);
}

}  // namespace drover::cron
