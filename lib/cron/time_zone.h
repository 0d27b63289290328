// A time zone: how far its clock is from UTC at which instant. A value; pure; any thread.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include "lib/cron/posix_rule.h"
#include "sdk/base/error.h"

namespace drover::cron {

class TimeZone {
 public:
  // UTC.
  TimeZone() = default;
  // The contents of a file of the tz database (TZif versions 1 to 4).
  [[nodiscard]] static Result<TimeZone> parse(std::string_view file);

  // While the offset does not change. `begin` and `end` are instants, seconds since the epoch; `end` is not in it.
  struct Stretch {
    std::int64_t begin = std::numeric_limits<std::int64_t>::min();
    std::int64_t end = std::numeric_limits<std::int64_t>::max();
    std::int64_t offset = 0;  // seconds east of UTC
  };
  [[nodiscard]] Stretch stretch_at(std::int64_t instant) const;

 private:
  struct Change {
    std::int64_t at = 0;
    std::int64_t offset = 0;  // from then on
  };
  std::int64_t before_ = 0;  // offset before the first change
  std::vector<Change> changes_;
  std::optional<PosixRule> rule_;  // after the last change
};

}  // namespace drover::cron
