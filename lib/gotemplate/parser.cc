#include "lib/gotemplate/parser.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "lib/gotemplate/lexer.h"
#include "sdk/base/text.h"

namespace drover::gotemplate {
namespace {
std::string shown(const Lexeme& lexeme) {
  if (lexeme.token == Token::end) return "EOF";
  if (lexeme.token == Token::error) return lexeme.text;
  if (lexeme.token == Token::keyword) return "<" + lexeme.text + ">";
  if (lexeme.text.size() > 10) return quote(lexeme.text.substr(0, 10)) + "...";
  return quote(lexeme.text);
}

// The text of a Go string or character literal without its quotes; nothing when an escape is wrong.
std::optional<std::string> unquote(std::string_view literal) {
  std::string out;
  const std::string_view body = literal.substr(1, literal.size() - 2);
  for (std::size_t at = 0; at < body.size(); ++at) {
    if (body[at] != '\\') {
      out += body[at];
      continue;
    }
    if (++at >= body.size()) return std::nullopt;
    const auto digits = [&](std::size_t count, int base) -> std::optional<std::uint32_t> {
      std::uint32_t value = 0;
      if (at + count >= body.size() + (base == 8 ? 1 : 0)) return std::nullopt;
      const char* from = body.data() + at + (base == 8 ? 0 : 1);
      const auto [end, error] = std::from_chars(from, from + count, value, base);
      if (error != std::errc{} || end != from + count) return std::nullopt;
      at += count - (base == 8 ? 1 : 0);
      return value;
    };
    const auto point = [&](std::size_t count) {
      const auto value = digits(count, 16);
      if (!value) return false;
      std::uint32_t code = *value;
      if (code < 0x80) {
        out += static_cast<char>(code);
      } else if (code < 0x800) {
        out += static_cast<char>(0xc0 | (code >> 6));
        out += static_cast<char>(0x80 | (code & 0x3f));
      } else if (code < 0x10000) {
        out += static_cast<char>(0xe0 | (code >> 12));
        out += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
        out += static_cast<char>(0x80 | (code & 0x3f));
      } else {
        out += static_cast<char>(0xf0 | (code >> 18));
        out += static_cast<char>(0x80 | ((code >> 12) & 0x3f));
        out += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
        out += static_cast<char>(0x80 | (code & 0x3f));
      }
      return true;
    };
    switch (body[at]) {
      case 'a': out += '\a'; break;
      case 'b': out += '\b'; break;
      case 'f': out += '\f'; break;
      case 'n': out += '\n'; break;
      case 'r': out += '\r'; break;
      case 't': out += '\t'; break;
      case 'v': out += '\v'; break;
      case '\\': out += '\\'; break;
      case '"': case '\'':
        if (body[at] != literal[0]) return std::nullopt;
        out += body[at];
        break;
      case 'x': {
        const auto value = digits(2, 16);
        if (!value) return std::nullopt;
        out += static_cast<char>(*value);
        break;
      }
      case 'u': if (!point(4)) return std::nullopt; break;
      case 'U': if (!point(8)) return std::nullopt; break;
      default: {
        const auto value = body[at] >= '0' && body[at] <= '7' ? digits(3, 8) : std::nullopt;
        if (!value) return std::nullopt;
        out += static_cast<char>(*value);
      }
    }
  }
  return out;
}

std::optional<Value> number_of(std::string text) {
  std::erase(text, '_');
  std::string_view rest = text;
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  int base = 10;
  if (rest.size() > 1 && rest[0] == '0') {
    const char mark = rest[1];
    base = mark == 'x' || mark == 'X' ? 16 : mark == 'o' || mark == 'O' ? 8 : mark == 'b' || mark == 'B' ? 2 : rest.find_first_of(".eE") == std::string_view::npos ? 8 : 10;
    if (base != 10) rest.remove_prefix(mark >= '0' && mark <= '9' ? 1 : 2);
  }
  std::uint64_t size = 0;
  const auto whole = std::from_chars(rest.data(), rest.data() + rest.size(), size, base);
  if (whole.ec == std::errc{} && whole.ptr == rest.data() + rest.size()) {
    if (size <= static_cast<std::uint64_t>(INT64_MAX)) return Value::integer(negative ? -static_cast<std::int64_t>(size) : static_cast<std::int64_t>(size));
    return negative ? std::nullopt : std::optional(Value::unsigned_integer(size, "uint"));
  }
  double value = 0;
  const auto real = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  if (real.ec != std::errc{} || real.ptr != rest.data() + rest.size()) return std::nullopt;
  return Value::floating(negative ? -value : value);
}

class Parser {
 public:
  Parser(Tree& tree, std::vector<Lexeme> lexemes, const Functions& functions) : tree_(tree), lexemes_(std::move(lexemes)), functions_(functions) {}

