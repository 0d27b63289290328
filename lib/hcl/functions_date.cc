#include <fmt/format.h>

#include <chrono>

#include "lib/hcl/function_table.h"
#include "lib/hcl/unicode.h"
#include "sdk/base/text.h"

namespace drover::hcl {

namespace {

struct Timestamp {
  std::int64_t year = 0;
  int month = 0;
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  std::int64_t nanos = 0;
  int offset_minutes = 0;

  [[nodiscard]] std::chrono::sys_days days() const {
    return std::chrono::year(static_cast<int>(year)) / std::chrono::month(static_cast<unsigned>(month)) / std::chrono::day(static_cast<unsigned>(day));
  }
};

using Parsed = tl::expected<Timestamp, std::string>;

tl::unexpected<std::string> bad(const std::string& why) { return tl::unexpected("not a valid RFC3339 timestamp: " + why); }

// The parts in their order, with complaints as the reference makes them: which part, and what stands where it went wrong. A number out
// of its range is found when it has been read, so the complaint shows what follows it.
class TimestampReader {
 public:
  explicit TimestampReader(std::string_view text) : text_(text) {}

  Parsed read() {
    int year = 0;
    if (!digits(4, year)) return wrong("year");
    out_.year = year;
    if (const char* part = rest()) return wrong(part);
    if (!complaint_.empty()) return bad(complaint_);
    const auto date = std::chrono::year(year) / std::chrono::month(static_cast<unsigned>(out_.month)) / std::chrono::day(static_cast<unsigned>(out_.day));
    if (!date.ok()) return bad("day out of range");
    return out_;
  }

 private:
  // What went wrong, if not a separator.
  const char* rest() {
    if (!separator('-')) return nullptr;
    if (!digits(2, out_.month) || out_.month < 1 || out_.month > 12) return "month";
    if (!separator('-')) return nullptr;
    if (!digits(2, out_.day)) return "day of month";
    if (!separator('T')) return nullptr;
    const bool short_hour = text_.size() > 1 && !is_digit(text_[1]);
    if (!digits(short_hour ? 1 : 2, out_.hour) || out_.hour > 23) return "hour";
    if (!separator(':')) return nullptr;
    if (!digits(2, out_.minute) || out_.minute > 59) return "minute";
    if (!separator(':')) return nullptr;
    if (!digits(2, out_.second) || out_.second > 59) return "second";
    const bool comma = text_.starts_with(',');
    fraction();
    if (!offset()) return "UTC offset";
    if (!text_.empty()) return "timestamp segment";
    if (short_hour) complaint_ = "hour must have exactly two digits";
    else if (comma) complaint_ = "cannot use \",\" as timestamp segment";
    return nullptr;
  }

  static bool is_digit(char c) { return c >= '0' && c <= '9'; }

  bool digits(std::size_t count, int& out) {
    if (text_.size() < count) return false;
    int value = 0;
    for (std::size_t i = 0; i < count; i++) {
      if (!is_digit(text_[i])) return false;
      value = value * 10 + (text_[i] - '0');
    }
    out = value;
    text_.remove_prefix(count);
    return true;
  }

  bool separator(char wanted) {
    if (text_.starts_with(wanted)) {
      text_.remove_prefix(1);
      return true;
    }
    if (wanted == 'T') complaint_ = "missing required time introducer 'T'";
    else if (text_.empty()) complaint_ = fmt::format("end of string where {} is expected", quote(std::string(1, wanted)));
    else complaint_ = fmt::format("found {} where {} is expected", quote(text_), quote(std::string(1, wanted)));
    return false;
  }

  void fraction() {
    if (text_.size() < 2 || (text_[0] != '.' && text_[0] != ',') || !is_digit(text_[1])) return;
    text_.remove_prefix(1);
    for (std::int64_t scale = 100'000'000; !text_.empty() && is_digit(text_[0]); scale /= 10) {
      out_.nanos += (text_[0] - '0') * scale;
      text_.remove_prefix(1);
    }
  }

  bool offset() {
    if (text_.starts_with('Z')) {
      text_.remove_prefix(1);
      return true;
    }
    const std::string_view before = text_;
    if (text_.size() < 6 || (text_[0] != '+' && text_[0] != '-') || text_[3] != ':') return false;
    const bool west = text_[0] == '-';
    int hours = 0;
    int minutes = 0;
    text_.remove_prefix(1);
    const bool good = digits(2, hours) && separator(':') && digits(2, minutes);
    if (good && hours <= 24 && minutes <= 60) {
      out_.offset_minutes = (hours * 60 + minutes) * (west ? -1 : 1);
      if (hours < 24 && minutes < 60) return true;
      text_ = before;
    } else if (!good) {
      text_ = before;
    }
    return false;
  }

  Parsed wrong(std::string_view part) const {
    if (text_.empty()) return bad(fmt::format("end of string before {}", part));
    if (part == "hour" && text_.find(':') != std::string_view::npos) return bad("hour must be between 0 and 23 inclusive");
    if ((part == "hour" || part == "minute") && text_.size() != 2) return bad(fmt::format("{} must have exactly two digits", part));
    return bad(fmt::format("cannot use {} as {}", quote(text_), part));
  }

