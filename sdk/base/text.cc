#include "sdk/base/text.h"

#include <chrono>
#include <cmath>
#include <cstdint>
#include <ctime>

namespace drover {

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> out;
  for (;;) {
    const std::size_t at = text.find(separator);
    out.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) return out;
    text.remove_prefix(at + 1);
  }
}

std::pair<std::string_view, std::string_view> split_once(std::string_view text, char separator) {
  const std::size_t at = text.find(separator);
  if (at == std::string_view::npos) return {text, {}};
  return {text.substr(0, at), text.substr(at + 1)};
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n\v\f";
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::string to_lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string out;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i != 0) out += separator;
    out += parts[i];
  }
  return out;
}

std::string replace_all(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  while (!from.empty()) {
    const std::size_t at = text.find(from);
    if (at == std::string_view::npos) break;
    out += text.substr(0, at);
    out += to;
    text.remove_prefix(at + from.size());
  }
  out += text;
  return out;
}

namespace {
struct Unit {
  std::string_view name;
  std::int64_t nanos;
};
constexpr Unit units[] = {{"ns", 1},        {"us", 1'000},         {"\u00b5s", 1'000},         {"\u03bcs", 1'000},
                          {"ms", 1'000'000}, {"s", 1'000'000'000}, {"m", 60'000'000'000}, {"h", 3'600'000'000'000}};
}  // namespace

Result<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  const std::string_view whole = text;
  const auto invalid = [&] { return fail(Code::invalid_argument, "time: invalid duration {}", quote(whole)); };
  bool negative = false;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  if (text == "0") return std::chrono::nanoseconds(0);
  if (text.empty()) return invalid();
  std::uint64_t total = 0;
  while (!text.empty()) {
    std::uint64_t integer = 0;
    double fraction = 0;
    bool digits = false;
    while (!text.empty() && text[0] >= '0' && text[0] <= '9') {
      if (integer > (1ull << 63) / 10) return invalid();
      integer = integer * 10 + static_cast<std::uint64_t>(text[0] - '0');
      text.remove_prefix(1);
      digits = true;
    }
    if (!text.empty() && text[0] == '.') {
      text.remove_prefix(1);
      for (double place = 0.1; !text.empty() && text[0] >= '0' && text[0] <= '9'; place /= 10) {
        fraction += place * (text[0] - '0');
        text.remove_prefix(1);
        digits = true;
      }
    }
    if (!digits) return invalid();
    std::size_t length = 0;
    while (length < text.size() && text[length] != '.' && (text[length] < '0' || text[length] > '9')) ++length;
    if (length == 0) return fail(Code::invalid_argument, "time: missing unit in duration {}", quote(whole));
    const std::string_view name = text.substr(0, length);
    text.remove_prefix(length);
    std::int64_t scale = 0;
    for (const Unit& unit : units) {
      if (unit.name == name) scale = unit.nanos;
    }
    if (scale == 0) {
      return fail(Code::invalid_argument, "time: unknown unit {} in duration {}", quote(name), quote(whole));
    }
    if (integer > (1ull << 63) / static_cast<std::uint64_t>(scale)) return invalid();
    total += integer * static_cast<std::uint64_t>(scale) +
             static_cast<std::uint64_t>(std::llround(fraction * static_cast<double>(scale)));
    if (total > (1ull << 63)) return invalid();
  }
  if (!negative && total > (1ull << 63) - 1) return invalid();
  return std::chrono::nanoseconds(static_cast<std::int64_t>(negative ? 0 - total : total));
}

namespace {
// `value` scaled by 10^-digits with trailing zeros of the fraction cut.
std::string decimal(std::uint64_t value, int digits) {
  std::uint64_t scale = 1;
  for (int i = 0; i < digits; ++i) scale *= 10;
  std::string out = std::to_string(value / scale);
  if (std::uint64_t rest = value % scale; rest != 0) {
    std::string fraction = std::to_string(rest);
    fraction.insert(0, static_cast<std::size_t>(digits) - fraction.size(), '0');
    while (fraction.back() == '0') fraction.pop_back();
    out += "." + fraction;
  }
  return out;
}
}  // namespace

