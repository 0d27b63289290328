#include <fmt/format.h>

#include <string>
#include <vector>

#include "lib/hcl/limits.h"
#include "lib/hcl/token.h"
#include "lib/hcl/unicode.h"

namespace drover::hcl {

namespace {

class Lexer {
 public:
  Lexer(std::string_view text, Pos start, std::size_t end_byte) : text_(text.substr(0, end_byte)), pos_(start), at_(start.byte) {}

  Tokens run(LexMode mode) {
    if (mode == LexMode::template_text) modes_.push_back({Mode::bare, 0, {}, true});
    else modes_.push_back({Mode::normal, 0, {}, false});
    while (at_ < text_.size() && tokens_.size() < max_tokens) {
      switch (modes_.back().mode) {
        case Mode::normal: lex_normal(); break;
        case Mode::quoted: lex_quoted(); break;
        case Mode::heredoc: lex_heredoc(); break;
        case Mode::bare: lex_bare(); break;
      }
    }
    tokens_.push_back({Tok::end_of_file, {}, pos_, pos_});
    return std::move(tokens_);
  }

 private:
  enum class Mode { normal, quoted, heredoc, bare };
  struct Frame {
    Mode mode;
    int braces;              // open braces of this expression
    std::string_view marker; // of a heredoc
    bool line_start;         // a heredoc's marker may stand here
  };

  [[nodiscard]] std::string_view rest() const { return text_.substr(at_); }
  [[nodiscard]] bool next_is(std::string_view prefix) const { return rest().starts_with(prefix); }
  [[nodiscard]] char peek(std::size_t offset) const { return at_ + offset < text_.size() ? text_[at_ + offset] : '\0'; }

  void emit(Tok type, std::size_t length) {
    const Pos start = pos_;
    const std::string_view piece = text_.substr(at_, length);
    advance(pos_, piece);
    at_ += length;
    tokens_.push_back({type, piece, start, pos_});
  }
  void skip(std::size_t length) {
    advance(pos_, text_.substr(at_, length));
    at_ += length;
  }

  void lex_normal() {
    const char c = text_[at_];
    if (c == ' ' || c == '\t') {
      std::size_t length = 1;
      while (peek(length) == ' ' || peek(length) == '\t') length++;
      return skip(length);
    }
    if (c == '\n') return emit(Tok::newline, 1);
    if (c == '\r' && peek(1) == '\n') return emit(Tok::newline, 2);
    if (c >= '0' && c <= '9') return lex_number();
    if (c == '#' || next_is("//")) {
      const std::size_t line = rest().find('\n');
      return emit(Tok::comment, line == std::string_view::npos ? rest().size() : line + 1);
    }
    if (next_is("/*")) {
      const std::size_t close = rest().find("*/", 2);
      if (close != std::string_view::npos) return emit(Tok::comment, close + 2);
    }
    if (c == '"') {
      emit(Tok::open_quote, 1);
      modes_.push_back({Mode::quoted, 0, {}, false});
      return;
    }
    if (next_is("<<") && lex_heredoc_start()) return;
    if (c == '{') {
      modes_.back().braces++;
      return emit(Tok::open_brace, 1);
    }
    if (c == '}') {
      if (modes_.back().braces == 0 && modes_.size() > 1) return close_sequence(1);
      if (modes_.back().braces > 0) modes_.back().braces--;
      return emit(Tok::close_brace, 1);
    }
    if (next_is("~}")) {
      // Always the end of a sequence, so that the parser can say that it closes something else.
      if (modes_.back().braces == 0 && modes_.size() > 1) return close_sequence(2);
      if (modes_.back().braces > 0) modes_.back().braces--;
      return emit(Tok::sequence_end, 2);
    }
    if (const Rune rune = decode_rune(rest()); rune.code < 0) return emit(Tok::bad_utf8, 1);
    else if (is_identifier_start(rune.code)) return lex_identifier();
    else if (rune.code >= 0x80) return emit(Tok::invalid, rune.length);
    lex_operator(c);
  }

  void lex_identifier() {
    std::size_t length = 0;
    while (at_ + length < text_.size()) {
      const Rune rune = decode_rune(rest().substr(length));
      if (rune.code < 0 || !is_identifier_part(rune.code)) break;
      length += rune.length;
    }
    emit(length > max_identifier_bytes ? Tok::invalid : Tok::identifier, length);
  }

  void lex_number() {
    // Digits, dots and exponents in any order; what is no number is found by whoever reads the token. It does not end in a dot.
    const auto digit = [this](std::size_t at) { return peek(at) >= '0' && peek(at) <= '9'; };
    std::size_t length = 1;
    for (std::size_t at = 1;;) {
      if (peek(at) == '.') {
        at++;
        continue;
      }
      std::size_t after = at;
      if (peek(at) == 'e' || peek(at) == 'E') after += peek(at + 1) == '+' || peek(at + 1) == '-' ? 2 : 1;
      if (!digit(after)) break;
      length = at = after + 1;
    }
    emit(Tok::number, length);
  }

