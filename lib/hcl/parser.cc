#include "lib/hcl/parser.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/hcl/limits.h"
#include "lib/hcl/parser_core.h"
#include "lib/hcl/unicode.h"
#include "sdk/base/text.h"

namespace drover::hcl {

Tok opposite(Tok type) {
  switch (type) {
    case Tok::open_brace: return Tok::close_brace;
    case Tok::close_brace: return Tok::open_brace;
    case Tok::open_bracket: return Tok::close_bracket;
    case Tok::close_bracket: return Tok::open_bracket;
    case Tok::open_paren: return Tok::close_paren;
    case Tok::close_paren: return Tok::open_paren;
    case Tok::open_quote: return Tok::close_quote;
    case Tok::close_quote: return Tok::open_quote;
    case Tok::open_heredoc: return Tok::close_heredoc;
    case Tok::close_heredoc: return Tok::open_heredoc;
    case Tok::interpolation: case Tok::control: return Tok::sequence_end;
    case Tok::sequence_end: return Tok::interpolation;
    default: return Tok::end_of_file;
  }
}

Token Parser::next(std::size_t& index) const {
  while (true) {
    const Token& token = tokens_[index];
    if (token.type == Tok::end_of_file) return token;
    index++;
    if (token.type == Tok::comment) {
      // A line comment takes its newline with it, so it stands for one where newlines count.
      if (newlines_.back() && token.text.ends_with('\n')) return {Tok::newline, token.text.substr(token.text.size() - 1), token.start, token.end};
      continue;
    }
    if (token.type == Tok::newline && !newlines_.back()) continue;
    return token;
  }
}

Token Parser::peek() {
  std::size_t index = index_;
  return next(index);
}
Token Parser::read() { return next(index_); }

Range Parser::previous_range() { return index_ == 0 ? next_range() : range_of(tokens_[index_ - 1]); }
bool Parser::at_end() { return peek().type == Tok::end_of_file; }

Token Parser::recover(Tok end) {
  const Tok start = opposite(end);
  recovery_ = true;
  int nested = 0;
  while (true) {
    const Token token = read();
    Tok type = token.type;
    if (type == Tok::end_of_file) return token;
    if (end == Tok::sequence_end && type == Tok::control) type = Tok::interpolation;
    if (type == start && start != Tok::end_of_file) nested++;
    else if (type == end && nested-- < 1) return token;
  }
}

void Parser::recover_over(Tok start) {
  while (true) {
    const Token token = read();
    if (token.type == start || token.type == Tok::end_of_file) break;
  }
  recover(opposite(start));
}

void Parser::recover_after_item() {
  recovery_ = true;
  std::vector<Tok> open;
  while (true) {
    const Token token = read();
    switch (token.type) {
      case Tok::newline:
        if (open.empty()) return;
        break;
      case Tok::end_of_file: return;
      case Tok::open_brace: case Tok::open_bracket: case Tok::open_paren: case Tok::open_quote: case Tok::open_heredoc:
      case Tok::interpolation: case Tok::control:
        open.push_back(token.type);
        break;
      case Tok::close_brace: case Tok::close_bracket: case Tok::close_paren: case Tok::close_quote: case Tok::close_heredoc:
        while (!open.empty() && open.back() != opposite(token.type)) open.pop_back();
        if (!open.empty()) open.pop_back();
        break;
      case Tok::sequence_end:
        while (!open.empty() && open.back() != Tok::interpolation && open.back() != Tok::control) open.pop_back();
        if (!open.empty()) open.pop_back();
        break;
      default: break;
    }
  }
}

std::shared_ptr<const NativeBody> Parser::body(Tok end) {
  const Nesting nesting(block_depth_);
  auto body = std::make_shared<NativeBody>();
  const Range start = previous_range();
  Range finish = start;
  while (true) {
    const Token token = peek();
    if (token.type == end) {
      finish = next_range();
      read();
      break;
    }
    if (token.type == Tok::newline) {
      read();
      continue;
    }
    if (token.type == Tok::identifier && block_depth_ <= max_block_depth) {
      body_item(*body);
      continue;
    }
    const Token bad = read();
    const Range range = range_of(bad);
    if (block_depth_ > max_block_depth) {
      error("Blocks nested too deeply", fmt::format("Blocks may be nested {} levels deep.", max_block_depth), range);
    } else if (!recovery_) {
      if (bad.type == Tok::open_quote) error("Invalid argument name", "Argument names must not be quoted.", range);
      else if (bad.type == Tok::end_of_file) {
        error("Unclosed configuration block", "There is no closing brace for this block before the end of the file. This may be caused by incorrect brace nesting elsewhere in this file.", start);
      } else {
        error("Argument or block definition required", "An argument or block definition is required here.", range);
      }
    }
    finish = previous_range();
    recover(end);
    break;
  }
  body->range = between(start, finish);
  body->end_range = end_of(finish);
  return body;
}

void Parser::body_item(NativeBody& body) {
  const Token name = read();
  switch (peek().type) {
    case Tok::equal: {
      NativeAttribute out;
      if (!attribute(name, false, out)) return;
      const auto existing = std::find_if(body.attributes.begin(), body.attributes.end(), [&](const auto& item) { return item.name == out.name; });
      if (existing == body.attributes.end()) {
        body.attributes.push_back(std::move(out));
      } else {
        error("Attribute redefined", fmt::format("The argument {} was already set at {}. Each argument may be set only once.", quote(out.name), existing->name_range.str()), out.name_range);
      }
      return;
    }
    case Tok::open_quote: case Tok::open_brace: case Tok::identifier:
      body.blocks.push_back(block(name));
      return;
    default:
      recover_after_item();
      error("Argument or block definition required", "An argument or block definition is required here. To set an argument, use the equals sign \"=\" to introduce the argument value.", range_of(name));
  }
}

bool Parser::attribute(const Token& name, bool single_line, NativeAttribute& out) {
  read();  // the equals sign
  const Mark mark(*this);
  ExprPtr value = expression();
  Range finish = previous_range();
  if (mark.failed()) {
    recover_after_item();
  } else if (!single_line) {
    const Token end = peek();
    if (end.type == Tok::newline || end.type == Tok::end_of_file) {
      read();
    } else {
      if (!recovery_) {
        const bool comma = end.type == Tok::comma;
        error(comma ? "Unexpected comma after argument" : "Missing newline after argument",
              std::string(comma ? "Argument definitions must be separated by newlines, not commas. " : "") + "An argument definition must end with a newline.", range_of(end));
      }
      recover_after_item();
    }
  }
  out = {std::string(name.text), std::move(value), between(range_of(name), finish), range_of(name)};
  return true;
}

std::shared_ptr<const NativeBody> Parser::single_attribute_body() {
  const Token name = read();
  const Range range = range_of(name);
  if (name.type != Tok::identifier) {
    recover_after_item();
    error("Argument or block definition required", "An argument or block definition is required here.", range);
    return nullptr;
  }
  const Token token = peek();
  switch (token.type) {
    case Tok::equal: {
      auto body = std::make_shared<NativeBody>();
      NativeAttribute out;
      attribute(name, true, out);
      body->range = out.range;
      body->end_range = end_of(out.range);
      body->attributes.push_back(std::move(out));
      return body;
    }
    case Tok::open_quote: case Tok::open_brace: case Tok::identifier:
      recover_after_item();
      error("Argument definition required", fmt::format("A single-line block definition can contain only a single argument. If you meant to define argument {}, use an equals sign to assign it a value. To define a nested block, place it on a line of its own within its parent block.", quote(name.text)), between(range, range_of(token)));
      return nullptr;
    default:
      recover_after_item();
      error("Argument or block definition required", "An argument or block definition is required here. To set an argument, use the equals sign \"=\" to introduce the argument value.", range);
      return nullptr;
  }
}

NativeBlock Parser::block(const Token& name) {
  NativeBlock block;
  block.type = name.text;
  block.type_range = range_of(name);
  Token open;
  while (true) {
    const Token token = peek();
    if (token.type == Tok::open_brace) {
      open = read();
      break;
    }
    if (token.type == Tok::open_quote) {
      Range range;
      block.labels.push_back(label(range));
      block.label_ranges.push_back(range);
      continue;
    }
    if (token.type == Tok::identifier) {
      read();
      block.labels.emplace_back(token.text);
      block.label_ranges.push_back(range_of(token));
      continue;
    }
    const Range range = range_of(token);
    if (token.type == Tok::equal) {
      error("Invalid block definition", "The equals sign \"=\" indicates an argument definition, and must not be used when defining a block.", range);
    } else if (token.type == Tok::newline) {
      error("Invalid block definition", "A block definition must have block content delimited by \"{\" and \"}\", starting on the same line as the block header.", range);
    } else if (!recovery_) {
      error("Invalid block definition", "Either a quoted string block label or an opening brace (\"{\") is expected here.", range);
    }
    recover_after_item();
    auto empty = std::make_shared<NativeBody>();
    empty->range = empty->end_range = block.open_range = block.close_range = block.type_range;
    block.body = std::move(empty);
    return block;
  }

  block.open_range = range_of(open);
  const Tok first = peek().type;
  if (first == Tok::newline || first == Tok::end_of_file || first == Tok::close_brace) {
    block.body = body(Tok::close_brace);
  } else {
    const std::size_t before = diagnostics_.size();
    block.body = single_attribute_body();
    const std::size_t after_body = diagnostics_.size();
    const Token end = peek();
    const Range range = range_of(end);
    if (end.type == Tok::close_brace) {
      read();
    } else {
      if (end.type == Tok::comma) {
        error("Invalid single-argument block definition", "Single-line block syntax can include only one argument definition. To define multiple arguments, use the multi-line block syntax with one argument definition per line.", range);
      } else if (end.type == Tok::newline) {
        error("Invalid single-argument block definition", "An argument definition on the same line as its containing block creates a single-line block definition, which must also be closed on the same line. Place the block's closing brace immediately after the argument definition.", range);
      } else if (!recovery_) {
        if (end.type == Tok::end_of_file) {
          error("Unclosed configuration block", "There is no closing brace for this block before the end of the file. This may be caused by incorrect brace nesting elsewhere in this file.", block.open_range);
        } else {
          error("Invalid single-argument block definition", "A single-line block definition must end with a closing brace immediately after its single argument definition.", range);
        }
      }
      recover(Tok::close_brace);
      // What is wrong with the block's shape comes before what is wrong inside it.
      auto& items = diagnostics_.items();
      std::rotate(items.begin() + static_cast<std::ptrdiff_t>(before), items.begin() + static_cast<std::ptrdiff_t>(after_body), items.end());
    }
  }
  block.close_range = previous_range();
  const Token end = peek();
  if (end.type == Tok::newline || end.type == Tok::end_of_file) {
    read();
  } else {
    if (!recovery_) error("Missing newline after block definition", "A block definition must end with a newline.", range_of(end));
    recover_after_item();
  }
  if (!block.body) {
    auto empty = std::make_shared<NativeBody>();
    empty->range = between(block.open_range, block.close_range);
    empty->end_range = block.close_range;
    block.body = std::move(empty);
  }
  return block;
}

std::string Parser::label(Range& range) {
  const Token open = read();
  std::string text;
  Token last = open;
  while (true) {
    const Token token = read();
    last = token;
    if (token.type == Tok::close_quote) break;
    if (token.type == Tok::quoted_literal) {
      text += unescape(token);
      continue;
    }
    if (token.type == Tok::interpolation || token.type == Tok::control) {
      const char which = token.type == Tok::control ? '%' : '$';
      error("Invalid string literal", fmt::format("Template sequences are not allowed in this string. To include a literal \"{0}\", double it (as \"{0}{0}\") to escape it.", which), range_of(token));
      recover(Tok::sequence_end);
      continue;
    }
    if (token.type == Tok::end_of_file) {
      error("Unterminated string literal", "Unable to find the closing quote mark before the end of the file.", range_of(token));
      break;
    }
    error("Invalid string literal", "This item is not valid in a string literal.", range_of(token));
    recover(Tok::close_quote);
    break;
  }
  range = between(range_of(open), range_of(last));
  return normalize_nfc(text);
}

std::string Parser::unescape(const Token& token) {
  const bool quoted = token.type == Tok::quoted_literal;
  std::string out;
  out.reserve(token.text.size());
  std::string_view text = token.text;
  Pos pos = token.start;
  const auto range_for = [&](std::size_t length) {
    Range range{file_, pos, pos};
    advance(range.end, text.substr(0, length));
    return range;
  };
  const auto take = [&](std::size_t length) {
    advance(pos, text.substr(0, length));
    text.remove_prefix(length);
  };
  while (!text.empty()) {
    const char c = text[0];
    if ((c == '$' || c == '%') && text.size() >= 3 && text[1] == c && text[2] == '{') {
      out += c;
      out += '{';
      take(3);
      continue;
    }
    if (c != '\\' || !quoted) {
      std::size_t length = 1;
      while (length < text.size() && text[length] != '\\' && text[length] != '$' && text[length] != '%') length++;
      out += text.substr(0, length);
      take(length);
      continue;
    }
    if (text.size() < 2) {
      error("Invalid escape sequence", "Backslash must be followed by an escape sequence selector character.", range_for(1));
      break;
    }
    const char selector = text[1];
    if (selector == 'n' || selector == 'r' || selector == 't' || selector == '"' || selector == '\\') {
      out += selector == 'n' ? '\n' : selector == 'r' ? '\r' : selector == 't' ? '\t' : selector;
      take(2);
      continue;
    }
    if (selector == 'u' || selector == 'U') {
      const std::size_t want = selector == 'u' ? 4 : 8;
      std::size_t digits = 0;
      std::uint32_t code = 0;
      while (digits < want && 2 + digits < text.size() && std::isxdigit(static_cast<unsigned char>(text[2 + digits]))) {
        const char digit = text[2 + digits++];
        code = code * 16 + static_cast<std::uint32_t>(digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
      }
      if (digits < want) {
        error("Invalid escape sequence", want == 4 ? "The \\u escape sequence must be followed by four hexadecimal digits." : "The \\U escape sequence must be followed by eight hexadecimal digits.", range_for(2 + digits));
      } else if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) {
        error("Invalid escape sequence", fmt::format("Cannot encode character U+{:04x} in UTF-8.", code), range_for(2 + digits));
      } else {
        append_rune(out, static_cast<std::int32_t>(code));
      }
      take(2 + digits);
      continue;
    }
    const std::size_t length = 1 + std::max<std::size_t>(1, decode_rune(text.substr(1)).length);
    error("Invalid escape sequence", fmt::format("The symbol {} is not a valid escape sequence selector.", quote(text.substr(1, length - 1))), range_for(length));
    out += text.substr(1, length - 1);
    take(length);
  }
  return out;
}

namespace {
bool too_large(const SourcePtr& file, Diagnostics& diagnostics) {
  if (file->text.size() <= max_source_bytes) return false;
  diagnostics.add("Text too large", fmt::format("A text may be at most {} bytes long.", max_source_bytes), Range{file, {}, {}});
  return true;
}
}  // namespace

std::shared_ptr<const NativeBody> parse_native(const SourcePtr& file, Diagnostics& diagnostics) {
  if (too_large(file, diagnostics)) return std::make_shared<NativeBody>();
  Parser parser(file, lex(file, {}, std::string_view::npos, LexMode::normal, diagnostics), diagnostics);
  return parser.body(Tok::end_of_file);
}

ExprPtr parse_expression(const SourcePtr& file, Diagnostics& diagnostics, Pos start, std::size_t end_byte) {
  if (too_large(file, diagnostics)) return make_expression(LiteralExpr{Value()}, Range{file, start, start});
  Parser parser(file, lex(file, start, end_byte, LexMode::normal, diagnostics), diagnostics);
  parser.ignore_newlines();
  ExprPtr result = parser.expression();
  if (!parser.recovering() && !parser.at_end()) {
    diagnostics.add("Extra characters after expression", "An expression was successfully parsed, but extra characters were found after it.", parser.next_range());
  }
  return result;
}

ExprPtr parse_template(const SourcePtr& file, Diagnostics& diagnostics, Pos start, std::size_t end_byte) {
  if (too_large(file, diagnostics)) return make_expression(LiteralExpr{Value()}, Range{file, start, start});
  Parser parser(file, lex(file, start, end_byte, LexMode::template_text, diagnostics), diagnostics);
  return parser.bare_template();
}

}  // namespace drover::hcl