  Result<> run() {
    Nodes main;
    DROVER_TRY(list(main, true));
    // A later text of the same name wins unless it is empty; here the main text is the only one of its name.
    tree_.templates[tree_.name] = std::move(main);
    return {};
  }

 private:
  enum class Stop { end, otherwise, eof };

  [[nodiscard]] const Lexeme& peek() const { return lexemes_[std::min(at_, lexemes_.size() - 1)]; }
  const Lexeme& next() {
    const Lexeme& out = peek();
    if (at_ < lexemes_.size()) ++at_;
    return out;
  }
  void skip_space() { while (peek().token == Token::space) ++at_; }
  const Lexeme& next_word() { skip_space(); return next(); }
  const Lexeme& peek_word() { skip_space(); return peek(); }

  template <class... A>
  Unexpected wrong(std::size_t at, fmt::format_string<A...> format, A&&... arguments) const {
    const auto line = 1 + std::count(tree_.text.begin(), tree_.text.begin() + static_cast<std::ptrdiff_t>(std::min(at, tree_.text.size())), '\n');
    return fail(Code::invalid_argument, "template: {}:{}: {}", tree_.name, line, fmt::format(format, std::forward<A>(arguments)...));
  }
  Unexpected unexpected(const Lexeme& lexeme, std::string_view where) const {
    if (lexeme.token == Token::error) return wrong(lexeme.at, "{}", lexeme.text);
    return wrong(lexeme.at, "unexpected {} in {}", shown(lexeme), where);
  }

  // Nodes up to `{{end}}`, `{{else` or the end of the text.
  Result<Stop> list(Nodes& out, bool top) {
    for (;;) {
      const Lexeme& lexeme = next();
      if (lexeme.token == Token::end) {
        if (!top) return wrong(lexeme.at, "unexpected EOF");
        return Stop::eof;
      }
      if (lexeme.token == Token::error) return wrong(lexeme.at, "{}", lexeme.text);
      if (lexeme.token == Token::text) {
        out.push_back({.kind = NodeKind::text, .at = lexeme.at, .text = lexeme.text});
        continue;
      }
      const Lexeme& word = peek_word();
      if (word.token == Token::keyword) {
        const std::string name = word.text;
        const std::size_t at = word.at;
        ++at_;
        if (name == "end") {
          DROVER_TRY(close("end"));
          if (top) return wrong(at, "unexpected {{{{end}}}}");
          return Stop::end;
        }
        if (name == "else") {
          if (top) return wrong(at, "unexpected {{{{else}}}}");
          return Stop::otherwise;
        }
        DROVER_TRY(control(name, at, out, top));
        continue;
      }
      Node node{.kind = NodeKind::action, .at = word.at};
      node.pipe = std::make_shared<Pipe>();
      DROVER_TRY(pipeline(*node.pipe, "command", Token::right));
      out.push_back(std::move(node));
    }
  }

  Result<> close(std::string_view where) {
    const Lexeme& lexeme = next_word();
    if (lexeme.token != Token::right) return unexpected(lexeme, where);
    return {};
  }

  Result<> control(const std::string& name, std::size_t at, Nodes& out, bool top) {
    if (name == "if" || name == "range" || name == "with") {
      Node node{.kind = name == "if" ? NodeKind::if_ : name == "range" ? NodeKind::range : NodeKind::with, .at = at};
      const std::size_t variables = variables_.size();
      if (name == "range") ++loops_;
      DROVER_TRY(branch(node, name));
      variables_.resize(variables);
      out.push_back(std::move(node));
      return {};
    }
    if (name == "break" || name == "continue") {
      const Lexeme& lexeme = next_word();
      if (lexeme.token != Token::right) return unexpected(lexeme, "{{" + name + "}}");
      if (loops_ == 0) return wrong(at, "{{{{{}}}}} outside {{{{range}}}}", name);
      out.push_back({.kind = name == "break" ? NodeKind::break_ : NodeKind::continue_, .at = at});
      return {};
    }
    if (name == "define" && !top) return wrong(at, "unexpected {{{{define}}}}");
    const Lexeme label = next_word();
    if (label.token != Token::string && label.token != Token::raw_string) return unexpected(label, name == "define" ? "define clause" : name + " clause");
    const auto template_name = label.token == Token::string ? unquote(label.text) : std::optional(label.text.substr(1, label.text.size() - 2));
    if (!template_name) return wrong(label.at, "invalid syntax");
    Node node{.kind = NodeKind::template_, .at = at, .text = *template_name};
    if (name != "define") {
      if (name == "block" || peek_word().token != Token::right) {
        node.pipe = std::make_shared<Pipe>();
        DROVER_TRY(pipeline(*node.pipe, name == "block" ? "block clause" : "template clause", Token::right));
      } else {
        ++at_;
      }
    } else {
      DROVER_TRY(close("define clause"));
    }
    if (name == "template") {
      out.push_back(std::move(node));
      return {};
    }
    // The body of a definition sees no variables of its surroundings.
    const std::vector<std::string> outer = std::exchange(variables_, {"$"});
    const int loops = std::exchange(loops_, 0);
    Nodes body;
    auto stop = list(body, false);
    if (!stop) return fail(stop.error());
    if (*stop == Stop::otherwise) return wrong(at, "unexpected {{{{else}}}} in {} clause", name);
    variables_ = outer;
    loops_ = loops;
    tree_.templates[*template_name] = std::move(body);
    if (name == "block") out.push_back(std::move(node));
    return {};
  }