  std::string_view text_;
  Timestamp out_;
  std::string complaint_;
};

Parsed parse_timestamp(std::string_view text) { return TimestampReader(text).read(); }

constexpr const char* months[] = {"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"};
constexpr const char* weekdays[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

std::string zone(const Timestamp& at, bool colon) {
  const int minutes = std::abs(at.offset_minutes);
  return fmt::format("{}{:02}{}{:02}", at.offset_minutes < 0 ? '-' : '+', minutes / 60, colon ? ":" : "", minutes % 60);
}

using Text = tl::expected<std::string, std::string>;

// One run of a letter, such as YYYY.
Text verb_text(const Timestamp& at, std::string_view verb) {
  const auto invalid = [&](const char* hint) { return tl::unexpected(fmt::format("invalid date format verb \"{}\"{}", verb, hint)); };
  const std::size_t count = verb.size();
  const auto number = [&](std::int64_t value) { return count == 1 ? std::to_string(value) : fmt::format("{:02}", value); };
  const int twelve = at.hour % 12 == 0 ? 12 : at.hour % 12;
  switch (verb[0]) {
    case 'Y':
      if (count == 2) return fmt::format("{:02}", at.year % 100);
      if (count == 4) return fmt::format("{:04}", at.year);
      return invalid(": year must either be \"YY\" or \"YYYY\"");
    case 'M':
      if (count <= 2) return number(at.month);
      if (count == 3) return std::string(months[at.month - 1]).substr(0, 3);
      if (count == 4) return std::string(months[at.month - 1]);
      return invalid(": month must be \"M\", \"MM\", \"MMM\", or \"MMMM\"");
    case 'D':
      if (count <= 2) return number(at.day);
      return invalid(": day of month must either be \"D\" or \"DD\"");
    case 'E': {
      const std::string name = weekdays[std::chrono::weekday(at.days()).c_encoding()];
      if (count == 3) return name.substr(0, 3);
      if (count == 4) return name;
      return invalid(": day of week must either be \"EEE\" or \"EEEE\"");
    }
    case 'h':
      if (count <= 2) return number(at.hour);
      return invalid(": 24-hour must either be \"h\" or \"hh\"");
    case 'H':
      if (count <= 2) return number(twelve);
      return invalid(": 12-hour must either be \"H\" or \"HH\"");
    case 'A':
      if (count == 2) return std::string(at.hour < 12 ? "AM" : "PM");
      return invalid(": must be \"AA\"");
    case 'a':
      if (count == 2) return std::string(at.hour < 12 ? "am" : "pm");
      return invalid(": must be \"aa\"");
    case 'm':
      if (count <= 2) return number(at.minute);
      return invalid(": minute must either be \"m\" or \"mm\"");
    case 's':
      if (count <= 2) return number(at.second);
      return invalid(": second must either be \"s\" or \"ss\"");
    case 'Z':
      if (count == 1) return at.offset_minutes == 0 ? std::string("Z") : zone(at, true);
      if (count == 3) return at.offset_minutes == 0 ? std::string("UTC") : zone(at, false);
      if (count == 4) return zone(at, false);
      if (count == 5) return zone(at, true);
      return invalid(": timezone must be Z, ZZZZ, or ZZZZZ");
    default: return invalid("");
  }
}

FunctionResult format_date(const Arguments& arguments) {
  const auto at = parse_timestamp(arguments[1].as_string());
  if (!at) return function_error(at.error(), 1);
  std::string_view format = arguments[0].as_string();
  std::string out;
  while (!format.empty()) {
    const char c = format[0];
    if (c == '\'') {
      std::string literal;
      std::size_t i = 1;
      bool closed = false;
      for (; i < format.size(); i++) {
        if (format[i] != '\'') {
          literal += format[i];
        } else if (i + 1 < format.size() && format[i + 1] == '\'') {
          literal += '\'';
          i++;
        } else {
          closed = true;
          i++;
          break;
        }
      }
      if (!closed) return function_error("unterminated literal '", 0);
      out += literal;
      format.remove_prefix(i);
      continue;
    }
    if (!std::isalpha(static_cast<unsigned char>(c))) {
      out += c;
      format.remove_prefix(1);
      continue;
    }
    std::size_t length = 1;
    while (length < format.size() && format[length] == c) length++;
    const auto text = verb_text(*at, format.substr(0, length));
    if (!text) return function_error(text.error(), 0);
    out += *text;
    format.remove_prefix(length);
  }
  return Value::string(std::move(out));
}

FunctionResult add_time(const Arguments& arguments) {
  const auto at = parse_timestamp(arguments[0].as_string());
  if (!at) return function_error(at.error());
  const auto duration = parse_duration(arguments[1].as_string());
  if (!duration) return function_error(duration.error().message());
  // The local time moves; the offset stays and sub-second digits are not shown.
  const auto local = at->days() + std::chrono::hours(at->hour) + std::chrono::minutes(at->minute) + std::chrono::seconds(at->second);
  const auto total = std::chrono::nanoseconds(at->nanos) + *duration;
  const auto moved = local + std::chrono::floor<std::chrono::seconds>(total);
  const auto days = std::chrono::floor<std::chrono::days>(moved);
  const std::chrono::year_month_day date(days);
  const std::chrono::hh_mm_ss time(moved - days);
  return Value::string(fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                                   static_cast<unsigned>(date.day()), time.hours().count(), time.minutes().count(), time.seconds().count(),
                                   at->offset_minutes == 0 ? "Z" : zone(*at, true)));
}

}  // namespace

void add_date_functions(FunctionTable& table) {
  table["formatdate"] = function({text("format"), text("time")}, format_date);
  table["timeadd"] = function({text("timestamp"), text("duration")}, add_time);
}

}  // namespace drover::hcl
