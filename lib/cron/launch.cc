#include "lib/cron/launch.h"

#include <vector>

#include "lib/cron/schedule.h"
#include "lib/cron/zone_file.h"

namespace drover::cron {

Result<std::optional<std::int64_t>> next_launch(std::span<const std::string> expressions, const std::string& zone, std::int64_t after) {
  auto loaded = load_zone(zone);
  if (!loaded) return fail(loaded.error());
  std::vector<Schedule> schedules;
  for (const std::string& expression : expressions) {
    auto schedule = Schedule::parse(expression);
    if (!schedule) return fail(schedule.error());
    schedules.push_back(std::move(*schedule));
  }
  return next_of(schedules, after, *loaded);
}

}  // namespace drover::cron
