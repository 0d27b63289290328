#include "lib/lsp/cursor.h"

#include <algorithm>
#include <cctype>

namespace drover::lsp {

namespace {

constexpr std::size_t max_depth = 200;

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || (static_cast<unsigned char>(c) & 0x80) != 0; }

class Scanner {
 public:
  Scanner(std::string_view text, std::size_t byte) : text_(text), target_(std::min(byte, text.size())) {
    file_ = std::make_shared<Frame>();
    levels_.push_back({Level::Kind::body, file_});
  }

  Outline run() {
    while (at_ < text_.size()) {
      look();
      step();
    }
    look();
    if (!seen_) take(Cursor::Place::statement);
    Outline out{std::move(cursor_), file_, {}, {}};
    out.variables = std::move(variables_);
    for (const auto& frame : locals_) out.locals.insert(frame->names.begin(), frame->names.end());
    return out;
  }

 private:
  struct Level {
    enum class Kind { body, object, brackets, interpolation, quoted, heredoc };
    Kind kind = Kind::body;
    std::shared_ptr<Frame> frame = {};  // of bodies and objects
    std::vector<std::string> words = {};  // of the statement so far
    bool valued = false;                // behind its `=`
    std::size_t start = 0;              // where the statement, the text or the expression's last word begins
    std::string end = {};               // of a heredoc
    bool plain = true;                  // a text without interpolation
  };

  Level& top() { return levels_.back(); }
  [[nodiscard]] const Level& top() const { return levels_.back(); }
  [[nodiscard]] char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  [[nodiscard]] bool is(std::string_view word) const { return text_.substr(at_, word.size()) == word; }

  void push(Level level) {
    // What is nested deeper is not told apart any more; its ends are then not found, which is harmless.
    if (levels_.size() < max_depth) levels_.push_back(std::move(level));
  }
  void pop() {
    if (levels_.size() > 1) levels_.pop_back();
  }

  // The level of the innermost body or object.
  [[nodiscard]] const Level& statement() const {
    for (auto level = levels_.rbegin(); level != levels_.rend(); ++level) {
      if (level->frame) return *level;
    }
    return levels_.front();
  }

  // Is the position here?
  void look() {
    if (seen_ || at_ < target_) return;
    const Level& level = top();
    if (level.kind == Level::Kind::quoted || level.kind == Level::Kind::heredoc) return take(level.start > target_ ? Cursor::Place::expression : Cursor::Place::text);
    const bool body = level.kind == Level::Kind::body || level.kind == Level::Kind::object;
    if (body && !level.valued) return take(level.words.size() > 1 || (level.words.size() == 1 && !word_touches()) ? Cursor::Place::header : Cursor::Place::statement);
    take(Cursor::Place::expression);
  }
  // Whether the last word ends where the position is.
  [[nodiscard]] bool word_touches() const { return target_ > 0 && is_word(text_[target_ - 1]); }

  void take(Cursor::Place place) {
    if (seen_) return;
    seen_ = true;
    cursor_.place = place;
    for (const Level& level : levels_) {
      if (level.frame && level.frame != file_) cursor_.frames.push_back(level.frame);
      if (level.kind == Level::Kind::interpolation) cursor_.interpolation = true;
    }
    const Level& around = statement();
    if (around.valued && !around.words.empty()) cursor_.attribute = around.words.front();
    std::size_t start = target_;
    if (place == Cursor::Place::text) {
      start = top().start;
    } else {
      const bool dots = place == Cursor::Place::expression;
      while (start > 0 && (is_word(text_[start - 1]) || (dots && text_[start - 1] == '.'))) start--;
    }
    cursor_.prefix_start = start;
    cursor_.prefix = std::string(text_.substr(start, target_ - start));
  }

  void step() {
    switch (top().kind) {
      case Level::Kind::quoted: return step_text('"');
      case Level::Kind::heredoc: return step_heredoc();
      default: return step_code();
    }
  }

  bool open_interpolation() {
    if (is("$${") || is("%%{")) {
      at_ += 3;
      return true;
    }
    if (!is("${") && !is("%{")) return false;
    top().plain = false;
    at_ += 2;
    push({Level::Kind::interpolation});
    return true;
  }

  void step_text(char quote) {
    if (peek() == '\\') {
      at_ += 2;
    } else if (peek() == quote || peek() == '\n') {  // a string ends with its line
      const Level text = top();
      pop();
      if (text.plain && peek() == quote) keep_text(std::string(text_.substr(text.start, at_ - text.start)));
      if (peek() == quote) at_++;
    } else if (!open_interpolation()) {
      at_++;
    }
  }

  // A string that is the value of an attribute as a whole, or a label.
  void keep_text(std::string text) {
    Level& level = top();
    if (!level.frame) return;
    if (level.valued) {
      if (!level.words.empty()) level.frame->texts.emplace(level.words.front(), std::move(text));
    } else {
      level.words.push_back(std::move(text));
    }
  }

