// A cron expression: which instants it names. A value; pure; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "lib/cron/field.h"
#include "lib/cron/time_zone.h"

namespace drover::cron {

class Schedule {
 public:
  // Five fields (minute, hour, day of month, month, day of week), six (with a year) or seven (with seconds in front); what follows is
  // ignored. Or @yearly, @annually, @monthly, @weekly, @daily, @hourly.
  [[nodiscard]] static Result<Schedule> parse(std::string_view text);

  // The first instant after `after` whose clock time in the zone fits, in seconds since the epoch; none up to the year 2099: nothing.
  [[nodiscard]] std::optional<std::int64_t> next(std::int64_t after, const TimeZone& zone) const;

 private:
  // The first clock time at or after the given one, both in seconds as if the clock showed UTC.
  [[nodiscard]] std::optional<std::int64_t> next_clock(std::int64_t from) const;
  [[nodiscard]] bool day_fits(int year, int month, int day) const;
  [[nodiscard]] std::optional<int> next_second_of_day(int from) const;

  std::array<Field, 7> fields_;
};

// The earliest of several.
[[nodiscard]] std::optional<std::int64_t> next_of(std::span<const Schedule> schedules, std::int64_t after, const TimeZone& zone);

}  // namespace drover::cron
