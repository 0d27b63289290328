#include "lib/hcl/json_value.h"

#include <fmt/format.h>

#include "lib/hcl/function_table.h"
#include "lib/hcl/unicode.h"
#include "sdk/base/text.h"

namespace drover::hcl {

namespace {

void append_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const Rune rune = decode_rune(text);
    const std::string_view piece = text.substr(0, rune.length);
    text.remove_prefix(rune.length);
    switch (rune.code) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      case '\b': out += "\\b"; break;
      case '\f': out += "\\f"; break;
      case -1: out += "\\ufffd"; break;
      default:
        if (rune.code < 0x20 || rune.code == '<' || rune.code == '>' || rune.code == '&' || rune.code == 0x2028 || rune.code == 0x2029) {
          out += fmt::format("\\u{:04x}", rune.code);
        } else {
          out += piece;
        }
    }
  }
  out += '"';
}

bool append_value(std::string& out, const Value& value) {
  if (value.is_null()) {
    out += "null";
    return true;
  }
  switch (value.kind()) {
    case Kind::string: append_string(out, value.as_string()); return true;
    case Kind::boolean: out += value.as_bool() ? "true" : "false"; return true;
    case Kind::number:
      out += value.as_number().str();
      return !value.as_number().is_infinite();
    case Kind::list: case Kind::set: case Kind::tuple: {
      out += '[';
      bool first = true;
      for (const Value& item : value.as_list()) {
        if (!first) out += ',';
        first = false;
        if (!append_value(out, item)) return false;
      }
      out += ']';
      return true;
    }
    case Kind::map: case Kind::object: {
      out += '{';
      bool first = true;
      for (const auto& [name, item] : value.as_map()) {
        if (!first) out += ',';
        first = false;
        append_string(out, name);
        out += ':';
        if (!append_value(out, item)) return false;
      }
      out += '}';
      return true;
    }
    case Kind::dynamic: break;
  }
  return true;
}

class Reader {
 public:
  Reader(std::string_view text, Budget& budget) : text_(text), budget_(budget) {}

  FunctionResult document() {
    FunctionResult result = value();
    if (!result) return result;
    skip();
    if (at_ < text_.size()) return function_error("extraneous data after JSON object");
    return result;
  }