std::string format_duration(std::chrono::nanoseconds value) {
  const std::int64_t count = value.count();
  if (count == 0) return "0s";
  const std::uint64_t nanos = count < 0 ? 0 - static_cast<std::uint64_t>(count) : static_cast<std::uint64_t>(count);
  std::string out = count < 0 ? "-" : "";
  if (nanos < 1'000) return out + std::to_string(nanos) + "ns";
  if (nanos < 1'000'000) return out + decimal(nanos, 3) + "\u00b5s";
  if (nanos < 1'000'000'000) return out + decimal(nanos, 6) + "ms";
  const std::uint64_t minutes = nanos / 60'000'000'000;
  if (minutes >= 60) out += std::to_string(minutes / 60) + "h";
  if (minutes >= 1) out += std::to_string(minutes % 60) + "m";
  return out + decimal(nanos % 60'000'000'000, 9) + "s";
}

std::string format_rfc3339(std::int64_t unix_nanos) {
  using std::chrono::floor;
  const std::chrono::sys_time<std::chrono::nanoseconds> at{std::chrono::nanoseconds(unix_nanos)};
  const auto day = floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(at - day);
  std::string out = "0000-00-00T00:00:00";  // nanoseconds in 64 bits reach from 1677 to 2262
  const auto put = [&out](std::size_t last, std::uint64_t number) {
    for (; number != 0; number /= 10, --last) out[last] = static_cast<char>('0' + number % 10);
  };
  put(3, static_cast<std::uint64_t>(static_cast<int>(date.year())));
  put(6, static_cast<unsigned>(date.month()));
  put(9, static_cast<unsigned>(date.day()));
  put(12, static_cast<std::uint64_t>(time.hours().count()));
  put(15, static_cast<std::uint64_t>(time.minutes().count()));
  put(18, static_cast<std::uint64_t>(time.seconds().count()));
  if (const auto nanos = static_cast<std::uint64_t>(time.subseconds().count()); nanos != 0) {
    out += ".000000000";
    put(out.size() - 1, nanos);
    out.resize(out.find_last_not_of('0') + 1);
  }
  out.push_back('Z');
  return out;
}

Result<std::int64_t> parse_rfc3339(std::string_view text) {
  const auto invalid = [&] { return fail(Code::invalid_argument, "{} is not an RFC 3339 time", quote(text)); };
  const auto number = [&](std::size_t at, std::size_t length) {
    int value = 0;
    if (at + length > text.size()) return -1;
    for (std::size_t i = at; i < at + length; ++i) {
      if (text[i] < '0' || text[i] > '9') return -1;
      value = value * 10 + (text[i] - '0');
    }
    return value;
  };
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != 't') || text[13] != ':' ||
      text[16] != ':') {
    return invalid();
  }
  std::tm parts{};
  parts.tm_year = number(0, 4) - 1900;
  parts.tm_mon = number(5, 2) - 1;
  parts.tm_mday = number(8, 2);
  parts.tm_hour = number(11, 2);
  parts.tm_min = number(14, 2);
  parts.tm_sec = number(17, 2);
  if (number(0, 4) < 0 || parts.tm_mon < 0 || parts.tm_mon > 11 || parts.tm_mday < 1 || parts.tm_mday > 31 ||
      parts.tm_hour < 0 || parts.tm_hour > 23 || parts.tm_min < 0 || parts.tm_min > 59 || parts.tm_sec < 0 || parts.tm_sec > 59) {
    return invalid();
  }
  std::size_t at = 19;
  std::int64_t nanos = 0;
  if (text[at] == '.') {
    std::int64_t place = 100'000'000;
    for (++at; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, place /= 10) nanos += place * (text[at] - '0');
  }
  std::int64_t offset = 0;
  if (at < text.size() && (text[at] == 'Z' || text[at] == 'z')) {
    if (at + 1 != text.size()) return invalid();
  } else if (at + 6 == text.size() && (text[at] == '+' || text[at] == '-') && text[at + 3] == ':' && number(at + 1, 2) >= 0 &&
             number(at + 4, 2) >= 0) {
    offset = (number(at + 1, 2) * 3600 + number(at + 4, 2) * 60) * (text[at] == '-' ? -1 : 1);
  } else {
    return invalid();
  }
  return (static_cast<std::int64_t>(::timegm(&parts)) - offset) * 1'000'000'000 + nanos;
}

std::string quote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      case '\a': out += "\\a"; break;
      case '\b': out += "\\b"; break;
      case '\f': out += "\\f"; break;
      case '\v': out += "\\v"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        else out.push_back(c);
    }
  }
  return out + "\"";
}

}  // namespace drover
