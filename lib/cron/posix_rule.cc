#include "lib/cron/posix_rule.h"

#include <algorithm>
#include <array>

#include "lib/cron/civil.h"

namespace drover::cron {

// Takes one part after the other off the front of the text.
class PosixReader {
 public:
  explicit PosixReader(std::string_view text) : left_(text) {}

  bool done() const { return left_.empty(); }
  bool accept(char c) {
    if (left_.empty() || left_[0] != c) return false;
    left_.remove_prefix(1);
    return true;
  }
  // CEST or <+0330>
  bool name() {
    if (accept('<')) {
      const std::size_t end = left_.find('>');
      if (end == std::string_view::npos || end < 3) return false;
      left_.remove_prefix(end + 1);
      return true;
    }
    const std::size_t end = std::min(left_.find_first_of("0123456789+-,"), left_.size());
    left_.remove_prefix(end);
    return end >= 3;
  }
  std::optional<int> number(int max) {
    int out = 0;
    std::size_t i = 0;
    for (; i < left_.size() && left_[i] >= '0' && left_[i] <= '9'; i++) {
      out = out * 10 + (left_[i] - '0');
      if (out > max) return std::nullopt;
    }
    if (i == 0) return std::nullopt;
    left_.remove_prefix(i);
    return out;
  }
  // [+-]hh[:mm[:ss]]
  std::optional<std::int64_t> time(int max_hours) {
    const bool negative = accept('-');
    if (!negative) accept('+');
    const auto hours = number(max_hours);
    if (!hours) return std::nullopt;
    std::int64_t out = std::int64_t{*hours} * 3600;
    for (const int unit : {60, 1}) {
      if (!accept(':')) break;
      const auto part = number(59);
      if (!part) return std::nullopt;
      out += std::int64_t{*part} * unit;
    }
    return negative ? -out : out;
  }
  std::optional<PosixRule::Day> day() {
    using Kind = PosixRule::Day::Kind;
    PosixRule::Day out;
    if (accept('M')) {
      const auto month = number(12);
      const auto week = accept('.') ? number(5) : std::nullopt;
      const auto weekday = accept('.') ? number(6) : std::nullopt;
      if (!month || !week || !weekday || *month == 0 || *week == 0) return std::nullopt;
      out.month = *month;
      out.week = *week;
      out.weekday = *weekday;
    } else {
      out.kind = accept('J') ? Kind::julian : Kind::zero_based;
      const auto day = number(365);
      if (!day || (out.kind == Kind::julian && *day == 0)) return std::nullopt;
      out.number = *day;
    }
    if (accept('/')) {
      const auto at = time(167);
      if (!at) return std::nullopt;
      out.time = *at;
    }
    return out;
  }

 private:
  std::string_view left_;
};

std::optional<PosixRule> PosixRule::parse(std::string_view text) {
  PosixReader reader(text);
  PosixRule out;
  if (!reader.name()) return std::nullopt;
  const auto standard = reader.time(24);
  if (!standard) return std::nullopt;
  out.standard_ = -*standard;  // POSIX counts west of Greenwich
  if (reader.done()) return out;
  if (!reader.name()) return std::nullopt;
  out.has_summer_ = true;
  out.summer_ = out.standard_ + 3600;
  if (!reader.accept(',')) {
    const auto summer = reader.time(24);
    if (!summer || !reader.accept(',')) return std::nullopt;
    out.summer_ = -*summer;
  }
  const auto begin = reader.day();
  if (!begin || !reader.accept(',')) return std::nullopt;
  const auto end = reader.day();
  if (!end || !reader.done()) return std::nullopt;
  out.begin_ = *begin;
  out.end_ = *end;
  return out;
}

std::int64_t PosixRule::Day::in(int year) const {
  std::int64_t day = 0;
  if (kind == Kind::weekday_of_month) {
    const int first = weekday >= cron::weekday(year, month, 1) ? weekday - cron::weekday(year, month, 1) : weekday - cron::weekday(year, month, 1) + 7;
    int of_month = 1 + first + (week - 1) * 7;
    if (of_month > days_in_month(year, month)) of_month -= 7;  // week 5 is the last one
    day = days_from({year, month, of_month});
  } else {
    // J60 is March 1st in every year.
    const bool after_leap_day = kind == Kind::julian && number >= 60 && is_leap(year);
    day = days_from({year, 1, 1}) + number - (kind == Kind::julian ? 1 : 0) + (after_leap_day ? 1 : 0);
  }
  return day * seconds_per_day + time;
}

std::pair<std::int64_t, std::optional<std::int64_t>> PosixRule::at(std::int64_t instant) const {
  if (!has_summer_) return {standard_, std::nullopt};
  // The changes of the years around, in order: the last one before the instant says the offset.
  struct Change {
    std::int64_t at;
    std::int64_t offset;
  };
  std::array<Change, 8> changes{};
  const int year = date_of(floor_div(instant + standard_, seconds_per_day)).year;
  std::size_t count = 0;
  for (int y = year - 1; y <= year + 2; y++) {
    changes[count++] = {begin_.in(y) - standard_, summer_};
    changes[count++] = {end_.in(y) - summer_, standard_};
  }
  std::ranges::sort(changes, {}, &Change::at);
  const auto next = std::ranges::find_if(changes, [&](const Change& change) { return change.at > instant; });
  return {std::prev(next)->offset, next->at};
}

}  // namespace drover::cron
