#include "lib/gotemplate/lexer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace drover::gotemplate {
namespace {
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (c & 0x80) != 0; }

constexpr std::array keywords{"block", "break", "continue", "define", "else", "end", "if", "range", "template", "with"};

class Scanner {
 public:
  Scanner(std::string_view text, std::string_view left, std::string_view right) : text_(text), left_(left), right_(right) {}

  std::vector<Lexeme> run() {
    while (text_part() && action()) {}
    return std::move(out_);
  }

 private:
  void emit(Token token, std::size_t from, std::size_t to) { out_.push_back({token, from, std::string(text_.substr(from, to - from))}); }
  bool mistake(std::string what) {
    out_.push_back({Token::error, at_, std::move(what)});
    return false;
  }
  [[nodiscard]] std::string_view rest() const { return text_.substr(at_); }
  // A trim marker before a right delimiter: a blank and a minus.
  [[nodiscard]] bool at_right_trim() const { return at_ + 1 < text_.size() && is_blank(text_[at_]) && text_[at_ + 1] == '-' && text_.substr(at_ + 2).starts_with(right_); }
  [[nodiscard]] bool at_left_trim() const { return at_ + 1 < text_.size() && text_[at_] == '-' && is_blank(text_[at_ + 1]); }

  // Up to the next left delimiter; false at the end or a mistake.
  bool text_part() {
    for (;;) {
      const std::size_t from = at_;
      const std::size_t found = text_.find(left_, at_);
      std::size_t to = found == std::string_view::npos ? text_.size() : found;
      if (found != std::string_view::npos) {
        at_ = found + left_.size();
        if (at_left_trim()) {
          while (to > from && is_blank(text_[to - 1])) --to;
          at_ += 1;
        }
      }
      std::size_t start = from;
      if (trim_next_) while (start < to && is_blank(text_[start])) ++start;
      trim_next_ = false;
      if (to > start) emit(Token::text, start, to);
      if (found == std::string_view::npos) {
        at_ = text_.size();
        emit(Token::end, at_, at_);
        return false;
      }
      std::size_t comment = at_;
      while (comment < text_.size() && comment == at_ && is_blank(text_[comment]) && at_ > found + left_.size()) ++comment;
      if (!text_.substr(comment).starts_with("/*")) {
        emit(Token::left, found, found + left_.size());
        return true;
      }
      const std::size_t end = text_.find("*/", comment + 2);
      if (end == std::string_view::npos) return mistake("unclosed comment");
      at_ = end + 2;
      if (at_right_trim()) {
        trim_next_ = true;
        at_ += 2 + right_.size();
      } else if (rest().starts_with(right_)) {
        at_ += right_.size();
      } else {
        return mistake("comment ends before closing delimiter");
      }
    }
  }

  // The tokens up to the right delimiter; false at a mistake.
  bool action() {
    depth_ = 0;
    for (;;) {
      if (at_right_trim()) {
        if (depth_ > 0) return mistake("unclosed left paren");
        emit(Token::right, at_ + 2, at_ + 2 + right_.size());
        at_ += 2 + right_.size();
        trim_next_ = true;
        return true;
      }
      if (rest().starts_with(right_)) {
        if (depth_ > 0) return mistake("unclosed left paren");
        emit(Token::right, at_, at_ + right_.size());
        at_ += right_.size();
        return true;
      }
      if (at_ >= text_.size()) return mistake("unclosed action");
      if (!token()) return false;
    }
  }

