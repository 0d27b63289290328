// The Gregorian calendar in numbers. Pure.
#pragma once

#include <cstdint>

namespace drover::cron {

inline constexpr std::int64_t seconds_per_day = 86400;

struct Date {
  int year = 1970;
  int month = 1;
  int day = 1;
};

[[nodiscard]] constexpr std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0); }

[[nodiscard]] constexpr bool is_leap(int year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

[[nodiscard]] constexpr int days_in_month(int year, int month) {
  constexpr int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

// Days since 1970-01-01. Years are counted from March, so that the leap day is the last.
[[nodiscard]] constexpr std::int64_t days_from(Date date) {
  const std::int64_t year = date.month <= 2 ? date.year - 1 : date.year;
  const std::int64_t era = floor_div(year, 400);
  const std::int64_t of_era = year - era * 400;
  const std::int64_t of_year = (153 * (date.month + (date.month > 2 ? -3 : 9)) + 2) / 5 + date.day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

[[nodiscard]] constexpr Date date_of(std::int64_t days) {
  days += 719468;
  const std::int64_t era = floor_div(days, 146097);
  const std::int64_t of_era = days - era * 146097;
  const std::int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  const std::int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
  const std::int64_t shifted = (5 * of_year + 2) / 153;
  const int month = static_cast<int>(shifted < 10 ? shifted + 3 : shifted - 9);
  return {static_cast<int>(year + era * 400 + (month <= 2 ? 1 : 0)), month, static_cast<int>(of_year - (153 * shifted + 2) / 5 + 1)};
}

// 0 is Sunday.
[[nodiscard]] constexpr int weekday(int year, int month, int day) {
  const std::int64_t days = days_from({year, month, day}) + 4;
  return static_cast<int>(days - floor_div(days, 7) * 7);
}

}  // namespace drover::cron
