#include "lib/gotemplate/print.h"

#include <cmath>
#include <cstdio>
#include <charconv>

#include "sdk/base/text.h"

namespace drover::gotemplate {
namespace {
// Options of %+v and %#v.
struct Style {
  bool names = false;    // %+v: field names
  bool quoted = false;   // %#v and %q: strings in quotes
};

// Go writes an exponent with at least two digits.
std::string shortest(double value, char form, int precision) {
  char buffer[400];
  const auto format = form == 'f' ? std::chars_format::fixed : form == 'e' ? std::chars_format::scientific : std::chars_format::general;
  const auto end = precision < 0 ? std::to_chars(buffer, buffer + sizeof buffer, value, format) : std::to_chars(buffer, buffer + sizeof buffer, value, format, precision);
  return {buffer, end.ptr};
}

std::string number_text(double value, char verb, int precision) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  if (verb == 'v' || (verb == 'g' && precision < 0)) {
    const double size = std::fabs(value);
    return shortest(value, size != 0 && (size < 1e-4 || size >= 1e21) ? 'e' : 'f', -1);
  }
  const char lower = verb == 'F' ? 'f' : verb == 'E' ? 'e' : verb == 'G' ? 'g' : verb;
  return shortest(value, lower, precision < 0 ? 6 : precision);
}

std::string describe(const Value& value, Style style, int depth) {
  switch (value.kind()) {
    case Kind::absent: return depth == 0 ? "<no value>" : "<nil>";
    case Kind::nil: return "<nil>";
    case Kind::boolean: return value.boolean() ? "true" : "false";
    case Kind::integer: return value.type() == "time.Duration" ? format_duration(std::chrono::nanoseconds(value.integer())) : std::to_string(value.integer());
    case Kind::unsigned_integer: return std::to_string(value.unsigned_integer());
    case Kind::floating: return number_text(value.floating(), 'v', -1);
    case Kind::string: return style.quoted ? quote(value.text()) : value.text();
    case Kind::bytes: {
      std::string out = "[";
      for (const char byte : value.text()) out += fmt::format("{}{}", out.size() > 1 ? " " : "", static_cast<unsigned char>(byte));
      return out + "]";
    }
    case Kind::list: {
      std::string out = "[";
      for (const Value& item : value.list().items) {
        if (out.size() > 1) out += ' ';
        out += describe(item, style, depth + 1);
      }
      return out + "]";
    }
    case Kind::map: {
      std::string out = "map[";
      for (const auto& [key, item] : value.map().entries) {
        if (out.size() > 4) out += ' ';
        out += (style.quoted ? quote(key) : key) + ":" + describe(item, style, depth + 1);
      }
      return out + "]";
    }
    case Kind::structure: {
      std::string out = value.is_pointer() ? "&{" : "{";
      bool first = true;
      for (const auto& [name, item] : value.structure().fields) {
        if (!first) out += ' ';
        first = false;
        if (style.names) out += name + ":";
        out += describe(item, style, depth + 1);
      }
      return out + "}";
    }
    case Kind::object: return describe(value.object().data(), style, depth);
  }
  return "";
}

struct Spec {
  bool minus = false, plus = false, sharp = false, zero = false, space = false;
  int width = -1, precision = -1;
};

std::string pad(std::string text, const Spec& spec, bool numeric) {
  std::size_t length = 0;
  for (const char c : text) length += (c & 0xc0) != 0x80 ? 1 : 0;
  if (spec.width < 0 || length >= static_cast<std::size_t>(spec.width)) return text;
  const std::size_t missing = static_cast<std::size_t>(spec.width) - length;
  if (spec.minus) return text + std::string(missing, ' ');
  if (spec.zero && numeric) {
    const bool sign = !text.empty() && (text[0] == '-' || text[0] == '+');
    return text.substr(0, sign ? 1 : 0) + std::string(missing, '0') + text.substr(sign ? 1 : 0);
  }
  return std::string(missing, spec.zero ? '0' : ' ') + text;
}

std::string bad_verb(char verb, const Value& value) {
  if (value.kind() == Kind::absent) return fmt::format("%!{}(<nil>)", verb);
  return fmt::format("%!{}({}={})", verb, value.type(), describe(value, {}, 1));
}

std::string radix(std::uint64_t value, unsigned base, bool upper) {
  char buffer[70];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, static_cast<int>(base));
  std::string out(buffer, end.ptr);
  if (upper) {
    for (char& c : out) c = c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return out;
}

std::string utf8(std::uint64_t point) {
  std::string out;
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xc0 | (point >> 6));
    out += static_cast<char>(0x80 | (point & 0x3f));
  } else if (point < 0x10000) {
    out += static_cast<char>(0xe0 | (point >> 12));
    out += static_cast<char>(0x80 | ((point >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (point & 0x3f));
  } else if (point < 0x110000) {
    out += static_cast<char>(0xf0 | (point >> 18));
    out += static_cast<char>(0x80 | ((point >> 12) & 0x3f));
    out += static_cast<char>(0x80 | ((point >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (point & 0x3f));
  } else {
    out = "\xef\xbf\xbd";
  }
  return out;
}

std::string format_integer(char verb, bool negative, std::uint64_t size, const Spec& spec, const Value& value) {
  std::string digits;
  switch (verb) {
    case 'd': case 'v': digits = std::to_string(size); break;
    case 'x': digits = (spec.sharp ? "0x" : "") + radix(size, 16, false); break;
    case 'X': digits = (spec.sharp ? "0X" : "") + radix(size, 16, true); break;
    case 'o': digits = (spec.sharp ? "0" : "") + radix(size, 8, false); break;
    case 'O': digits = "0o" + radix(size, 8, false); break;
    case 'b': digits = radix(size, 2, false); break;
    case 'c': return pad(utf8(size), spec, false);
    case 'q': return pad("'" + utf8(size) + "'", spec, false);
    case 'U': return pad(fmt::format("U+{:04X}", size), spec, false);
    default: return bad_verb(verb, value);
  }
  if (spec.precision >= 0 && digits.size() < static_cast<std::size_t>(spec.precision)) digits.insert(0, static_cast<std::size_t>(spec.precision) - digits.size(), '0');
  return pad((negative ? "-" : spec.plus ? "+" : spec.space ? " " : "") + digits, spec, spec.precision < 0);
}

std::string format_text(char verb, const std::string& text, const Spec& spec, const Value& value) {
  switch (verb) {
    case 's': case 'v': {
      std::string out = verb == 'v' && spec.sharp ? quote(text) : text;
      if (spec.precision >= 0) {
        std::size_t at = 0;
        for (int left = spec.precision; at < out.size(); ++at) {
          if ((out[at] & 0xc0) != 0x80 && left-- == 0) break;
        }
        out.resize(at);
      }
      return pad(std::move(out), spec, false);
    }
    case 'q': return pad(spec.sharp && text.find('`') == std::string::npos ? "`" + text + "`" : quote(text), spec, false);
    case 'x': case 'X': {
      std::string out;
      for (const char byte : text) out += fmt::format("{:02x}", static_cast<unsigned char>(byte));
      if (verb == 'X') for (char& c : out) c = c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c;
      return pad(std::move(out), spec, false);
    }
    default: return bad_verb(verb, value);
  }
}

std::string format_one(char verb, const Spec& spec, const Value& given) {
  const Value value = given.plain();
  if (verb == 'T') return pad(value.kind() == Kind::absent ? "<nil>" : given.type(), spec, false);
  switch (value.kind()) {
    case Kind::boolean:
      if (verb == 't' || verb == 'v') return pad(value.boolean() ? "true" : "false", spec, false);
      return bad_verb(verb, value);
    case Kind::integer: {
      if ((verb == 'v' || verb == 's') && value.type() == "time.Duration") return pad(describe(value, {}, 0), spec, false);
      const std::int64_t number = value.integer();
      return format_integer(verb, number < 0, number < 0 ? ~static_cast<std::uint64_t>(number) + 1 : static_cast<std::uint64_t>(number), spec, value);
    }
    case Kind::unsigned_integer: return format_integer(verb, false, value.unsigned_integer(), spec, value);
    case Kind::floating:
      if (std::string_view("vgGeEfF").find(verb) != std::string_view::npos) {
        std::string text = number_text(value.floating(), verb, spec.precision);
        if (spec.plus && text[0] != '-' && text[0] != '+') text.insert(0, "+");
        return pad(std::move(text), spec, true);
      }
      return bad_verb(verb, value);
    case Kind::string: return format_text(verb, value.text(), spec, value);
    case Kind::bytes:
      if (verb != 'v' && verb != 'd') return format_text(verb, value.text(), spec, value);
      return pad(describe(value, {}, 0), spec, false);
    case Kind::absent: case Kind::nil:
      if (verb == 'v') return pad("<nil>", spec, false);
      return fmt::format("%!{}(<nil>)", verb);
    case Kind::list: {
      if (verb == 'v') return pad(describe(value, {spec.plus, spec.sharp}, 0), spec, false);
      std::string out = "[";
      for (const Value& item : value.list().items) out += (out.size() > 1 ? " " : "") + format_one(verb, spec, item);
      return out + "]";
    }
    case Kind::map: {
      if (verb == 'v') return pad(describe(value, {spec.plus, spec.sharp}, 0), spec, false);
      std::string out = "map[";
      for (const auto& [key, item] : value.map().entries) {
        out += (out.size() > 4 ? " " : "") + format_one(verb, spec, Value(key)) + ":" + format_one(verb, spec, item);
      }
      return out + "]";
    }
    default: return pad(describe(value, {spec.plus, spec.sharp}, 0), spec, false);
  }
}
}  // namespace

std::string float_text(double value) { return number_text(value, 'v', -1); }

std::string to_text(const Value& value) { return describe(value, {}, 0); }

std::string print(const std::vector<Value>& values) {
  std::string out;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0 && values[i].kind() != Kind::string && values[i - 1].kind() != Kind::string) out += ' ';
    out += values[i].kind() == Kind::absent ? "<nil>" : describe(values[i], {}, 0);
  }
  return out;
}