  bool token() {
    const std::size_t from = at_;
    const char c = text_[at_];
    const auto one = [&](Token token) {
      ++at_;
      emit(token, from, at_);
      return true;
    };
    if (is_blank(c)) {
      while (at_ < text_.size() && is_blank(text_[at_]) && !at_right_trim()) ++at_;
      emit(Token::space, from, at_);
      return true;
    }
    switch (c) {
      case '=': return one(Token::assign);
      case ',': return one(Token::comma);
      case '|': return one(Token::pipe);
      case '(': ++depth_; return one(Token::open);
      case ')':
        if (--depth_ < 0) return mistake("unexpected right paren");
        return one(Token::close);
      case ':':
        if (!rest().starts_with(":=")) return mistake("expected :=");
        at_ += 2;
        emit(Token::declare, from, at_);
        return true;
      case '"': return quoted('"', Token::string, "unterminated quoted string");
      case '\'': return quoted('\'', Token::character, "unterminated character constant");
      case '`': {
        const std::size_t end = text_.find('`', at_ + 1);
        if (end == std::string_view::npos) return mistake("unterminated raw quoted string");
        at_ = end + 1;
        emit(Token::raw_string, from, at_);
        return true;
      }
      case '$': return name(Token::variable);
      case '.':
        if (at_ + 1 < text_.size() && text_[at_ + 1] >= '0' && text_[at_ + 1] <= '9') return number();
        if (at_ + 1 < text_.size() && is_word(text_[at_ + 1])) return name(Token::field);
        return one(Token::dot);
      default: break;
    }
    if ((c >= '0' && c <= '9') || c == '+' || c == '-') return number();
    if (is_word(c)) return name(Token::identifier);
    return mistake(fmt::format("unrecognized character in action: U+{:04X} '{}'", static_cast<unsigned char>(c), c));
  }

  bool quoted(char end, Token token, const char* unterminated) {
    const std::size_t from = at_++;
    for (; at_ < text_.size() && text_[at_] != end; ++at_) {
      if (text_[at_] == '\n') return mistake(unterminated);
      if (text_[at_] == '\\') ++at_;
    }
    if (at_ >= text_.size()) return mistake(unterminated);
    ++at_;
    emit(token, from, at_);
    return true;
  }

  bool name(Token token) {
    const std::size_t from = at_++;
    while (at_ < text_.size() && is_word(text_[at_])) ++at_;
    if (!at_terminator()) return mistake(fmt::format("bad character U+{:04X} '{}'", static_cast<unsigned char>(text_[at_]), text_[at_]));
    const std::string_view word = text_.substr(from, at_ - from);
    if (token == Token::identifier) {
      if (std::find(keywords.begin(), keywords.end(), word) != keywords.end()) token = Token::keyword;
      else if (word == "true" || word == "false") token = Token::boolean;
      else if (word == "nil") token = Token::nil;
    }
    emit(token, from, at_);
    return true;
  }

  [[nodiscard]] bool at_terminator() const {
    if (at_ >= text_.size()) return true;
    const char c = text_[at_];
    return is_blank(c) || std::string_view(".,|:)(=").find(c) != std::string_view::npos || rest().starts_with(right_);
  }

  bool number() {
    const std::size_t from = at_;
    if (text_[at_] == '+' || text_[at_] == '-') ++at_;
    const bool hex = rest().starts_with("0x") || rest().starts_with("0X");
    std::string_view digits = "0123456789_";
    if (hex) digits = "0123456789abcdefABCDEF_";
    else if (rest().starts_with("0o") || rest().starts_with("0O") || rest().starts_with("0b") || rest().starts_with("0B")) digits = "0123456789_oObB";
    if (hex) at_ += 2;
    const auto run = [&] { while (at_ < text_.size() && digits.find(text_[at_]) != std::string_view::npos) ++at_; };
    run();
    if (at_ < text_.size() && text_[at_] == '.') {
      ++at_;
      run();
    }
    if (at_ < text_.size() && !hex && (text_[at_] == 'e' || text_[at_] == 'E')) {
      ++at_;
      if (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
      run();
    }
    if (at_ < text_.size() && is_word(text_[at_])) {
      ++at_;
      return mistake(fmt::format("bad number syntax: \"{}\"", text_.substr(from, at_ - from)));
    }
    emit(Token::number, from, at_);
    return true;
  }

  std::string_view text_, left_, right_;
  std::size_t at_ = 0;
  int depth_ = 0;
  bool trim_next_ = false;
  std::vector<Lexeme> out_;
};
}  // namespace

std::vector<Lexeme> scan(std::string_view text, std::string_view left, std::string_view right) { return Scanner(text, left, right).run(); }

}  // namespace drover::gotemplate