  Result<> branch(Node& node, const std::string& name) {
    node.pipe = std::make_shared<Pipe>();
    DROVER_TRY(pipeline(*node.pipe, name, Token::right));
    auto stop = list(node.body, false);
    if (node.kind == NodeKind::range) --loops_;
    if (!stop) return fail(stop.error());
    if (*stop != Stop::otherwise) return {};
    const Lexeme word = peek_word();
    if (word.token == Token::keyword && ((word.text == "if" && name == "if") || (word.text == "with" && name == "with"))) {
      // `{{else if x}}` is `{{else}}{{if x}}...{{end}}` without the second end.
      ++at_;
      Node inner{.kind = node.kind, .at = word.at};
      const std::size_t variables = variables_.size();
      DROVER_TRY(branch(inner, name));
      variables_.resize(variables);
      node.otherwise.push_back(std::move(inner));
      return {};
    }
    DROVER_TRY(close("else"));
    stop = list(node.otherwise, false);
    if (!stop) return fail(stop.error());
    if (*stop == Stop::otherwise) return wrong(node.at, "expected end; found {{{{else}}}}");
    return {};
  }

  Result<> pipeline(Pipe& pipe, std::string_view where, Token end) {
    pipe.at = peek_word().at;
    DROVER_TRY(declarations(pipe, where));
    for (;;) {
      const Lexeme& lexeme = peek_word();
      if (lexeme.token == end) {
        ++at_;
        if (pipe.commands.empty()) return wrong(lexeme.at, "missing value for {}", where);
        for (std::size_t i = 1; i < pipe.commands.size(); ++i) {
          const Form form = pipe.commands[i].operands[0].form;
          if (form == Form::boolean || form == Form::dot || form == Form::nil || form == Form::number || form == Form::string) {
            return wrong(pipe.commands[i].at, "non executable command in pipeline stage {}", i + 1);
          }
        }
        return {};
      }
      switch (lexeme.token) {
        case Token::boolean: case Token::character: case Token::dot: case Token::field: case Token::identifier: case Token::number:
        case Token::nil: case Token::raw_string: case Token::string: case Token::variable: case Token::open: {
          Command command{.at = lexeme.at};
          DROVER_TRY(this->command(command));
          pipe.commands.push_back(std::move(command));
          break;
        }
        default: return unexpected(lexeme, where);
      }
    }
  }

  // `$x :=`, `$x =`, and in range `$i, $x :=`.
  Result<> declarations(Pipe& pipe, std::string_view where) {
    for (;;) {
      const std::size_t back = at_;
      const Lexeme variable = peek_word();
      if (variable.token != Token::variable) return {};
      ++at_;
      const Lexeme& after = peek_word();
      if (after.token == Token::declare || after.token == Token::assign) {
        pipe.assigns = after.token == Token::assign;
        ++at_;
        pipe.variables.push_back(variable.text);
        if (!pipe.assigns) variables_.push_back(variable.text);
        else if (std::find(variables_.begin(), variables_.end(), variable.text) == variables_.end()) return wrong(variable.at, "undefined variable {}", quote(variable.text));
        return {};
      }
      if (after.token == Token::comma) {
        ++at_;
        pipe.variables.push_back(variable.text);
        variables_.push_back(variable.text);
        if (where == "range" && pipe.variables.size() < 2) continue;
        return wrong(variable.at, "too many declarations in {}", where);
      }
      at_ = back;
      return {};
    }
  }

  Result<> command(Command& out) {
    for (;;) {
      skip_space();
      auto operand = this->operand();
      if (!operand) return fail(operand.error());
      if (*operand) out.operands.push_back(std::move(**operand));
      const Lexeme lexeme = next();
      if (lexeme.token == Token::space) {
        const Token after = peek_word().token;
        if (after == Token::right || after == Token::close) break;
        if (after == Token::pipe) {
          ++at_;
          if (peek_word().token == Token::right || peek_word().token == Token::close) return wrong(lexeme.at, "missing value for command");
          break;
        }
        continue;
      }
      if (lexeme.token == Token::right || lexeme.token == Token::close) {
        --at_;
        break;
      }
      if (lexeme.token == Token::pipe) {
        if (peek_word().token == Token::right) return wrong(lexeme.at, "missing value for command");
        break;
      }
      return unexpected(lexeme, "operand");
    }
    if (out.operands.empty()) return wrong(out.at, "empty command");
    return {};
  }

