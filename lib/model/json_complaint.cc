#include "lib/model/json_complaint.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "lib/model/json_text.h"
#include "sdk/base/text.h"

namespace drover::model {
namespace {

std::string quote_char(char c) {
  if (c == '\'') return "'\\''";
  if (c == '"') return "'\"'";
  const std::string quoted = quote(std::string_view(&c, 1));
  return "'" + quoted.substr(1, quoted.size() - 2) + "'";
}

constexpr std::string_view invalid = "invalid JSON";

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// Bytes of a string that stand for themselves.
constexpr std::array<bool, 256> make_plain() {
  std::array<bool, 256> out{};
  for (std::size_t i = 0x20; i < 0x80; ++i) out[i] = i != '"' && i != '\\';
  return out;
}
constexpr std::array<bool, 256> plain = make_plain();

// Reads one value and stops at the first thing wrong. Makes values only where it is given a place for them.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}
  // Empty when the text begins with a value.
  std::string complaint(Json* out) {
    if (peek() == '\0' && at_end()) return "EOF";
    value(0, out);
    return error_;
  }
  // Only white space is left.
  bool finished() {
    peek();
    return at_end();
  }

 private:
  static constexpr int max_depth = 10000;

  bool at_end() const { return at_ >= text_.size(); }
  char peek() {
    while (!at_end() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\r' || text_[at_] == '\n')) ++at_;
    return at_end() ? '\0' : text_[at_];
  }
  bool wrong(std::string_view where) {
    error_ = at_end() ? "unexpected EOF" : fmt::format("invalid character {} {}", quote_char(text_[at_]), where);
    return false;
  }
  bool not_json() {
    error_ = invalid;
    return false;
  }
  bool literal(std::string_view word) {
    for (std::size_t i = 0; i < word.size(); ++i, ++at_) {
      if (at_end() || text_[at_] != word[i]) return wrong(fmt::format("in literal {} (expecting {})", word, quote_char(word[i])));
    }
    return true;
  }
  bool digits(std::string_view where) {
    if (at_end() || text_[at_] < '0' || text_[at_] > '9') return wrong(where);
    while (!at_end() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
    return true;
  }
  bool number(Json* out) {
    const std::size_t start = at_;
    bool whole = true;
    if (text_[at_] == '-') ++at_;
    if (!at_end() && text_[at_] == '0') ++at_;
    else if (!digits("in numeric literal")) return false;
    if (!at_end() && text_[at_] == '.') {
      ++at_;
      whole = false;
      if (!digits("after decimal point in numeric literal")) return false;
    }
    if (!at_end() && (text_[at_] == 'e' || text_[at_] == 'E')) {
      ++at_;
      whole = false;
      if (!at_end() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
      if (!digits("in exponent of numeric literal")) return false;
    }
    return out == nullptr || store_number(text_.substr(start, at_ - start), whole, *out);
  }
  bool store_number(std::string_view digits, bool whole, Json& out) {
    const char* end = digits.data() + digits.size();
    if (std::uint64_t positive = 0; whole && std::from_chars(digits.data(), end, positive).ec == std::errc()) {
      out = positive;
      return true;
    }
    if (std::int64_t negative = 0; whole && std::from_chars(digits.data(), end, negative).ec == std::errc()) {
      out = negative;
      return true;
    }
    double number = 0;
    // What is too small for a double is zero.
    if (std::from_chars(digits.data(), end, number).ec != std::errc()) number = std::strtod(std::string(digits).c_str(), nullptr);
    if (!std::isfinite(number)) return not_json();
    out = number;
    return true;
  }
  // The four digits of an escape.
  bool unit(std::uint32_t& out) {
    out = 0;
    for (int i = 0; i < 4; ++i) {
      ++at_;
      const int digit = at_end() ? -1 : hex_digit(text_[at_]);
      if (digit < 0) return wrong("in \\u hexadecimal character escape");
      out = out << 4 | static_cast<std::uint32_t>(digit);
    }
    return true;
  }
  bool unicode(std::string* out) {
    std::uint32_t code = 0;
    if (!unit(code)) return false;
    if (out == nullptr) return true;
    if (code >= 0xd800 && code < 0xdc00) {
      std::uint32_t low = 0;
      if (text_.substr(at_ + 1, 2) != "\\u") return not_json();
      at_ += 2;
      if (!unit(low)) return false;
      if (low < 0xdc00 || low > 0xdfff) return not_json();
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    } else if (code >= 0xdc00 && code <= 0xdfff) {
      return not_json();
    }
    const auto put = [&](std::uint32_t byte) { out->push_back(static_cast<char>(byte)); };
    if (code < 0x80) {
      put(code);
    } else if (code < 0x800) {
      put(0xc0 | code >> 6);
    } else if (code < 0x10000) {
      put(0xe0 | code >> 12);
      put(0x80 | (code >> 6 & 0x3f));
    } else {
      put(0xf0 | code >> 18);
      put(0x80 | (code >> 12 & 0x3f));
      put(0x80 | (code >> 6 & 0x3f));
    }
    if (code >= 0x80) put(0x80 | (code & 0x3f));
    return true;
  }
  bool escape(std::string* out) {
    constexpr std::string_view names = "bfnrt\\/\"";
    constexpr std::string_view meanings = "\b\f\n\r\t\\/\"";
    ++at_;
    if (!at_end() && text_[at_] == 'u') return unicode(out);
    const std::size_t name = at_end() ? std::string_view::npos : names.find(text_[at_]);
    if (name == std::string_view::npos) return wrong("in string escape code");
    if (out != nullptr) out->push_back(meanings[name]);
    return true;
  }
  bool string(std::string* out) {
    ++at_;
    for (;;) {
      const std::size_t start = at_;
      while (!at_end() && plain[static_cast<unsigned char>(text_[at_])]) ++at_;
      if (out != nullptr) out->append(text_.substr(start, at_ - start));
      if (at_end()) return wrong("");
      const char c = text_[at_];
      if (c == '"') return ++at_, true;
      if (static_cast<unsigned char>(c) < 0x20) return wrong("in string literal");
      if (c == '\\') {
        if (!escape(out)) return false;
        ++at_;
        continue;
      }
      const std::size_t length = utf8_length(text_.substr(at_));
      if (length == 0 && out != nullptr) return not_json();
      if (out != nullptr) out->append(text_.substr(at_, length));
      at_ += std::max<std::size_t>(length, 1);
    }
  }
  bool object(int depth, Json* out) {
    Json::object_t* members = nullptr;
    if (out != nullptr) {
      *out = Json::object();
      members = out->get_ptr<Json::object_t*>();
    }
    ++at_;
    if (peek() == '}') return ++at_, true;
    for (std::string key;;) {
      key.clear();
      if (peek() != '"') return wrong("looking for beginning of object key string");
      if (!string(members == nullptr ? nullptr : &key)) return false;
      if (peek() != ':') return wrong("after object key");
      ++at_;
      if (!value(depth, members == nullptr ? nullptr : &(*members)[std::move(key)])) return false;
      const char next = peek();
      if (next != ',' && next != '}') return wrong("after object key:value pair");
      ++at_;
      if (next == '}') return true;
    }
  }
  bool array(int depth, Json* out) {
    Json::array_t* items = nullptr;
    if (out != nullptr) {
      *out = Json::array();
      items = out->get_ptr<Json::array_t*>();
    }
    ++at_;
    if (peek() == ']') return ++at_, true;
    for (;;) {
      if (!value(depth, items == nullptr ? nullptr : &items->emplace_back())) return false;
      const char next = peek();
      if (next != ',' && next != ']') return wrong("after array element");
      ++at_;
      if (next == ']') return true;
    }
  }
  bool text(Json* out) {
    if (out == nullptr) return string(nullptr);
    *out = std::string();
    return string(out->get_ptr<std::string*>());
  }
  bool constant(std::string_view word, Json* out, Json value) {
    if (!literal(word)) return false;
    if (out != nullptr) *out = std::move(value);
    return true;
  }
  bool value(int depth, Json* out) {
    if (depth == max_depth) {
      error_ = "exceeded max depth";
      return false;
    }
    const char c = peek();
    if (at_end()) return wrong("");
    switch (c) {
      case '{': return object(depth + 1, out);
      case '[': return array(depth + 1, out);
      case '"': return text(out);
      case 't': return constant("true", out, true);
      case 'f': return constant("false", out, false);
      case 'n': return constant("null", out, nullptr);
      default: break;
    }
    if (c == '-' || (c >= '0' && c <= '9')) return number(out);
    return wrong("looking for beginning of value");
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string error_;
};

}  // namespace

std::string json_complaint(std::string_view text) {
  Scanner scanner(text);
  return scanner.complaint(nullptr);
}

std::string parse_json(std::string_view text, Json& out) {
  Scanner scanner(text);
  std::string complaint = scanner.complaint(&out);
  if (complaint.empty() && !scanner.finished()) complaint = invalid;
  return complaint;
}

}  // namespace drover::model
