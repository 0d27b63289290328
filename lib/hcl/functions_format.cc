#include <fmt/format.h>

#include <algorithm>

#include "lib/hcl/convert.h"
#include "lib/hcl/function_table.h"
#include "lib/hcl/unicode.h"
#include "sdk/base/text.h"

namespace drover::hcl {

namespace {

constexpr int max_width = 10000;

struct Verb {
  std::string_view raw;
  std::size_t offset = 0;
  bool minus = false;
  bool plus = false;
  bool space = false;
  bool sharp = false;
  bool zero = false;
  int width = -1;
  int precision = -1;
  std::size_t argument = 0;  // counted from 1
  char letter = 0;
};

using Text = tl::expected<std::string, FunctionError>;

std::string padded(const Verb& verb, std::string text, bool numeric) {
  const auto length = static_cast<int>(graphemes(text).size());
  if (verb.width <= length) return text;
  const auto fill = static_cast<std::size_t>(verb.width - length);
  if (verb.minus) return text + std::string(fill, ' ');
  if (verb.zero && numeric) {
    const bool sign = !text.empty() && (text[0] == '-' || text[0] == '+' || text[0] == ' ');
    return text.substr(0, sign ? 1 : 0) + std::string(fill, '0') + text.substr(sign ? 1 : 0);
  }
  return std::string(fill, ' ') + text;
}

std::string with_sign(const Verb& verb, const Number& number, const std::string& magnitude) {
  if (number.is_negative()) return "-" + magnitude;
  return (verb.plus ? "+" : verb.space ? " " : "") + magnitude;
}

// Go's %g: shortest digits, or `precision` significant ones; with exponent when it is small or large.
std::string general(const Number& number, int precision, bool upper) {
  const Number magnitude = number.abs();
  auto [digits, exponent] = magnitude.shortest();
  int limit = 6;  // for the shortest form too
  if (precision >= 0) {
    const int wanted = std::max(precision, 1);
    const std::string text = magnitude.scientific(wanted - 1);
    digits.clear();
    std::size_t at = 0;
    for (; at < text.size() && text[at] != 'e'; at++) {
      if (text[at] != '.') digits += text[at];
    }
    exponent = at < text.size() ? std::stoi(text.substr(at + 1)) : 0;
    while (digits.size() > 1 && digits.back() == '0') digits.pop_back();
    limit = wanted;
    if (limit > static_cast<int>(digits.size()) && static_cast<int>(digits.size()) >= exponent + 1) limit = static_cast<int>(digits.size());
  }
  if (exponent < -4 || exponent >= limit) {
    std::string out = digits.substr(0, 1);
    if (digits.size() > 1) out += "." + digits.substr(1);
    return fmt::format("{}{}{}{:02}", out, upper ? 'E' : 'e', exponent < 0 ? '-' : '+', std::abs(exponent));
  }
  if (exponent < 0) return "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  const auto point = static_cast<std::size_t>(exponent) + 1;
  if (digits.size() <= point) return digits + std::string(point - digits.size(), '0');
  return digits.substr(0, point) + "." + digits.substr(point);
}

Text unsupported(const Verb& verb, const std::string& why) {
  return function_error(fmt::format("unsupported value for \"{}\" at {}: {}", verb.raw, verb.offset, why));
}

Text format_integer(const Verb& verb, const Value& value) {
  const auto number = convert(value, Type::number());
  if (!number) return unsupported(verb, number.error());
  const Number& n = number->as_number();
  if (!n.is_integer()) return unsupported(verb, "an integer is required");
  const int base = verb.letter == 'b' ? 2 : verb.letter == 'o' ? 8 : verb.letter == 'd' ? 10 : 16;
  std::string digits = n.abs().str_base(base);
  if (verb.letter == 'X') digits = to_upper(digits);
  if (verb.precision > static_cast<int>(digits.size())) digits.insert(0, static_cast<std::size_t>(verb.precision) - digits.size(), '0');
  if (verb.sharp) digits.insert(0, verb.letter == 'x' ? "0x" : verb.letter == 'X' ? "0X" : verb.letter == 'o' ? "0" : verb.letter == 'b' ? "0b" : "");
  return padded(verb, with_sign(verb, n, digits), true);
}

Text format_float(const Verb& verb, const Value& value) {
  const auto number = convert(value, Type::number());
  if (!number) return unsupported(verb, number.error());
  const Number& n = number->as_number();
  if (n.is_infinite()) return padded(verb, n.is_negative() ? "-Inf" : "+Inf", false);
  const bool upper = verb.letter == 'E' || verb.letter == 'G';
  std::string text;
  switch (verb.letter) {
    case 'e': case 'E': text = n.abs().scientific(verb.precision < 0 ? 6 : verb.precision); break;
    case 'f': text = n.abs().fixed(verb.precision < 0 ? 6 : verb.precision); break;
    default: text = general(n, verb.precision, upper); break;
  }
  if (upper) text = to_upper(text);
  return padded(verb, with_sign(verb, n, text), true);
}

Text format_text(const Verb& verb, const Value& value) {
  const auto converted = convert(value, Type::string());
  if (!converted) return unsupported(verb, converted.error());
  std::string text = converted->as_string();
  if (verb.precision >= 0) {
    const auto clusters = graphemes(converted->as_string());
    text.clear();
    for (std::size_t i = 0; i < clusters.size() && i < static_cast<std::size_t>(verb.precision); i++) text += clusters[i];
  }
  if (verb.letter == 'q') text = quote(text);
  return padded(verb, std::move(text), false);
}

Text format_any(const Verb& verb, const Value& value) {
  if (!verb.sharp && !value.is_null()) {
    if (value.kind() == Kind::string) return format_text(verb, value);
    if (value.kind() == Kind::number) return format_float(verb, value);
    if (value.kind() == Kind::boolean) return padded(verb, value.as_bool() ? "true" : "false", false);
  }
  auto text = json_text(value);
  if (!text) return tl::unexpected(text.error());
  return padded(verb, std::move(*text), false);
}

Text format_verb(const Verb& verb, const Value& value) {
  if (verb.letter != 'v' && value.is_null()) return unsupported(verb, "null value cannot be formatted");
  switch (verb.letter) {
    case 'v': return format_any(verb, value);
    case 't': {
      const auto flag = convert(value, Type::boolean());
      if (!flag) return unsupported(verb, flag.error());
      return std::string(flag->as_bool() ? "true" : "false");  // width is without effect here
    }
    case 'b': case 'd': case 'o': case 'x': case 'X': return format_integer(verb, value);
    case 'e': case 'E': case 'f': case 'g': case 'G': return format_float(verb, value);
    case 's': case 'q': return format_text(verb, value);
    default: return function_error(fmt::format("unsupported format verb '{}' in \"{}\" at offset {}", verb.letter, verb.raw, verb.offset));
  }
}

int read_number(std::string_view format, std::size_t& at) {
  int value = 0;
  while (at < format.size() && format[at] >= '0' && format[at] <= '9') value = std::min(value * 10 + (format[at++] - '0'), max_width);
  return value;
}

Text read_verb(std::string_view format, std::size_t& at, std::size_t& next, Verb& verb) {
  verb.offset = at;
  const std::size_t start = at++;
  bool precise = false;
  for (; at < format.size(); at++) {
    const char c = format[at];
    if (c == '-') verb.minus = true;
    else if (c == '+') verb.plus = true;
    else if (c == ' ') verb.space = true;
    else if (c == '#') verb.sharp = true;
    else if (c == '0') verb.zero = true;
    else break;
  }
  if (at < format.size() && format[at] >= '1' && format[at] <= '9') verb.width = read_number(format, at);
  if (at < format.size() && format[at] == '.') {
    at++;
    precise = true;
    verb.precision = read_number(format, at);
  }
  (void)precise;
  if (at < format.size() && format[at] == '[') {
    at++;
    next = static_cast<std::size_t>(read_number(format, at));
    if (at >= format.size() || format[at] != ']') return function_error(fmt::format("invalid format string starting at offset {}", start));
    at++;
  }
  if (at >= format.size()) return function_error(fmt::format("invalid format string starting at offset {}", at));
  const Rune letter = decode_rune(format.substr(at));
  if (letter.code >= 0x80 || !std::isalpha(letter.code)) {
    return function_error(fmt::format("unrecognized format character '{}' at offset {}", format.substr(at, letter.length), at));
  }
  verb.letter = format[at++];
  verb.raw = format.substr(start, at - start);
  verb.argument = next++;
  return std::string();
}

// `used` becomes the number of arguments the format refers to.
Text format_all(std::string_view format, const std::vector<Value>& arguments, std::size_t& used) {
  std::string out;
  std::size_t next = 1;
  std::size_t at = 0;
  used = 0;
  while (at < format.size()) {
    if (format[at] != '%') {
      const std::size_t stop = std::min(format.find('%', at), format.size());
      out += format.substr(at, stop - at);
      at = stop;
      continue;
    }
    if (at + 1 < format.size() && format[at + 1] == '%') {
      out += '%';
      at += 2;
      continue;
    }
    Verb verb;
    auto read = read_verb(format, at, next, verb);
    if (!read) return read;
    used = std::max(used, verb.argument);
    if (verb.argument < 1 || verb.argument > arguments.size()) {
      return function_error(fmt::format("not enough arguments for \"{}\" at {}: need index {} but have {} total", verb.raw, verb.offset, verb.argument, arguments.size()));
    }
    auto text = format_verb(verb, arguments[verb.argument - 1]);
    if (!text) return text;
    out += *text;
    if (out.size() > max_string_bytes) return function_error("the result would be too long");
  }
  return out;
}

FunctionError too_many(std::size_t used, std::size_t first_spare) {
  if (used == 0) return {"too many arguments; no verbs in format string", static_cast<int>(first_spare)};
  return {fmt::format("too many arguments; only {} used by format string", used), static_cast<int>(first_spare)};
}

FunctionResult format(const Arguments& arguments, Budget& budget) {
  std::size_t used = 0;
  const std::vector<Value> rest(arguments.begin() + 1, arguments.end());
  auto text = format_all(arguments[0].as_string(), rest, used);
  if (!text) return tl::unexpected(text.error());
  if (used < rest.size()) return tl::unexpected(too_many(used, used + 1));
  if (!budget.take_bytes(text->size())) return function_error("the result would be too long");
  return Value::string(std::move(*text));
}

FunctionResult format_list(const Arguments& arguments, Budget& budget) {
  const std::string& pattern = arguments[0].as_string();
  std::size_t count = 1;
  std::size_t first = 0;  // the list whose length counts
  bool known = true;
  for (std::size_t i = 1; i < arguments.size(); i++) {
    if (!arguments[i].is_known() && (arguments[i].is_sequence() || arguments[i].type().is_dynamic())) known = false;
    if (!arguments[i].is_known() || !arguments[i].is_sequence() || arguments[i].is_null()) continue;
    const std::size_t size = arguments[i].as_list().size();
    if (first != 0 && size != count) {
      return function_error(fmt::format("argument {} has length {}, which is inconsistent with argument {} of length {}", i, size, first, count), static_cast<int>(i));
    }
    if (first == 0) first = i;
    count = size;
  }
  if (!known) return Value::unknown(Type::list(Type::string()));
  Value::List out;
  for (std::size_t row = 0; row < count; row++) {
    std::vector<Value> values;
    for (std::size_t i = 1; i < arguments.size(); i++) {
      const bool list = arguments[i].is_sequence() && !arguments[i].is_null();
      values.push_back(list ? arguments[i].as_list()[row] : arguments[i]);
    }
    if (!std::all_of(values.begin(), values.end(), [](const Value& value) { return value.is_wholly_known(); })) {
      out.push_back(Value::unknown(Type::string()));
      continue;
    }
    std::size_t used = 0;
    auto text = format_all(pattern, values, used);
    // Without lists there is one round, which is none to speak of.
    if (!text && arguments.size() == 1) return tl::unexpected(text.error());
    if (!text) return function_error(fmt::format("error on format iteration {}: {}", row, text.error().message));
    if (used < values.size()) return function_error(fmt::format("error on format iteration {}: {}", row, too_many(used, 0).message));
    if (!budget.take_bytes(text->size())) return function_error("the result would be too long");
    out.push_back(Value::string(std::move(*text)));
  }
  return Value::list(Type::string(), std::move(out));
}

}  // namespace

void add_format_functions(FunctionTable& table) {
  Function one;
  one.parameters = {text("format")};
  one.rest = nullable(any("args"));
  one.call = format;
  table["format"] = one;
  one.call = format_list;
  one.rest = nullable(typed(any("args")));
  table["formatlist"] = one;
}

}  // namespace drover::hcl
