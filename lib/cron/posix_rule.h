// The rule of a zone for the time after its table ends, as POSIX writes it: `CET-1CEST,M3.5.0,M10.5.0/3`.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace drover::cron {

class PosixRule {
 public:
  [[nodiscard]] static std::optional<PosixRule> parse(std::string_view text);

  // Offset at an instant, and the next instant at which it changes; none when it never does.
  [[nodiscard]] std::pair<std::int64_t, std::optional<std::int64_t>> at(std::int64_t instant) const;

 private:
  struct Day {
    enum class Kind { weekday_of_month, julian, zero_based } kind = Kind::weekday_of_month;
    int month = 1, week = 1, weekday = 0, number = 0;
    std::int64_t time = 7200;

    // Clock time of the year's change, in seconds as if the clock showed UTC.
    [[nodiscard]] std::int64_t in(int year) const;
  };
  friend class PosixReader;

  std::int64_t standard_ = 0;
  std::int64_t summer_ = 0;
  bool has_summer_ = false;
  Day begin_;
  Day end_;
};

}  // namespace drover::cron