  void lex_operator(char c) {
    static constexpr struct { std::string_view text; Tok type; } operators[] = {
        {"...", Tok::ellipsis}, {"==", Tok::equal_equal}, {"!=", Tok::not_equal}, {">=", Tok::greater_equal},
        {"<=", Tok::less_equal}, {"&&", Tok::and_and}, {"||", Tok::or_or}, {"=>", Tok::fat_arrow},
        {"::", Tok::double_colon}, {"*", Tok::star}, {"/", Tok::slash},
        {"+", Tok::plus}, {"-", Tok::minus}, {"%", Tok::percent}, {"=", Tok::equal}, {"<", Tok::less},
        {">", Tok::greater}, {"!", Tok::bang}, {".", Tok::dot}, {",", Tok::comma}, {"?", Tok::question},
        {":", Tok::colon}, {"[", Tok::open_bracket}, {"]", Tok::close_bracket}, {"(", Tok::open_paren},
        {")", Tok::close_paren}, {"&", Tok::bit_and}, {"|", Tok::bit_or}, {"^", Tok::bit_xor}, {"~", Tok::bit_not},
        {"'", Tok::apostrophe}, {"`", Tok::backtick}, {";", Tok::semicolon}};
    for (const auto& [text, type] : operators) {
      if (text[0] == c && next_is(text)) return emit(type, text.size());
    }
    emit(Tok::invalid, 1);
  }

  // Text that goes on with nothing a template may hold: half a character, a backslash or a sequence cut off.
  void emit_broken() {
    const char c = text_[at_];
    emit(c == '\\' || c == '$' || c == '%' ? Tok::invalid : Tok::bad_utf8, 1);
  }

  // The brace that ends `${` or `%{`: back to the template around it.
  void close_sequence(std::size_t length) {
    emit(Tok::sequence_end, length);
    modes_.pop_back();
  }

  // "${", "${~", "%{" or "%{~" here, where "$${" is literal; the caller has excluded that.
  bool lex_sequence_start() {
    if (!next_is("${") && !next_is("%{")) return false;
    const Tok type = text_[at_] == '$' ? Tok::interpolation : Tok::control;
    modes_.back().line_start = false;
    emit(type, peek(2) == '~' ? 3 : 2);
    modes_.push_back({Mode::normal, 0, {}, false});
    return true;
  }

  // Bytes of one piece of literal text: a `$` or `%` that starts no sequence, with the sequence that it makes literal (`$${`), or what
  // stands before the next of them or before a stop.
  template <class Stop>
  std::size_t literal_length(Stop stop) const {
    std::size_t length = 0;
    while (at_ + length < text_.size()) {
      const char c = peek(length);
      if (c == '$' || c == '%') {
        if (length > 0 || peek(1) == '{') break;
        if (peek(1) == c && peek(2) == '{') return peek(3) == '~' ? 4 : 3;
        // The last byte could have been the start of a sequence; only outside of quotes and heredocs it is sure to be none.
        return at_ + 1 >= text_.size() && modes_.size() > 1 ? 0 : 1;
      }
      const std::size_t step = stop(c, length);
      if (step == 0) break;
      length += step;
    }
    return length;
  }

  void lex_quoted() {
    const char c = text_[at_];
    if (c == '"') {
      emit(Tok::close_quote, 1);
      modes_.pop_back();
      return;
    }
    if (c == '\n' || c == '\r') {
      std::size_t length = 1;
      while (peek(length) == '\n' || peek(length) == '\r') length++;
      return emit(Tok::quoted_newline, length);
    }
    if (lex_sequence_start()) return;
    const std::size_t length = literal_length([this](char ch, std::size_t offset) -> std::size_t {
      if (ch == '"' || ch == '\n' || ch == '\r') return 0;
      if (ch == '\\') {
        const char escaped = peek(offset + 1);
        if (escaped == '\n' || escaped == '\r' || at_ + offset + 1 >= text_.size()) return 0;
        const Rune rune = decode_rune(rest().substr(offset + 1));
        return rune.code < 0 ? 0 : 1 + rune.length;
      }
      const Rune rune = decode_rune(rest().substr(offset));
      return rune.code < 0 ? 0 : rune.length;
    });
    if (length == 0) return emit_broken();
    emit(Tok::quoted_literal, length);
  }

  bool lex_heredoc_start() {
    std::size_t length = 2;
    if (peek(length) == '-') length++;
    const std::size_t name_at = length;
    while (at_ + length < text_.size()) {
      const Rune rune = decode_rune(rest().substr(length));
      if (rune.code < 0 || !(length == name_at ? is_identifier_start(rune.code) : is_identifier_part(rune.code))) break;
      length += rune.length;
    }
    if (length == name_at) return false;
    const std::string_view marker = rest().substr(name_at, length - name_at);
    if (peek(length) == '\r' && peek(length + 1) == '\n') length += 2;
    else if (peek(length) == '\n') length++;
    else return false;
    emit(Tok::open_heredoc, length);
    modes_.push_back({Mode::heredoc, 0, marker, true});
    return true;
  }

