#include "lib/bexpr/unquote.h"

#include <charconv>
#include <cmath>
#include <limits>

#include "sdk/base/text.h"

namespace drover::bexpr {

namespace {
void append_utf8(std::string& out, std::uint32_t code) {
  if (code < 0x80) {
    out.push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out.push_back(static_cast<char>(0xc0 | (code >> 6)));
    out.push_back(static_cast<char>(0x80 | (code & 0x3f)));
  } else if (code < 0x10000) {
    out.push_back(static_cast<char>(0xe0 | (code >> 12)));
    out.push_back(static_cast<char>(0x80 | ((code >> 6) & 0x3f)));
    out.push_back(static_cast<char>(0x80 | (code & 0x3f)));
  } else {
    out.push_back(static_cast<char>(0xf0 | (code >> 18)));
    out.push_back(static_cast<char>(0x80 | ((code >> 12) & 0x3f)));
    out.push_back(static_cast<char>(0x80 | ((code >> 6) & 0x3f)));
    out.push_back(static_cast<char>(0x80 | (code & 0x3f)));
  }
}

Unexpected number_error(std::string_view function, std::string_view text, std::string_view why) {
  return fail(Code::invalid_argument, "strconv.{}: parsing {}: {}", function, quote(text), why);
}

// Digits in base 0: prefix 0x, 0o, 0b or a leading 0 decides. False on bad syntax; `overflow` when it does not fit.
bool parse_digits(std::string_view text, std::uint64_t& out, bool& overflow) {
  int base = 10;
  bool prefixed = false;
  if (text.size() > 1 && text[0] == '0') {
    const char c = static_cast<char>(text[1] | 0x20);
    if (c == 'x' || c == 'o' || c == 'b') {
      base = c == 'x' ? 16 : c == 'o' ? 8 : 2;
      text.remove_prefix(2);
      prefixed = true;
    } else {
      base = 8;
      text.remove_prefix(1);
      prefixed = true;
    }
  }
  std::string digits;
  // Go lets an underscore stand after a prefix and between digits.
  bool underscore_allowed = prefixed;
  for (const char c : text) {
    if (c == '_') {
      if (!underscore_allowed) return false;
      underscore_allowed = false;
    } else {
      digits.push_back(c);
      underscore_allowed = true;
    }
  }
  if (digits.empty() || !underscore_allowed) return false;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out, base);
  if (end != digits.data() + digits.size()) return false;
  overflow = error == std::errc::result_out_of_range;
  return error == std::errc() || overflow;
}
}  // namespace

std::optional<std::string> unquote(std::string_view body) {
  std::string out;
  out.reserve(body.size());
  for (std::size_t i = 0; i < body.size(); ++i) {
    const char c = body[i];
    if (c == '\n') return std::nullopt;
    if (c != '\\') {
      out.push_back(c);
      continue;
    }
    if (++i >= body.size()) return std::nullopt;
    const auto number = [&](std::size_t digits, int base) -> std::optional<std::uint32_t> {
      if (i + digits > body.size()) return std::nullopt;
      std::uint32_t value = 0;
      const auto* first = body.data() + i;
      const auto [end, error] = std::from_chars(first, first + digits, value, base);
      if (error != std::errc() || end != first + digits) return std::nullopt;
      i += digits - 1;
      return value;
    };
    switch (body[i]) {
      case 'a': out.push_back('\a'); break;
      case 'b': out.push_back('\b'); break;
      case 'f': out.push_back('\f'); break;
      case 'n': out.push_back('\n'); break;
      case 'r': out.push_back('\r'); break;
      case 't': out.push_back('\t'); break;
      case 'v': out.push_back('\v'); break;
      case '\\': out.push_back('\\'); break;
      case '"': out.push_back('"'); break;
      case 'x':
      case 'u':
      case 'U': {
        const char kind = body[i++];
        const auto value = number(kind == 'x' ? 2 : kind == 'u' ? 4 : 8, 16);
        if (!value) return std::nullopt;
        if (kind == 'x') {
          out.push_back(static_cast<char>(*value));
        } else {
          if (*value > 0x10ffff || (*value >= 0xd800 && *value < 0xe000)) return std::nullopt;
          append_utf8(out, *value);
        }
        break;
      }
      default: {
        const auto value = number(3, 8);
        if (!value || *value > 255) return std::nullopt;
        out.push_back(static_cast<char>(*value));
      }
    }
  }
  return out;
}

Result<bool> parse_bool(std::string_view text) {
  for (const std::string_view yes : {"1", "t", "T", "true", "TRUE", "True"}) {
    if (text == yes) return true;
  }
  for (const std::string_view no : {"0", "f", "F", "false", "FALSE", "False"}) {
    if (text == no) return false;
  }
  return number_error("ParseBool", text, "invalid syntax");
}

Result<std::int64_t> parse_int(std::string_view text) {
  auto digits = text;
  const bool negative = digits.starts_with('-');
  if (negative || digits.starts_with('+')) digits.remove_prefix(1);
  std::uint64_t value = 0;
  bool overflow = false;
  if (!parse_digits(digits, value, overflow)) return number_error("ParseInt", text, "invalid syntax");
  const auto limit = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) + (negative ? 1 : 0);
  if (overflow || value > limit) return number_error("ParseInt", text, "value out of range");
  return static_cast<std::int64_t>(negative ? 0 - value : value);
}

Result<std::uint64_t> parse_uint(std::string_view text) {
  std::uint64_t value = 0;
  bool overflow = false;
  if (!parse_digits(text, value, overflow)) return number_error("ParseUint", text, "invalid syntax");
  if (overflow) return number_error("ParseUint", text, "value out of range");
  return value;
}

Result<double> parse_float(std::string_view text) {
  auto digits = text;
  if (digits.starts_with('+')) digits.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error == std::errc::result_out_of_range) return number_error("ParseFloat", text, "value out of range");
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) {
    return number_error("ParseFloat", text, "invalid syntax");
  }
  return value;
}

}  // namespace drover::bexpr