  void step_heredoc() {
    if (at_ == 0 || text_[at_ - 1] == '\n') {
      const std::size_t end = std::min(text_.find('\n', at_), text_.size());
      std::string_view line = text_.substr(at_, end - at_);
      while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
      while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
      if (line == top().end) {
        pop();
        at_ = end;
        return;
      }
    }
    if (!open_interpolation()) at_++;
  }

  bool skip_comment() {
    std::size_t end = 0;
    if (peek() == '#' || is("//")) end = std::min(text_.find('\n', at_), text_.size());
    else if (is("/*")) end = text_.find("*/", at_ + 2) == std::string_view::npos ? text_.size() : text_.find("*/", at_ + 2) + 2;
    else return false;
    if (!seen_ && target_ > at_ && target_ <= end) take(Cursor::Place::comment);
    at_ = end;
    return true;
  }

  bool open_heredoc() {
    if (!is("<<")) return false;
    std::size_t at = at_ + 2;
    if (at < text_.size() && text_[at] == '-') at++;
    const std::size_t start = at;
    while (at < text_.size() && is_word(text_[at])) at++;
    if (at == start || at >= text_.size() || (text_[at] != '\n' && text_[at] != '\r')) return false;
    Level level{Level::Kind::heredoc};
    level.end = std::string(text_.substr(start, at - start));
    at_ = std::min(text_.find('\n', at), text_.size() - 1) + 1;
    level.start = at_;
    push(std::move(level));
    return true;
  }

  void step_code() {
    if (skip_comment()) return;
    const char c = peek();
    Level& level = top();
    const bool body = level.kind == Level::Kind::body || level.kind == Level::Kind::object;
    if (c == '"') {
      at_++;
      Level text{Level::Kind::quoted};
      text.start = at_;
      return push(std::move(text));
    }
    if (open_heredoc()) return;
    if (is_word(c) && body && !level.valued) return read_word();
    if (c == '\n' || (c == ',' && level.kind == Level::Kind::object)) {
      if (body) end_statement(level);
    } else if ((c == '=' || (c == ':' && level.kind == Level::Kind::object)) && body && !level.valued && peek(1) != '=') {
      level.valued = true;
      if (!level.words.empty()) level.frame->names.insert(level.words.front());
    } else if (c == '{') {
      at_++;
      return open_brace();
    } else if (c == '[' || c == '(') {
      at_++;
      return push({Level::Kind::brackets});
    } else if (c == ']' || c == ')') {
      if (level.kind == Level::Kind::brackets) pop();
    } else if (c == '}') {
      at_++;
      return close_brace();
    }
    at_++;
  }

  void read_word() {
    const std::size_t start = at_;
    // Stops at the position, so that the words before it are known there.
    while (at_ < text_.size() && is_word(text_[at_])) at_++;
    if (!seen_ && target_ > start && target_ <= at_) {
      top().words.emplace_back(text_.substr(start, target_ - start));
      const bool first = top().words.size() == 1;
      top().words.pop_back();
      take(first ? Cursor::Place::statement : Cursor::Place::header);
    }
    top().words.emplace_back(text_.substr(start, at_ - start));
  }

  void end_statement(Level& level) {
    level.words.clear();
    level.valued = false;
  }

  void open_brace() {
    Level& level = top();
    auto frame = std::make_shared<Frame>();
    const bool value = !level.frame || level.valued;
    frame->object = value;
    const Level& around = statement();
    if (!around.words.empty()) frame->type = around.words.front();
    if (!value) {
      frame->labels.assign(level.words.empty() ? level.words.begin() : level.words.begin() + 1, level.words.end());
      level.frame->names.insert(frame->type);
      if (level.frame == file_ && frame->type == "variable" && !frame->labels.empty()) variables_.emplace(frame->labels[0], frame);
      if (level.frame == file_ && frame->type == "locals") locals_.push_back(frame);
    }
    push({value ? Level::Kind::object : Level::Kind::body, frame});
  }

  void close_brace() {
    // Brackets that were left open end with the braces around them.
    while (levels_.size() > 1 && top().kind == Level::Kind::brackets) pop();
    if (levels_.size() == 1) return;
    const bool block = top().kind == Level::Kind::body;
    pop();
    if (block && top().frame) end_statement(top());
  }

  std::string_view text_;
  std::size_t target_;
  std::size_t at_ = 0;
  bool seen_ = false;
  std::vector<Level> levels_;
  std::shared_ptr<Frame> file_;
  Cursor cursor_;
  std::map<std::string, std::shared_ptr<const Frame>> variables_;
  std::vector<std::shared_ptr<Frame>> locals_;
};

}  // namespace

Outline look_at(std::string_view text, std::size_t byte) { return Scanner(text, byte).run(); }

}  // namespace drover::lsp