  void lex_heredoc() {
    if (lex_sequence_start()) return;
    Frame& frame = modes_.back();
    if (frame.line_start) {
      const std::size_t line = rest().find('\n');
      if (line != std::string_view::npos && trim_space(rest().substr(0, line)) == frame.marker) {
        const bool carriage = line > 0 && text_[at_ + line - 1] == '\r';
        emit(Tok::close_heredoc, carriage ? line - 1 : line);
        modes_.pop_back();
        return;
      }
    }
    bool ended = false;
    const std::size_t length = literal_length([this, &ended](char ch, std::size_t offset) -> std::size_t {
      if (ended) return 0;
      if (ch == '\n') {
        ended = true;
        return 1;
      }
      const Rune rune = decode_rune(rest().substr(offset));
      return rune.code < 0 ? 0 : rune.length;
    });
    if (length == 0) return emit_broken();
    const bool at_line_end = text_[at_ + length - 1] == '\n';
    frame.line_start = at_line_end;
    emit(Tok::heredoc_literal, length);
  }

  void lex_bare() {
    if (lex_sequence_start()) return;
    bool ended = false;
    const std::size_t length = literal_length([this, &ended](char ch, std::size_t offset) -> std::size_t {
      if (ended) return 0;
      ended = ch == '\n';
      const Rune rune = decode_rune(rest().substr(offset));
      return rune.code < 0 ? 0 : rune.length;
    });
    if (length == 0) return emit(Tok::bad_utf8, 1);
    emit(Tok::heredoc_literal, length);
  }

  std::string_view text_;
  Pos pos_;
  std::size_t at_;
  std::vector<Frame> modes_;
  Tokens tokens_;
};

// Reports tokens that no grammar accepts, each kind a few times only.
void report_invalid(const Tokens& tokens, const SourcePtr& file, Diagnostics& diagnostics) {
  int bitwise = 0;
  int backticks = 0;
  int apostrophes = 0;
  int semicolons = 0;
  int encodings = 0;
  for (const Token& token : tokens) {
    const auto add = [&](std::string summary, std::string detail) {
      diagnostics.add(std::move(summary), std::move(detail), Range{file, token.start, token.end});
    };
    switch (token.type) {
      case Tok::bit_and: case Tok::bit_or: case Tok::bit_xor: case Tok::bit_not:
        if (bitwise++ < 4) {
          const char* hint = token.type == Tok::bit_and  ? " Did you mean boolean AND (\"&&\")?"
                             : token.type == Tok::bit_or ? " Did you mean boolean OR (\"||\")?"
                             : token.type == Tok::bit_not ? " Did you mean boolean NOT (\"!\")?" : "";
          add("Unsupported operator", fmt::format("Bitwise operators are not supported.{}", hint));
        }
        break;
      case Tok::backtick:
        if (backticks % 2 == 0) {
          add("Invalid character", "The \"`\" character is not valid. To create a multi-line string, use the \"heredoc\" syntax, like \"<<EOT\".");
        }
        if (backticks <= 2) backticks++;
        break;
      case Tok::apostrophe:
        if (apostrophes % 2 == 0) {
          add("Invalid character", "Single quotes are not valid. Use double quotes (\") to enclose strings.");
        }
        if (apostrophes <= 2) apostrophes++;
        break;
      case Tok::semicolon:
        if (semicolons++ < 1) {
          add("Invalid character", "The \";\" character is not valid. Use newlines to separate arguments and blocks, and commas to separate items in collection values.");
        }
        break;
      case Tok::bad_utf8:
        if (encodings++ < 1) {
          add("Invalid character encoding", "All input files must be UTF-8 encoded. Ensure that UTF-8 encoding is selected in your editor.");
        }
        break;
      case Tok::quoted_newline:
        add("Invalid multi-line string", "Quoted strings may not be split over multiple lines. To produce a multi-line string, either use the \\n escape to represent a newline character or use the \"heredoc\" multi-line template syntax.");
        break;
      case Tok::invalid:
        if (token.text == "\xE2\x80\x9C" || token.text == "\xE2\x80\x9D") {
          add("Invalid character", "\"Curly quotes\" are not valid here. These can sometimes be inadvertently introduced when sharing code via documents or discussion forums. It might help to replace the character with a \"straight quote\".");
        } else {
          add("Invalid character", "This character is not used within the language.");
        }
        break;
      default: break;
    }
  }
}

}  // namespace

Tokens lex(const SourcePtr& file, Pos start, std::size_t end_byte, LexMode mode, Diagnostics& diagnostics) {
  // A byte order mark takes no column.
  if (std::string_view(file->text).substr(start.byte, 3) == "\xEF\xBB\xBF") start.byte += 3;
  Tokens tokens = Lexer(file->text, start, end_byte).run(mode);
  if (tokens.size() > max_tokens) {
    // A-30: a bound on what one text may cost.
    diagnostics.add("Text too large", fmt::format("A text may hold at most {} tokens.", max_tokens), Range{file, tokens.back().start, tokens.back().end});
  }
  report_invalid(tokens, file, diagnostics);
  return tokens;
}

}  // namespace drover::hcl
