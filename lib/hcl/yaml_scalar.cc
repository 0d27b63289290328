#include "lib/hcl/yaml_scalar.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>

#include "lib/hcl/unicode.h"
#include "sdk/base/text.h"

namespace drover::hcl {

namespace {

constexpr std::string_view tag_head = "tag:yaml.org,2002:";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

template <std::size_t N>
bool one_of(const std::string& text, const std::array<std::string_view, N>& words) {
  return std::ranges::find(words, text) != words.end();
}

std::optional<Value> word(const std::string& text) {
  static constexpr std::array<std::string_view, 11> yes{"y",    "Y",    "yes", "Yes", "YES", "true",
                                                        "True", "TRUE", "on",  "On",  "ON"};
  static constexpr std::array<std::string_view, 11> no{"n",     "N",     "no",  "No",  "NO", "false",
                                                       "False", "FALSE", "off", "Off", "OFF"};
  static constexpr std::array<std::string_view, 5> null{"", "~", "null", "Null", "NULL"};
  static constexpr std::array<std::string_view, 6> plus{".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"};
  static constexpr std::array<std::string_view, 3> minus{"-.inf", "-.Inf", "-.INF"};
  if (one_of(text, yes)) return Value::boolean(true);
  if (one_of(text, no)) return Value::boolean(false);
  if (one_of(text, null)) return Value::null();
  const bool above = one_of(text, plus);
  if (above || one_of(text, minus)) return Value::number(*divide(Number(above ? 1 : -1), Number(0)));
  return std::nullopt;
}

// Reads a text from its start; every step says whether it went well.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}
  // One or two digits, or just as many as `exactly` says.
  bool number(int& out, std::size_t exactly = 0) {
    std::size_t count = 0;
    const std::size_t most = exactly == 0 ? 2 : exactly;
    out = 0;
    while (count < most && count < text_.size() && is_digit(text_[count])) out = out * 10 + (text_[count++] - '0');
    text_.remove_prefix(count);
    return count > 0 && (exactly == 0 || count == exactly);
  }
  bool take(std::string_view accepted) {
    if (text_.empty() || accepted.find(text_.front()) == std::string_view::npos) return false;
    last_ = text_.front();
    text_.remove_prefix(1);
    return true;
  }
  bool digits() {
    std::size_t count = 0;
    while (count < text_.size() && is_digit(text_[count])) count++;
    text_.remove_prefix(count);
    return count > 0;
  }
  [[nodiscard]] char last() const { return last_; }
  [[nodiscard]] bool at_end() const { return text_.empty(); }

 private:
  std::string_view text_;
  char last_ = 0;
};

int days_of(int year, int month) {
  static constexpr std::array<int, 12> days{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : days[static_cast<std::size_t>(month - 1)];
}

// "2001-12-14t21:59:43.10-05:00", "2001-12-14 21:59:43", "2001-12-14" in RFC 3339 without fractions; nothing for other
// texts.
std::optional<std::string> timestamp(const std::string& text) {
  Cursor in(text);
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  if (!in.number(year, 4) || !in.take("-") || !in.number(month) || !in.take("-") || !in.number(day))
    return std::nullopt;
  if (month < 1 || month > 12 || day < 1 || day > days_of(year, month)) return std::nullopt;
  std::string zone = "Z";
  if (!in.at_end()) {
    if (!in.take("Tt ")) return std::nullopt;
    const bool with_zone = in.last() != ' ';
    if (!in.number(hour) || !in.take(":") || !in.number(minute) || !in.take(":") || !in.number(second))
      return std::nullopt;
    if (hour > 23 || minute > 59 || second > 59) return std::nullopt;
    if (in.take(".,") && !in.digits()) return std::nullopt;
    if (with_zone && !in.take("Z")) {
      int hours = 0, minutes = 0;
      if (!in.take("+-")) return std::nullopt;
      const char sign = in.last();
      if (!in.number(hours, 2) || !in.take(":") || !in.number(minutes, 2) || hours > 24 || minutes > 60)
        return std::nullopt;
      if (hours != 0 || minutes != 0) zone = fmt::format("{}{:02}:{:02}", sign, hours, minutes);
    }
    if (!in.at_end()) return std::nullopt;
  }
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}", year, month, day, hour, minute, second, zone);
}

bool all_of_base(std::string_view digits, std::string_view accepted) {
  return !digits.empty() && digits.find_first_not_of(accepted) == std::string_view::npos;
}

bool looks_whole(std::string_view text) {
  if (text.starts_with("0o")) return all_of_base(text.substr(2), "01234567");
  if (text.starts_with("0x")) return all_of_base(text.substr(2), "0123456789abcdefABCDEF");
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  return all_of_base(text, "0123456789");
}

bool looks_fractional(std::string_view text) {
  Cursor in(text);
  (void)in.take("+-");
  const bool whole = in.digits();
  if (in.take(".")) {
    const bool fraction = in.digits();
    if (!whole && !fraction) return false;
  } else if (!whole) {
    return false;
  }
  if (in.take("eE")) {
    (void)in.take("+-");
    if (!in.digits()) return false;
  }
  return in.at_end();
}

// A number with a prefix for its base, of at most 64 bits.
std::optional<Number> prefixed(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.size() < 3 || text[0] != '0') return std::nullopt;
  const char mark = static_cast<char>(text[1] | 0x20);
  const int base = mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 0;
  if (base == 0) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data() + 2, text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  const Number number = Number::from_uint64(value);
  if (!negative) return number;
  return value <= std::uint64_t{1} << 63U ? std::optional(-number) : std::nullopt;
}

