// One field of a cron expression. Internal to lib/cron.
#pragma once

#include <bitset>
#include <string_view>

#include "sdk/base/error.h"

namespace drover::cron {

enum class FieldKind { second, minute, hour, day_of_month, month, day_of_week, year };

inline constexpr int first_year = 1970;
inline constexpr int last_year = 2099;

// Values that fit; years count from first_year.
using Values = std::bitset<130>;

struct Field {
  Values values;
  bool any = false;                // `*` or `?` is among the entries
  bool last_day = false;           // L
  bool last_workday = false;       // LW
  Values near_workdays;            // 15W
  Values last_weekdays;            // 5L
  Values nth_weekdays;             // 2#1: (n - 1) * 7 + day
};

[[nodiscard]] Result<Field> parse_field(FieldKind kind, std::string_view text);

}  // namespace drover::cron