 private:
  void skip() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) at_++;
  }
  [[nodiscard]] tl::unexpected<FunctionError> unexpected_here(const char* where = "") const {
    if (at_ >= text_.size()) return function_error("EOF");
    const char c = text_[at_];
    const std::string shown = c == '\'' ? "'\\''" : c == '"' ? "'\"'" : fmt::format("'{}'", text_.substr(at_, decode_rune(text_.substr(at_)).length));
    return function_error(fmt::format("invalid character {}{}", shown, where));
  }

  FunctionResult value() {
    skip();
    if (at_ >= text_.size()) return function_error("EOF");
    if (depth_ >= max_value_depth || !budget_.take_step()) return function_error("JSON text is too large or nested too deeply");
    switch (text_[at_]) {
      case '{': return object();
      case '[': return array();
      case '"': {
        std::string text;
        if (!string(text)) return tl::unexpected(problem_);
        return Value::string(std::move(text));
      }
      case 't': return word("true", Value::boolean(true));
      case 'f': return word("false", Value::boolean(false));
      case 'n': return word("null", Value::null());
      default: return number();
    }
  }

  FunctionResult word(std::string_view expected, Value value) {
    for (std::size_t i = 0; i < expected.size(); i++, at_++) {
      if (at_ >= text_.size()) return function_error("unexpected EOF");
      if (text_[at_] != expected[i]) {
        return unexpected_here(fmt::format(" in literal {} (expecting '{}')", expected, expected[i]).c_str());
      }
    }
    return value;
  }

  [[nodiscard]] bool digit() const { return at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; }
  bool digits() {
    const std::size_t start = at_;
    while (digit()) at_++;
    return at_ > start;
  }
  // One of these characters, if it comes next.
  bool take(std::string_view accepted) {
    if (at_ >= text_.size() || accepted.find(text_[at_]) == std::string_view::npos) return false;
    at_++;
    return true;
  }
  [[nodiscard]] tl::unexpected<FunctionError> cut_short(const char* where) const {
    return at_ >= text_.size() ? function_error("unexpected EOF") : unexpected_here(where);
  }

  FunctionResult number() {
    const std::size_t start = at_;
    if (text_[at_] != '-' && !digit()) return unexpected_here(" looking for beginning of value");
    if (take("-") && !digit()) return cut_short(" in numeric literal");
    // After a leading zero there are no more digits.
    if (!take("0")) digits();
    if (take(".") && !digits()) return cut_short(" after decimal point in numeric literal");
    if (take("eE")) {
      (void)take("+-");
      if (!digits()) return cut_short(" in exponent of numeric literal");
    }
    const auto number = Number::parse(text_.substr(start, at_ - start));
    if (!number) return function_error(fmt::format("invalid number literal {}", quote(text_.substr(start, at_ - start))));
    return Value::number(*number);
  }

  bool fail(FunctionError error) {
    problem_ = std::move(error);
    return false;
  }

  bool string(std::string& out) {
    at_++;
    while (true) {
      if (at_ >= text_.size()) return fail({"unexpected EOF"});
      const char c = text_[at_++];
      if (c == '"') return true;
      if (static_cast<unsigned char>(c) < 0x20) return fail({"invalid character in string literal"});
      if (c != '\\') {
        out += c;
        continue;
      }
      const char escaped = at_ < text_.size() ? text_[at_++] : '\0';
      static constexpr std::string_view names = "\"\\/bfnrt";
      static constexpr std::string_view values = "\"\\/\b\f\n\r\t";
      if (const std::size_t found = escaped == '\0' ? std::string_view::npos : names.find(escaped); found != std::string_view::npos) {
        out += values[found];
      } else if (std::uint32_t code = 0; escaped == 'u' && hex(code)) {
        if (code >= 0xD800 && code < 0xDC00 && text_.substr(at_).starts_with("\\u")) {
          const std::size_t back = at_;
          at_ += 2;
          std::uint32_t low = 0;
          if (hex(low) && low >= 0xDC00 && low < 0xE000) code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
          else at_ = back;
        }
        append_rune(out, code >= 0xD800 && code < 0xE000 ? 0xFFFD : static_cast<std::int32_t>(code));
      } else {
        return fail({fmt::format("invalid character '{}' in string escape code", escaped)});
      }
    }
  }
  bool hex(std::uint32_t& code) {
    if (at_ + 4 > text_.size()) return false;
    code = 0;
    for (int i = 0; i < 4; i++) {
      const char c = text_[at_ + static_cast<std::size_t>(i)];
      if (!std::isxdigit(static_cast<unsigned char>(c))) return false;
      code = code * 16 + static_cast<std::uint32_t>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    at_ += 4;
    return true;
  }

  FunctionResult array() {
    depth_++;
    at_++;
    Value::List out;
    skip();
    if (at_ < text_.size() && text_[at_] == ']') {
      at_++;
      depth_--;
      return Value::tuple({});
    }
    while (true) {
      FunctionResult item = value();
      if (!item) return item;
      out.push_back(std::move(*item));
      skip();
      if (at_ < text_.size() && text_[at_] == ',') {
        at_++;
        continue;
      }
      if (at_ < text_.size() && text_[at_] == ']') break;
      return unexpected_here(" after array element");
    }
    at_++;
    depth_--;
    return Value::tuple(std::move(out));
  }

  FunctionResult object() {
    depth_++;
    at_++;
    Value::Map out;
    skip();
    if (at_ < text_.size() && text_[at_] == '}') {
      at_++;
      depth_--;
      return Value::object({});
    }
    while (true) {
      skip();
      if (at_ >= text_.size()) return function_error("EOF");
      if (text_[at_] != '"') return unexpected_here();
      std::string name;
      if (!string(name)) return tl::unexpected(problem_);
      skip();
      if (at_ >= text_.size() || text_[at_] != ':') return unexpected_here(" after object key");
      at_++;
      FunctionResult item = value();
      if (!item) return item;
      out.insert_or_assign(normalize_nfc(name), std::move(*item));
      skip();
      if (at_ < text_.size() && text_[at_] == ',') {
        at_++;
        continue;
      }
      if (at_ < text_.size() && text_[at_] == '}') break;
      return unexpected_here(" after object key:value pair");
    }
    at_++;
    depth_--;
    return Value::object(std::move(out));
  }

  std::string_view text_;
  Budget& budget_;
  std::size_t at_ = 0;
  int depth_ = 0;
  FunctionError problem_;
};

}  // namespace

tl::expected<std::string, FunctionError> json_text(const Value& value) {
  std::string out;
  if (!append_value(out, value)) return function_error("cannot serialize infinity as JSON");
  return out;
}

FunctionResult value_from_json(std::string_view text, Budget& budget) { return Reader(text, budget).document(); }

}  // namespace drover::hcl
