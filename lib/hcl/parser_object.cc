#include <fmt/format.h>

#include "lib/hcl/parser_core.h"

namespace drover::hcl {

namespace {
constexpr const char* unterminated = "There is no corresponding closing brace before the end of the file. This may be caused by incorrect brace nesting elsewhere in this file.";
}  // namespace

ExprPtr Parser::object() {
  const Token open = read();
  {
    const Newlines newlines(*this, false);
    if (keyword("for")) return for_expression(open);
  }
  const Newlines newlines(*this, true);
  ObjectExpr object;
  object.open_range = range_of(open);
  Token close;
  while (true) {
    const Token first = peek();
    if (first.type == Tok::newline) {
      read();
      continue;
    }
    if (first.type == Tok::close_brace) {
      close = read();
      break;
    }
    const bool force = first.type == Tok::open_paren;
    const Mark mark(*this);
    ExprPtr key = expression();
    if (mark.failed()) {
      close = recover(Tok::close_brace);
      break;
    }
    const Range key_range = key->range;
    key = make_expression(ObjectKeyExpr{std::move(key), force}, key_range);
    Token next = peek();
    if (next.type != Tok::equal && next.type != Tok::colon) {
      if (!recovery_) {
        const Range range = range_of(next);
        if (next.type == Tok::newline || next.type == Tok::comma) {
          error("Missing attribute value", "Expected an attribute value, introduced by an equals sign (\"=\").", range);
        } else if (next.type == Tok::identifier) {
          error("Missing key/value separator", "Expected an equals sign (\"=\") to mark the beginning of the attribute value. If you intended to given an attribute name containing periods or spaces, write the name in quotes to create a string literal.", range);
        } else if (next.type == Tok::end_of_file) {
          error("Unterminated object constructor expression", unterminated, object.open_range);
        } else {
          error("Missing key/value separator", "Expected an equals sign (\"=\") to mark the beginning of the attribute value.", range);
        }
      }
      close = recover(Tok::close_brace);
      break;
    }
    read();
    ExprPtr value = expression();
    if (mark.failed()) {
      close = recover(Tok::close_brace);
      break;
    }
    object.items.push_back({std::move(key), std::move(value)});
    next = peek();
    if (next.type == Tok::close_brace) {
      close = read();
      break;
    }
    if (next.type != Tok::comma && next.type != Tok::newline) {
      if (!recovery_) {
        if (next.type == Tok::end_of_file) {
          error("Unterminated object constructor expression", unterminated, object.open_range);
        } else {
          error("Missing attribute separator", "Expected a newline or comma to mark the beginning of the next attribute.", range_of(next));
        }
      }
      close = recover(Tok::close_brace);
      break;
    }
    read();
  }
  const Range range = between(object.open_range, range_of(close));
  return make_expression(std::move(object), range);
}

ExprPtr Parser::for_expression(const Token& open) {
  const Newlines newlines(*this, false);
  read();  // "for"
  const bool makes_object = open.type == Tok::open_brace;
  const Tok close_type = makes_object ? Tok::close_brace : Tok::close_bracket;
  const auto give_up = [&] {
    const Token close = recover(close_type);
    return placeholder(between(range_of(open), range_of(close)));
  };
  const auto complain = [&](const char* detail, const Range& range) {
    if (!recovery_) error("Invalid 'for' expression", detail, range);
    return give_up();
  };
  ForExpr result;
  result.open_range = range_of(open);
  if (peek().type != Tok::identifier) return complain("For expression requires variable name after 'for'.", next_range());
  result.value_name = read().text;
  if (peek().type == Tok::comma) {
    result.key_name = result.value_name;
    read();
    if (peek().type != Tok::identifier) return complain("For expression requires value variable name after comma.", next_range());
    result.value_name = read().text;
  }
  if (!keyword("in")) return complain("For expression requires the 'in' keyword after its name declarations.", next_range());
  read();
  const Mark mark(*this);
  result.collection = expression();
  if (mark.failed()) return give_up();
  if (peek().type != Tok::colon) return complain("For expression requires a colon after the collection expression.", next_range());
  read();
  result.value = expression();
  if (peek().type == Tok::fat_arrow) {
    read();
    result.key = std::move(result.value);
    result.value = expression();
  }
  if (mark.failed()) return give_up();
  Range ellipsis;
  if (peek().type == Tok::ellipsis) {
    ellipsis = next_range();
    read();
    result.group = true;
  }
  if (keyword("if")) {
    read();
    result.condition = expression();
    if (mark.failed()) return give_up();
  }
  Token close;
  if (peek().type == close_type) {
    close = read();
  } else {
    if (!recovery_) error("Invalid 'for' expression", "Extra characters after the end of the 'for' expression.", next_range());
    close = recover(close_type);
  }
  result.close_range = range_of(close);
  if (!makes_object) {
    if (result.key) error("Invalid 'for' expression", "Key expression is not valid when building a tuple.", result.key->range);
    if (result.group) error("Invalid 'for' expression", "Grouping ellipsis (...) cannot be used when building a tuple.", ellipsis);
  } else if (!result.key) {
    error("Invalid 'for' expression", "Key expression is required when building an object.", result.value->range);
  }
  const Range range = between(result.open_range, result.close_range);
  return make_expression(std::move(result), range);
}

}  // namespace drover::hcl