  // A term and the fields that follow it without a blank.
  Result<std::optional<Operand>> operand() {
    auto term = this->term();
    if (!term) return fail(term.error());
    if (!*term) return std::optional<Operand>();
    Operand out = std::move(**term);
    if (peek().token != Token::field) return std::optional(std::move(out));
    const std::size_t at = peek().at;
    std::vector<std::string> names;
    while (peek().token == Token::field) names.push_back(next().text.substr(1));
    switch (out.form) {
      case Form::field: case Form::variable:
        out.names.insert(out.names.end(), names.begin(), names.end());
        out.at = at;
        return std::optional(std::move(out));
      case Form::boolean: case Form::string: case Form::number: case Form::nil: case Form::dot:
        return wrong(at, "unexpected . after term {}", quote(out.str()));
      default: break;
    }
    Operand chain{.form = Form::chain, .at = at};
    chain.base = std::make_shared<Operand>(std::move(out));
    chain.names = std::move(names);
    return std::optional(std::move(chain));
  }

  Result<std::optional<Operand>> term() {
    const Lexeme lexeme = next_word();
    Operand out{.at = lexeme.at, .text = lexeme.text};
    switch (lexeme.token) {
      case Token::identifier:
        if (!functions_.contains(lexeme.text)) return wrong(lexeme.at, "function {} not defined", quote(lexeme.text));
        out.form = Form::function;
        break;
      case Token::dot: out.form = Form::dot; break;
      case Token::nil: out.form = Form::nil; break;
      case Token::variable:
        out.form = Form::variable;
        out.names = {lexeme.text};
        if (std::find(variables_.begin(), variables_.end(), lexeme.text) == variables_.end()) return wrong(lexeme.at, "undefined variable {}", quote(lexeme.text));
        break;
      case Token::field:
        out.form = Form::field;
        out.names = {lexeme.text.substr(1)};
        break;
      case Token::boolean:
        out.form = Form::boolean;
        out.constant = Value(lexeme.text == "true");
        break;
      case Token::number: {
        auto number = number_of(lexeme.text);
        if (!number) return wrong(lexeme.at, "illegal number syntax: {}", quote(lexeme.text));
        out.form = Form::number;
        out.constant = std::move(*number);
        break;
      }
      case Token::character: {
        const auto text = unquote(lexeme.text);
        if (!text || text->empty()) return wrong(lexeme.at, "malformed character constant: {}", lexeme.text);
        out.form = Form::number;
        out.constant = Value::integer(first_rune(*text), "int32");
        break;
      }
      case Token::string: {
        auto text = unquote(lexeme.text);
        if (!text) return wrong(lexeme.at, "invalid syntax");
        out.form = Form::string;
        out.constant = Value(std::move(*text));
        break;
      }
      case Token::raw_string:
        out.form = Form::string;
        out.constant = Value(lexeme.text.substr(1, lexeme.text.size() - 2));
        break;
      case Token::open: {
        out.form = Form::pipe;
        out.pipe = std::make_shared<Pipe>();
        DROVER_TRY(pipeline(*out.pipe, "parenthesized pipeline", Token::close));
        break;
      }
      default:
        --at_;
        return std::optional<Operand>();
    }
    return std::optional(std::move(out));
  }

  static std::int64_t first_rune(const std::string& text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(i < text.size() ? text[i] : 0); };
    if (byte(0) < 0x80) return byte(0);
    if (byte(0) < 0xe0) return ((byte(0) & 0x1f) << 6) | (byte(1) & 0x3f);
    if (byte(0) < 0xf0) return ((byte(0) & 0x0f) << 12) | ((byte(1) & 0x3f) << 6) | (byte(2) & 0x3f);
    return ((byte(0) & 0x07) << 18) | ((byte(1) & 0x3f) << 12) | ((byte(2) & 0x3f) << 6) | (byte(3) & 0x3f);
  }

  Tree& tree_;
  std::vector<Lexeme> lexemes_;
  const Functions& functions_;
  std::size_t at_ = 0;
  std::vector<std::string> variables_{"$"};
  int loops_ = 0;
};
}  // namespace

Result<Tree> parse_template(std::string name, std::string_view text, const Functions& functions, const Options& options) {
  Tree tree{.name = std::move(name), .text = std::string(text)};
  Parser parser(tree, scan(tree.text, options.left, options.right), functions);
  DROVER_TRY(parser.run());
  return tree;
}

}  // namespace drover::gotemplate
