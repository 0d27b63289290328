#include "lib/model/json_complaint.h"

#include "sdk/base/text.h"

namespace drover::model {
namespace {

std::string quote_char(char c) {
  if (c == '\'') return "'\\''";
  if (c == '"') return "'\"'";
  const std::string quoted = quote(std::string_view(&c, 1));
  return "'" + quoted.substr(1, quoted.size() - 2) + "'";
}

// Reads one value and stops at the first thing wrong.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}
  // Empty when the text is a value.
  std::string complaint() {
    if (peek() == '\0' && at_ >= text_.size()) return "EOF";
    value(0);
    return error_;
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
  bool number() {
    if (text_[at_] == '-') ++at_;
    if (!at_end() && text_[at_] == '0') ++at_;
    else if (!digits("in numeric literal")) return false;
    if (!at_end() && text_[at_] == '.') {
      ++at_;
      if (!digits("after decimal point in numeric literal")) return false;
    }
    if (!at_end() && (text_[at_] == 'e' || text_[at_] == 'E')) {
      ++at_;
      if (!at_end() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
      if (!digits("in exponent of numeric literal")) return false;
    }
    return true;
  }
  bool string() {
    for (++at_; !at_end() && text_[at_] != '"'; ++at_) {
      if (static_cast<unsigned char>(text_[at_]) < 0x20) return wrong("in string literal");
      if (text_[at_] != '\\') continue;
      ++at_;
      if (at_end() || std::string_view("bfnrt\\/\"u").find(text_[at_]) == std::string_view::npos) return wrong("in string escape code");
      if (text_[at_] != 'u') continue;
      for (int i = 0; i < 4; ++i) {
        ++at_;
        if (at_end() || std::isxdigit(static_cast<unsigned char>(text_[at_])) == 0) return wrong("in \\u hexadecimal character escape");
      }
    }
    if (at_end()) return wrong("");
    ++at_;
    return true;
  }
  bool object(int depth) {
    ++at_;
    if (peek() == '}') return ++at_, true;
    for (;;) {
      if (peek() != '"') return wrong("looking for beginning of object key string");
      if (!string()) return false;
      if (peek() != ':') return wrong("after object key");
      ++at_;
      if (!value(depth)) return false;
      const char next = peek();
      if (next != ',' && next != '}') return wrong("after object key:value pair");
      ++at_;
      if (next == '}') return true;
    }
  }
  bool array(int depth) {
    ++at_;
    if (peek() == ']') return ++at_, true;
    for (;;) {
      if (!value(depth)) return false;
      const char next = peek();
      if (next != ',' && next != ']') return wrong("after array element");
      ++at_;
      if (next == ']') return true;
    }
  }
  bool value(int depth) {
    if (depth == max_depth) {
      error_ = "exceeded max depth";
      return false;
    }
    const char c = peek();
    if (at_end()) return wrong("");
    switch (c) {
      case '{': return object(depth + 1);
      case '[': return array(depth + 1);
      case '"': return string();
      case 't': return literal("true");
      case 'f': return literal("false");
      case 'n': return literal("null");
      default: break;
    }
    if (c == '-' || (c >= '0' && c <= '9')) return number();
    return wrong("looking for beginning of value");
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string error_;
};

}  // namespace

std::string json_complaint(std::string_view text) {
  Scanner scanner(text);
  return scanner.complaint();
}

}  // namespace drover::model
