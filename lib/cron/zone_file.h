// Time zones by name from the tz database of the machine. Reads a file: not for the loop's hot path.
#pragma once

#include <string>

#include "lib/cron/time_zone.h"

namespace drover::cron {

// "" and "UTC" need no file; "Local" is the machine's own zone. `$ZONEINFO` is looked into before the usual places.
[[nodiscard]] Result<TimeZone> load_zone(const std::string& name);

}  // namespace drover::cron
