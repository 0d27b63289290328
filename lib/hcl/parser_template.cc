#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "lib/hcl/limits.h"
#include "lib/hcl/parser_core.h"
#include "lib/hcl/unicode.h"
#include "sdk/base/text.h"

namespace drover::hcl {

// A template as a flat list, before its directives are nested.
struct Parser::Part {
  enum class Kind { literal, interpolation, if_, for_, else_, endif, endfor, end };
  Kind kind = Kind::literal;
  std::string text;      // of a literal
  ExprPtr expression;    // interpolated, condition, or collection
  std::string key_name;  // of a for
  std::string value_name;
  Range range;

  [[nodiscard]] const char* name() const {
    switch (kind) {
      case Kind::else_: return "else";
      case Kind::endif: return "endif";
      case Kind::endfor: return "endfor";
      default: return "";
    }
  }
  [[nodiscard]] bool closes() const { return kind == Kind::else_ || kind == Kind::endif || kind == Kind::endfor; }
};

namespace {
bool strips(const Token& token) { return token.text.size() == 3 && token.text[2] == '~'; }
}  // namespace

ExprPtr Parser::quoted_or_heredoc() {
  const Nesting nesting(template_depth_);
  const Token open = read();
  if (template_depth_ > max_template_depth) {
    if (!recovery_) error("Template nested too deeply", fmt::format("Templates may be nested {} levels deep.", max_template_depth), range_of(open));
    recovery_ = true;
    return placeholder(range_of(open));
  }
  std::vector<Part> parts = template_parts(opposite(open.type));
  const Range range = between(range_of(open), previous_range());
  if (open.text.starts_with("<<-")) {
    // The smallest indentation of the lines' leading literals is taken from all of them; blank lines do not count.
    std::size_t smallest = std::numeric_limits<std::size_t>::max();
    std::vector<Part*> lines;
    bool line_start = true;
    for (Part& part : parts) {
      if (line_start) {
        line_start = false;
        std::size_t spaces = 0;
        if (part.kind == Part::Kind::literal) {
          const std::string_view trimmed = trim_space_left(part.text);
          if (trimmed.empty() && part.text.ends_with('\n')) {
            spaces = smallest;
          } else {
            spaces = graphemes(std::string_view(part.text).substr(0, part.text.size() - trimmed.size())).size();
            lines.push_back(&part);
          }
        } else if (part.kind == Part::Kind::end) {
          break;
        }
        smallest = std::min(smallest, spaces);
      }
      if (part.kind == Part::Kind::literal && part.text.ends_with('\n')) line_start = true;
    }
    for (Part* line : lines) {
      std::size_t bytes = 0;
      for (std::size_t i = 0; i < smallest && bytes < line->text.size(); i++) bytes += grapheme_length(std::string_view(line->text).substr(bytes));
      line->text.erase(0, bytes);
      line->range.start.column += static_cast<int>(smallest);
      line->range.start.byte += static_cast<std::uint32_t>(bytes);
    }
  }
  bool single = false;
  std::vector<ExprPtr> expressions = template_expressions(parts, single);
  if (single) return make_expression(TemplateWrapExpr{expressions.front()}, range);
  return make_expression(TemplateExpr{std::move(expressions), open.type == Tok::open_quote}, range);
}

ExprPtr Parser::bare_template() {
  std::vector<Part> parts = template_parts(Tok::end_of_file);
  const Range range = between(parts.front().range, parts.back().range);
  bool single = false;
  std::vector<ExprPtr> expressions = template_expressions(parts, single);
  if (single) return make_expression(TemplateWrapExpr{expressions.front()}, range);
  return make_expression(TemplateExpr{std::move(expressions), true}, range);
}

std::vector<Parser::Part> Parser::template_parts(Tok end) {
  std::vector<Part> parts;
  parts.reserve(2);  // most are one text
  const Range start = next_range();
  Range finish;
  bool trim_next = false;
  bool may_trim = false;  // the part before is a literal this sequence may strip
  while (true) {
    const Token token = read();
    if (token.type == end) {
      finish = range_of(token);
      break;
    }
    const bool trim_left = trim_next;
    trim_next = false;
    const bool trim_before = may_trim && strips(token) && !parts.empty() && parts.back().kind == Part::Kind::literal;
    may_trim = false;
    if (token.type == Tok::quoted_literal || token.type == Tok::heredoc_literal) {
      std::string text = unescape(token);
      if (trim_left) text = std::string(trim_space_left(text));
      parts.push_back({Part::Kind::literal, std::move(text), {}, {}, {}, range_of(token)});
      may_trim = true;
      continue;
    }
    if (token.type == Tok::interpolation || token.type == Tok::control) {
      if (trim_before) parts.back().text = std::string(trim_space_right(parts.back().text));
      if (token.type == Tok::interpolation) interpolation(token, end, start, parts, trim_next);
      else control(token, parts, trim_next);
      continue;
    }
    if (!recovery_) error("Unterminated template string", "No closing marker was found for the string.", range_of(token));
    finish = range_of(recover(end));
    break;
  }
  if (parts.empty()) parts.push_back({Part::Kind::literal, {}, {}, {}, {}, end_of(start)});
  parts.push_back({Part::Kind::end, {}, {}, {}, {}, finish});
  return parts;
}

void Parser::interpolation(const Token& open, Tok end, const Range& start, std::vector<Part>& parts, bool& trim_next) {
  const Newlines newlines(*this, false);
  ExprPtr value = expression();
  const Token close = peek();
  if (close.type == Tok::sequence_end) {
    read();
    trim_next = close.text.size() == 2;
  } else {
    if (!recovery_) {
      if (close.type == Tok::end_of_file) {
        error("Unclosed template interpolation sequence", "There is no closing brace for this interpolation sequence before the end of the file. This might be caused by incorrect nesting inside the given expression.", start);
      } else if (close.type == Tok::colon) {
        error("Extra characters after interpolation expression", "Template interpolation doesn't expect a colon at this location. Did you intend this to be a literal sequence to be processed as part of another language? If so, you can escape it by starting with \"$${\" instead of just \"${\".", range_of(close));
      } else if ((close.type == Tok::close_quote || close.type == Tok::open_quote) && end == Tok::close_quote) {
        error("Unclosed template interpolation sequence", "There is no closing brace for this interpolation sequence before the end of the quoted template. This might be caused by incorrect nesting inside the given expression.", start);
      } else {
        error("Extra characters after interpolation expression", "Expected a closing brace to end the interpolation expression, but found extra characters.\n\nThis can happen when you include interpolation syntax for another language, such as shell scripting, but forget to escape the interpolation start token. If this is an embedded sequence for another language, escape it by starting with \"$${\" instead of just \"${\".", range_of(close));
      }
    }
    recover(Tok::sequence_end);
  }
  parts.push_back({Part::Kind::interpolation, {}, std::move(value), {}, {}, between(range_of(open), range_of(close))});
}

bool Parser::control(const Token& open, std::vector<Part>& parts, bool& trim_next) {
  const Newlines newlines(*this, false);
  const Token word = peek();
  const auto give_up = [&](const char* summary, std::string detail, const Range& range) {
    if (!recovery_) error(summary, std::move(detail), range);
    recover(Tok::sequence_end);
    return false;
  };
  if (word.type != Tok::identifier) {
    return give_up("Invalid template directive", "A template directive keyword (\"if\", \"for\", etc) is expected at the beginning of a %{ sequence.", range_of(word));
  }
  read();
  Part part;
  if (word.text == "if") {
    part.kind = Part::Kind::if_;
    part.expression = expression();
  } else if (word.text == "for") {
    part.kind = Part::Kind::for_;
    if (peek().type != Tok::identifier) return give_up("Invalid 'for' directive", "For directive requires variable name after 'for'.", next_range());
    part.value_name = read().text;
    if (peek().type == Tok::comma) {
      part.key_name = part.value_name;
      read();
      if (peek().type != Tok::identifier) return give_up("Invalid 'for' directive", "For directive requires value variable name after comma.", next_range());
      part.value_name = read().text;
    }
    if (!keyword("in")) return give_up("Invalid 'for' directive", "For directive requires 'in' keyword after names.", next_range());
    read();
    part.expression = expression();
  } else if (word.text == "else") {
    part.kind = Part::Kind::else_;
  } else if (word.text == "endif") {
    part.kind = Part::Kind::endif;
  } else if (word.text == "endfor") {
    part.kind = Part::Kind::endfor;
  } else {
    return give_up("Invalid template control keyword",
                   fmt::format("{} is not a valid template control keyword.{}", quote(word.text), name_suggestion(word.text, {"if", "for", "else", "endif", "endfor"})), range_of(word));
  }
  const Token close = peek();
  if (close.type == Tok::sequence_end) {
    read();
    trim_next = close.text.size() == 2;
  } else {
    if (!recovery_) error(fmt::format("Extra characters in {} marker", word.text), "Expected a closing brace to end the sequence, but found extra characters.", range_of(close));
    recover(Tok::sequence_end);
  }
  part.range = between(range_of(open), range_of(close));
  parts.push_back(std::move(part));
  return true;
}

std::vector<ExprPtr> Parser::template_expressions(std::vector<Part>& parts, bool& single) {
  // Neighbouring literals become one.
  std::vector<Part> melded;
  for (Part& part : parts) {
    if (part.kind == Part::Kind::literal && !melded.empty() && melded.back().kind == Part::Kind::literal) {
      melded.back().text += part.text;
      melded.back().range.end = part.range.end;
    } else {
      melded.push_back(std::move(part));
    }
  }
  parts = std::move(melded);
  single = parts.size() == 2 && parts.front().kind == Part::Kind::interpolation;
  std::vector<ExprPtr> out;
  std::size_t at = 0;
  while (parts[at].kind != Part::Kind::end) out.push_back(template_item(parts, at, 0));
  if (out.empty()) out.push_back(make_expression(LiteralExpr{Value::string("")}, parts.back().range));
  return out;
}

ExprPtr Parser::template_item(std::vector<Part>& parts, std::size_t& at, int depth) {
  Part& part = parts[at];
  if (depth > max_template_depth) {
    error("Template nested too deeply", fmt::format("Templates may be nested {} levels deep.", max_template_depth), part.range);
    at = parts.size() - 1;
    return placeholder(part.range);
  }
  switch (part.kind) {
    case Part::Kind::literal: at++; return make_expression(LiteralExpr{Value::string(part.text)}, part.range);
    case Part::Kind::interpolation: at++; return part.expression;
    case Part::Kind::if_: return template_if(parts, at, depth + 1);
    case Part::Kind::for_: return template_for(parts, at, depth + 1);
    default:
      at++;
      error(fmt::format("Unexpected {} directive", part.name()), "The control directives within this template are unbalanced.", part.range);
      return placeholder(part.range);
  }
}

ExprPtr Parser::template_if(std::vector<Part>& parts, std::size_t& at, int depth) {
  const Part open = parts[at++];
  std::vector<ExprPtr> branches[2];
  Range end_range = open.range;
  int branch = 0;
  while (true) {
    const Part& part = parts[at];
    if (part.kind == Part::Kind::end) {
      error("Unexpected end of template", fmt::format("The if directive at {} is missing its corresponding endif directive.", open.range.str()), part.range);
      return placeholder(between(open.range, part.range));
    }
    if (part.closes()) {
      at++;
      if (part.kind == Part::Kind::else_) {
        if (branch == 1) {
          error("Unexpected else directive", fmt::format("Already in the else clause for the if started at {}.", open.range.str()), part.range);
          return placeholder(between(open.range, part.range));
        }
        branch = 1;
        continue;
      }
      if (part.kind == Part::Kind::endif) {
        end_range = part.range;
        break;
      }
      error(fmt::format("Unexpected {} directive", part.name()), fmt::format("Expecting an endif directive for the if started at {}.", open.range.str()), part.range);
      return placeholder(between(open.range, part.range));
    }
    branches[branch].push_back(template_item(parts, at, depth));
  }
  const auto text = [&](std::vector<ExprPtr> expressions, const Range& empty) {
    if (expressions.empty()) expressions.push_back(make_expression(LiteralExpr{Value::string("")}, empty));
    const Range range = between(expressions.front()->range, expressions.back()->range);
    return make_expression(TemplateExpr{std::move(expressions), true}, range);
  };
  return make_expression(ConditionalExpr{open.expression, text(std::move(branches[0]), end_of(open.range)),
                                         text(std::move(branches[1]), {end_range.file, end_range.start, end_range.start})},
                         between(open.range, end_range));
}

ExprPtr Parser::template_for(std::vector<Part>& parts, std::size_t& at, int depth) {
  const Part open = parts[at++];
  std::vector<ExprPtr> content;
  Range close = open.range;
  while (true) {
    const Part& part = parts[at];
    if (part.kind == Part::Kind::end) {
      error("Unexpected end of template", fmt::format("The for directive at {} is missing its corresponding endfor directive.", open.range.str()), part.range);
      return placeholder(between(open.range, part.range));
    }
    if (part.closes()) {
      at++;
      if (part.kind == Part::Kind::endfor) {
        close = part.range;
        break;
      }
      if (part.kind == Part::Kind::else_) {
        error("Unexpected else directive", "An else clause is not expected for a for directive.", part.range);
      } else {
        error(fmt::format("Unexpected {} directive", part.name()), fmt::format("Expecting an endfor directive corresponding to the for directive at {}.", open.range.str()), part.range);
      }
      return placeholder(between(open.range, part.range));
    }
    content.push_back(template_item(parts, at, depth));
  }
  if (content.empty()) content.push_back(make_expression(LiteralExpr{Value::string("")}, end_of(open.range)));
  const Range content_range = between(content.front()->range, content.back()->range);
  ForExpr loop;
  loop.key_name = open.key_name;
  loop.value_name = open.value_name;
  loop.collection = open.expression;
  loop.value = make_expression(TemplateExpr{std::move(content), true}, content_range);
  loop.open_range = open.range;
  loop.close_range = close;
  const Range range = between(open.range, close);
  return make_expression(TemplateJoinExpr{make_expression(std::move(loop), range)}, range);
}

}  // namespace drover::hcl