bool is_base64(const std::string& text) {
  const std::string packed = replace_all(replace_all(text, "\n", ""), "\r", "");
  const std::size_t padding = packed.ends_with("==") ? 2 : packed.ends_with('=') ? 1 : 0;
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '+' || c == '/';
  };
  return packed.size() % 4 == 0 &&
         std::all_of(packed.begin(), packed.end() - static_cast<std::ptrdiff_t>(padding), letter);
}

}  // namespace

FunctionResult yaml_scalar(const std::string& tag, const std::string& text, bool quoted) {
  const std::string_view kind =
      tag.starts_with(tag_head) ? std::string_view(tag).substr(tag_head.size()) : std::string_view(tag);
  static constexpr std::array<std::string_view, 7> kinds{"str", "bool", "int", "float", "null", "timestamp", "binary"};
  if (!tag.empty() && (!tag.starts_with(tag_head) || std::ranges::find(kinds, kind) == kinds.end()))
    return function_error(fmt::format("unsupported tag {}", quote(tag)));
  const auto unfit = [&](const char* why = "") {
    return function_error(
        fmt::format("cannot parse {} as {}{}", quote(text), tag.empty() ? std::string(tag_head) + "int" : tag, why));
  };
  bool number = kind == "int" || kind == "float";
  // The first character says what it might be; without one of these it is text.
  const bool telling =
      text.empty() || std::string_view("+-0123456789yYnNtTfFoO~.").find(text[0]) != std::string_view::npos;
  if (telling && kind != "str" && kind != "binary") {
    if (quoted) return Value::string(text);
    if (auto found = word(text)) return *found;
    if (tag.empty() && (text == ".nan" || text == ".NaN" || text == ".NAN"))
      return function_error("floating point NaN is not supported");
    if (text[0] == '.') {
      if (const auto fraction = Number::parse(text)) return Value::number(*fraction);
    } else if (is_digit(text[0]) || text[0] == '+' || text[0] == '-') {
      if (tag.empty() || kind == "timestamp") {
        if (auto time = timestamp(text)) return Value::string(std::move(*time));
      }
      number = number || looks_whole(text) || looks_fractional(text);
    }
  }
  if (number) {
    const std::string plain = replace_all(text, "_", "");
    if (const auto decimal = Number::parse(plain)) return Value::number(*decimal);
    if (const auto other = prefixed(plain)) return Value::number(*other);
    return unfit();
  }
  if (kind == "bool") return unfit();
  if (kind == "null") return Value::null();
  if (kind == "timestamp") {
    if (auto time = timestamp(text)) return Value::string(std::move(*time));
    return unfit();
  }
  if (kind == "binary" && !is_base64(text)) return unfit(": not valid base64");
  return Value::string(text);
}

}  // namespace drover::hcl
