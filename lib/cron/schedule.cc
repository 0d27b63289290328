#include "lib/cron/schedule.h"

#include <algorithm>
#include <string>
#include <vector>

#include "lib/cron/civil.h"

namespace drover::cron {
namespace {

constexpr std::size_t max_bytes = 512;

// Aliases stand for their text wherever they appear.
std::string expand_aliases(std::string_view text) {
  constexpr std::pair<std::string_view, std::string_view> aliases[] = {
      {"@yearly", "0 0 0 1 1 * *"}, {"@annually", "0 0 0 1 1 * *"}, {"@monthly", "0 0 0 1 * * *"},
      {"@weekly", "0 0 0 * * 0 *"}, {"@daily", "0 0 0 * * * *"},    {"@hourly", "0 0 * * * * *"}};
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const auto alias = std::ranges::find_if(aliases, [&](const auto& entry) { return text.substr(i).starts_with(entry.first); });
    if (alias == std::end(aliases)) {
      out.push_back(text[i++]);
    } else {
      out += alias->second;
      i += alias->first.size();
    }
  }
  return out;
}

std::vector<std::string_view> words(std::string_view text) {
  constexpr std::string_view blanks = " \t\n\f\r";
  std::vector<std::string_view> out;
  for (std::size_t at = text.find_first_not_of(blanks); at != std::string_view::npos; at = text.find_first_not_of(blanks, at)) {
    const std::size_t end = std::min(text.find_first_of(blanks, at), text.size());
    out.push_back(text.substr(at, end - at));
    at = end;
  }
  return out;
}

std::optional<int> next_value(const Values& values, int from, int limit) {
  for (int i = from; i < limit; i++) {
    if (values.test(static_cast<std::size_t>(i))) return i;
  }
  return std::nullopt;
}

// The nearest weekday that is in the same month.
int workday_near(int year, int month, int day) {
  const int last = days_in_month(year, month);
  switch (weekday(year, month, day)) {
    case 6: return day > 1 ? day - 1 : day + 2;
    case 0: return day < last ? day + 1 : day - 2;
    default: return day;
  }
}

}  // namespace

Result<Schedule> Schedule::parse(std::string_view text) {
  if (text.size() > max_bytes) return fail(Code::invalid_argument, "expression is longer than {} bytes", max_bytes);
  const std::string expanded = expand_aliases(text);
  const std::vector<std::string_view> parts = words(expanded);
  if (parts.size() < 5) return fail(Code::invalid_argument, "missing field(s)");
  const bool has_seconds = parts.size() >= 7;
  const std::size_t shift = has_seconds ? 0 : 1;
  Schedule out;
  for (std::size_t i = 0; i < out.fields_.size(); i++) {
    const bool given = i >= shift && i - shift < parts.size();
    const std::string_view field = given ? parts[i - shift] : i == 0 ? "0" : "*";
    auto parsed = parse_field(static_cast<FieldKind>(i), field);
    if (!parsed) return fail(parsed.error());
    out.fields_[i] = std::move(*parsed);
  }
  return out;
}

bool Schedule::day_fits(int year, int month, int day) const {
  const Field& of_month = fields_[static_cast<std::size_t>(FieldKind::day_of_month)];
  const Field& of_week = fields_[static_cast<std::size_t>(FieldKind::day_of_week)];
  if (of_month.any && of_week.any) return true;
  const int last = days_in_month(year, month);
  // When both are restricted either will do.
  if (!of_month.any) {
    if (of_month.values.test(static_cast<std::size_t>(day))) return true;
    if (of_month.last_day && day == last) return true;
    if (of_month.last_workday && day == workday_near(year, month, last)) return true;
    for (int target = 1; target <= last; target++) {
      if (of_month.near_workdays.test(static_cast<std::size_t>(target)) && day == workday_near(year, month, target)) return true;
    }
  }
  if (!of_week.any) {
    const int today = weekday(year, month, day);
    if (of_week.values.test(static_cast<std::size_t>(today))) return true;
    if (of_week.last_weekdays.test(static_cast<std::size_t>(today)) && day + 7 > last) return true;
    if (of_week.nth_weekdays.test(static_cast<std::size_t>((day - 1) / 7 * 7 + today))) return true;
  }
  return false;
}

std::optional<int> Schedule::next_second_of_day(int from) const {
  const auto& seconds = fields_[0].values;
  const auto& minutes = fields_[1].values;
  const auto& hours = fields_[2].values;
  for (auto hour = next_value(hours, from / 3600, 24); hour; hour = next_value(hours, *hour + 1, 24)) {
    const bool same_hour = *hour == from / 3600;
    for (auto minute = next_value(minutes, same_hour ? from / 60 % 60 : 0, 60); minute; minute = next_value(minutes, *minute + 1, 60)) {
      const bool same_minute = same_hour && *minute == from / 60 % 60;
      if (const auto second = next_value(seconds, same_minute ? from % 60 : 0, 60)) return *hour * 3600 + *minute * 60 + *second;
    }
  }
  return std::nullopt;
}

std::optional<std::int64_t> Schedule::next_clock(std::int64_t from) const {
  const auto& months = fields_[static_cast<std::size_t>(FieldKind::month)].values;
  const auto& years = fields_[static_cast<std::size_t>(FieldKind::year)].values;
  if (!next_second_of_day(0)) return std::nullopt;
  std::int64_t day_number = floor_div(from, seconds_per_day);
  int second = static_cast<int>(from - day_number * seconds_per_day);
  Date date = date_of(day_number);
  if (date.year < first_year) {
    date = {first_year, 1, 1};
    second = 0;
  }
  for (; date.year <= last_year; date = {date.year + 1, 1, 1}, second = 0) {
    if (!years.test(static_cast<std::size_t>(date.year - first_year))) continue;
    for (; date.month <= 12; date = {date.year, date.month + 1, 1}, second = 0) {
      if (!months.test(static_cast<std::size_t>(date.month))) continue;
      for (; date.day <= days_in_month(date.year, date.month); date.day++, second = 0) {
        if (!day_fits(date.year, date.month, date.day)) continue;
        if (const auto found = next_second_of_day(second)) return days_from(date) * seconds_per_day + *found;
      }
    }
  }
  return std::nullopt;
}

std::optional<std::int64_t> Schedule::next(std::int64_t after, const TimeZone& zone) const {
  // Between two changes of its offset a zone's clock simply runs: find the clock time there, or go on to the next stretch.
  std::int64_t from = after + 1;
  for (;;) {
    const TimeZone::Stretch stretch = zone.stretch_at(from);
    const auto clock = next_clock(from + stretch.offset);
    if (!clock) return std::nullopt;
    const std::int64_t instant = *clock - stretch.offset;
    if (instant < stretch.end) return instant;
    from = stretch.end;
  }
}

std::optional<std::int64_t> next_of(std::span<const Schedule> schedules, std::int64_t after, const TimeZone& zone) {
  std::optional<std::int64_t> out;
  for (const Schedule& schedule : schedules) {
    const auto found = schedule.next(after, zone);
    if (found && (!out || *found < *out)) out = found;
  }
  return out;
}

}  // namespace drover::cron