std::string print_format(std::string_view format, const std::vector<Value>& values) {
  std::string out;
  std::size_t next = 0;
  const auto number = [&](std::size_t& at) {
    int value = -1;
    if (at < format.size() && format[at] == '*') {
      ++at;
      if (next < values.size() && values[next].kind() == Kind::integer) value = static_cast<int>(values[next].integer());
      ++next;
      return value;
    }
    while (at < format.size() && format[at] >= '0' && format[at] <= '9' && value < 100'000) value = (value < 0 ? 0 : value * 10) + (format[at++] - '0');
    return value;
  };
  for (std::size_t at = 0; at < format.size();) {
    if (format[at] != '%') {
      out += format[at++];
      continue;
    }
    ++at;
    Spec spec;
    for (; at < format.size(); ++at) {
      if (format[at] == '-') spec.minus = true;
      else if (format[at] == '+') spec.plus = true;
      else if (format[at] == '#') spec.sharp = true;
      else if (format[at] == '0') spec.zero = true;
      else if (format[at] == ' ') spec.space = true;
      else break;
    }
    if (spec.minus) spec.zero = false;
    spec.width = number(at);
    if (at < format.size() && format[at] == '.') {
      ++at;
      spec.precision = std::max(0, number(at));
    }
    if (at >= format.size()) {
      out += "%!(NOVERB)";
      break;
    }
    const char verb = format[at++];
    if (verb == '%') {
      out += '%';
    } else if (next >= values.size()) {
      out += fmt::format("%!{}(MISSING)", verb);
    } else {
      out += format_one(verb, spec, values[next++]);
    }
  }
  if (next < values.size()) {
    out += "%!(EXTRA ";
    for (std::size_t i = next; i < values.size(); ++i) {
      if (i > next) out += ", ";
      out += values[i].kind() == Kind::absent ? "<nil>" : values[i].type() + "=" + describe(values[i], {}, 1);
    }
    out += ")";
  }
  return out;
}

}  // namespace drover::gotemplate
