#include <fmt/format.h>

#include <array>

#include "lib/hcl/limits.h"
#include "lib/hcl/parser_core.h"

namespace drover::hcl {

ExprPtr Parser::placeholder(const Range& range) { return make_expression(LiteralExpr{Value()}, range); }

ExprPtr Parser::expression() {
  const Nesting nesting(depth_);
  const Range start = next_range();
  if (depth_ > max_expression_depth) {
    if (!recovery_) error("Expression nested too deeply", fmt::format("Expressions may be nested {} levels deep.", max_expression_depth), start);
    recovery_ = true;
    return placeholder(start);
  }
  const Mark mark(*this);
  ExprPtr condition = binary(0);
  if (mark.failed() || peek().type != Tok::question) return condition;
  read();
  ExprPtr when_true = expression();
  if (mark.failed()) return condition;
  const Token colon = peek();
  if (colon.type != Tok::colon) {
    error("Missing false expression in conditional", "The conditional operator (...?...:...) requires a false expression, delimited by a colon.", range_of(colon));
    return condition;
  }
  read();
  ExprPtr when_false = expression();
  if (mark.failed()) return condition;
  const Range range = between(start, when_false->range);
  return make_expression(ConditionalExpr{std::move(condition), std::move(when_true), std::move(when_false)}, range);
}

namespace {
struct Operator { Tok token; int precedence; BinaryOp op; };
constexpr std::array operators{
    Operator{Tok::or_or, 0, BinaryOp::logical_or}, Operator{Tok::and_and, 1, BinaryOp::logical_and},
    Operator{Tok::equal_equal, 2, BinaryOp::equal}, Operator{Tok::not_equal, 2, BinaryOp::not_equal},
    Operator{Tok::greater, 3, BinaryOp::greater}, Operator{Tok::greater_equal, 3, BinaryOp::greater_equal},
    Operator{Tok::less, 3, BinaryOp::less}, Operator{Tok::less_equal, 3, BinaryOp::less_equal},
    Operator{Tok::plus, 4, BinaryOp::add}, Operator{Tok::minus, 4, BinaryOp::subtract},
    Operator{Tok::star, 5, BinaryOp::multiply}, Operator{Tok::slash, 5, BinaryOp::divide}, Operator{Tok::percent, 5, BinaryOp::modulo}};

const Operator* operator_for(Tok token) {
  for (const Operator& candidate : operators) {
    if (candidate.token == token) return &candidate;
  }
  return nullptr;
}
}  // namespace

ExprPtr Parser::binary(int min_precedence) {
  const Mark mark(*this);
  ExprPtr left = with_traversals();
  while (!mark.failed()) {
    const Operator* found = operator_for(peek().type);
    if (found == nullptr || found->precedence < min_precedence) break;
    read();
    ExprPtr right = binary(found->precedence + 1);
    if (mark.failed()) break;
    const Range range = between(left->range, right->range);
    if (std::max(left->height, right->height) >= max_expression_depth) {
      error("Expression nested too deeply", fmt::format("Expressions may be nested {} levels deep.", max_expression_depth), range);
      recovery_ = true;
      break;
    }
    left = make_expression(BinaryExpr{found->op, std::move(left), std::move(right)}, range);
  }
  return left;
}

ExprPtr Parser::with_traversals() { return traversals(term()); }

namespace {
ExprPtr extend(const ExprPtr& from, TraversalStep step) {
  const Range range = between(from->range, step.range);
  if (const auto* scope = from->as<ScopeTraversalExpr>()) {
    ScopeTraversalExpr longer = *scope;
    longer.steps.push_back(std::move(step));
    return make_expression(std::move(longer), range);
  }
  if (const auto* relative = from->as<RelativeTraversalExpr>()) {
    RelativeTraversalExpr longer = *relative;
    longer.steps.push_back(std::move(step));
    return make_expression(std::move(longer), range);
  }
  return make_expression(RelativeTraversalExpr{from, {std::move(step)}}, range);
}
}  // namespace

Value Parser::number_value(const Token& token) {
  if (auto number = Number::parse(token.text)) return Value::number(*number);
  error("Invalid number literal", "Failed to recognize the value of this number literal.", range_of(token));
  return Value::unknown(Type::number());
}

ExprPtr Parser::traversals(ExprPtr from) {
  const Range whole = from->range;
  std::size_t steps = 0;
  while (true) {
    const Tok type = peek().type;
    if (type != Tok::dot && type != Tok::open_bracket) break;
    if (++steps > static_cast<std::size_t>(max_expression_depth)) {
      if (!recovery_) error("Expression nested too deeply", fmt::format("A traversal may have {} steps.", max_expression_depth), next_range());
      recovery_ = true;
      break;
    }
    from = type == Tok::dot ? dot_traversal(std::move(from), whole) : bracket_traversal(std::move(from), whole);
  }
  return from;
}

ExprPtr Parser::dot_traversal(ExprPtr from, const Range& whole) {
  const Token dot = read();
  const Token name = peek();
  const Range range = between(range_of(dot), range_of(name));
  switch (name.type) {
    case Tok::identifier:
      read();
      return extend(from, {std::string(name.text), std::nullopt, range});
    case Tok::number: {
      read();
      if (const std::size_t point = name.text.find('.'); point != std::string_view::npos) {
        error("Invalid legacy index syntax", fmt::format("When using the legacy index syntax, chaining two indexes together is not permitted. Use the proper index syntax instead, like [{}][{}].", name.text.substr(0, point), name.text.substr(point + 1)), range_of(name));
        return extend(from, {{}, Value(), range});
      }
      return extend(from, {{}, number_value(name), range});
    }
    case Tok::star: return attribute_splat(std::move(from), whole, dot);
    default:
      error("Invalid attribute name", "An attribute name is required after a dot.", range_of(name));
      recovery_ = true;
      return from;
  }
}

ExprPtr Parser::attribute_splat(ExprPtr source, const Range& from, const Token& dot) {
  const Token marker = read();
  const Range first = next_range();
  Range last = range_of(marker);
  const Range marker_range = between(range_of(dot), range_of(marker));
  std::vector<TraversalStep> steps;
  while (peek().type == Tok::dot && steps.size() < static_cast<std::size_t>(max_expression_depth)) {
    const Token step_dot = read();
    const Token name = peek();
    const Range range = between(range_of(step_dot), range_of(name));
    if (name.type == Tok::number) {
      read();
      if (const std::size_t point = name.text.find('.'); point != std::string_view::npos) {
        error("Invalid legacy index syntax", fmt::format("When using the legacy index syntax, chaining two indexes together is not permitted. Use the proper index syntax with a full splat expression [*] instead, like [{}][{}].", name.text.substr(0, point), name.text.substr(point + 1)), range_of(marker));
        steps.push_back({{}, Value(), range});
      } else {
        steps.push_back({{}, number_value(name), range});
      }
    } else if (name.type == Tok::identifier) {
      read();
      steps.push_back({std::string(name.text), std::nullopt, range});
    } else {
      if (!recovery_) {
        if (name.type == Tok::star) {
          error("Nested splat expression not allowed", "A splat expression (*) cannot be used inside another attribute-only splat expression.", range_of(name));
        } else {
          error("Invalid attribute name", "An attribute name is required after a dot.", range_of(marker));
        }
      }
      recovery_ = true;
      return source;
    }
    last = range_of(name);
  }
  ExprPtr each = make_expression(ItemExpr{}, marker_range);
  if (!steps.empty()) each = make_expression(RelativeTraversalExpr{each, std::move(steps)}, between(first, last));
  return make_expression(SplatExpr{std::move(source), std::move(each), marker_range}, between(from, last));
}

ExprPtr Parser::bracket_traversal(ExprPtr from, const Range& whole) {
  const Token open = read();
  if (peek().type == Tok::star) {
    read();
    Token close = read();
    if (close.type != Tok::close_bracket && !recovery_) {
      // The place told is where reading goes on, as in the reference.
      close = recover(Tok::close_bracket);
      error("Missing close bracket on splat index", "The star for a full splat operator must be immediately followed by a closing bracket (\"]\").", range_of(close));
    }
    const Range marker = between(range_of(open), range_of(close));
    const Nesting nesting(depth_);
    if (depth_ > max_expression_depth) {
      if (!recovery_) error("Expression nested too deeply", fmt::format("Expressions may be nested {} levels deep.", max_expression_depth), marker);
      recovery_ = true;
      return from;
    }
    ExprPtr each = traversals(make_expression(ItemExpr{}, marker));
    const Range range = between(whole, each->range);
    return make_expression(SplatExpr{std::move(from), std::move(each), marker}, range);
  }
  Newlines newlines(*this, false);
  const Mark mark(*this);
  ExprPtr key = expression();
  Token close;
  if (mark.failed()) {
    close = recover(Tok::close_bracket);
  } else {
    close = read();
    if (close.type != Tok::close_bracket && !recovery_) {
      close = recover(Tok::close_bracket);
      error("Missing close bracket on index", "The index operator must end with a closing bracket (\"]\").", range_of(close));
    }
  }
  newlines.pop();
  const Range range = between(range_of(open), range_of(close));
  if (const auto* literal = key->as<LiteralExpr>()) return extend(from, {{}, literal->value, range});
  if (key->as<TemplateExpr>() != nullptr) {
    if (const auto text = literal_string(*key)) return extend(from, {{}, Value::string(*text), range});
  }
  return make_expression(IndexExpr{std::move(from), std::move(key), range_of(open)}, between(whole, range));
}

ExprPtr Parser::term() {
  const Nesting nesting(depth_);
  const Token start = peek();
  const Range range = range_of(start);
  if (depth_ > max_expression_depth) {
    if (!recovery_) error("Expression nested too deeply", fmt::format("Expressions may be nested {} levels deep.", max_expression_depth), range);
    recovery_ = true;
    return placeholder(range);
  }
  switch (start.type) {
    case Tok::open_paren: return parentheses();
    case Tok::number: {
      read();
      return make_expression(LiteralExpr{number_value(start)}, range);
    }
    case Tok::identifier: {
      read();
      if (const Tok after = peek().type; after == Tok::open_paren || after == Tok::double_colon) return call(start);
      if (start.text == "true" || start.text == "false") return make_expression(LiteralExpr{Value::boolean(start.text == "true")}, range);
      if (start.text == "null") return make_expression(LiteralExpr{Value::null()}, range);
      return make_expression(ScopeTraversalExpr{std::string(start.text), range, {}}, range);
    }
    case Tok::open_quote: case Tok::open_heredoc: return quoted_or_heredoc();
    case Tok::minus: case Tok::bang: {
      read();
      ExprPtr operand = with_traversals();
      const Range whole = between(range, operand->range);
      return make_expression(UnaryExpr{start.type == Tok::minus, std::move(operand), range}, whole);
    }
    case Tok::open_bracket: return tuple();
    case Tok::open_brace: return object();
    default:
      if (!recovery_) {
        if (start.type == Tok::end_of_file) {
          error("Missing expression", "Expected the start of an expression, but found the end of the file.", range);
        } else {
          error("Invalid expression", "Expected the start of an expression, but found an invalid expression token.", range);
        }
      }
      recovery_ = true;
      return placeholder(range);
  }
}

ExprPtr Parser::parentheses() {
  const Token open = read();
  Newlines newlines(*this, false);
  const std::size_t before = diagnostics_.size();
  ExprPtr inner = expression();
  if (diagnostics_.size() > before) {
    // Left in an uncertain place: give back what there is after the closing parenthesis.
    recover(Tok::close_paren);
    return inner;
  }
  const Token close = peek();
  if (close.type != Tok::close_paren) {
    error("Unbalanced parentheses", "Expected a closing parenthesis to terminate the expression.", range_of(close));
    recovery_ = true;
  }
  read();
  newlines.pop();
  return make_expression(ParenthesesExpr{std::move(inner)}, between(range_of(open), range_of(close)));
}

ExprPtr Parser::call(const Token& name) {
  CallExpr call;
  call.name = name.text;
  call.name_range = range_of(name);
  Token open = read();
  while (open.type == Tok::double_colon) {
    const Token part = read();
    if (part.type != Tok::identifier) {
      error("Missing function name", "Function scope resolution symbol :: must be followed by a function name in this scope.", range_of(part));
      recover_over(Tok::open_paren);
      return placeholder(between(range_of(name), range_of(part)));
    }
    call.name += "::" + std::string(part.text);
    call.name_range = between(range_of(name), range_of(part));
    open = read();
  }
  if (open.type != Tok::open_paren) {
    error("Missing open parenthesis", "Function selector must be followed by an open parenthesis to begin the function call.", range_of(open));
    recover_over(Tok::open_paren);
    return placeholder(between(range_of(name), range_of(open)));
  }
  call.open_range = range_of(open);
  const Newlines newlines(*this, false);
  Token close;
  while (true) {
    if (peek().type == Tok::close_paren) {
      close = read();
      break;
    }
    const Mark mark(*this);
    call.arguments.push_back(expression());
    if (mark.failed()) {
      close = recover(Tok::close_paren);
      break;
    }
    const Token separator = read();
    if (separator.type == Tok::close_paren) {
      close = separator;
      break;
    }
    if (separator.type == Tok::ellipsis) {
      call.expand_final = true;
      if (peek().type == Tok::close_paren) {
        close = read();
      } else {
        if (!recovery_) error("Missing closing parenthesis", "An expanded function argument (with ...) must be immediately followed by closing parentheses.", range_of(separator));
        close = recover(Tok::close_paren);
      }
      break;
    }
    if (separator.type != Tok::comma) {
      if (separator.type == Tok::end_of_file) {
        error("Unterminated function call", "There is no closing parenthesis for this function call before the end of the file. This may be caused by incorrect parenthesis nesting elsewhere in this file.", between(range_of(name), call.open_range));
      } else {
        error("Missing argument separator", "A comma is required to separate each function argument from the next.", range_of(separator));
      }
      close = recover(Tok::close_paren);
      break;
    }
  }
  call.close_range = range_of(close);
  const Range range = between(range_of(name), call.close_range);
  return make_expression(std::move(call), range);
}

ExprPtr Parser::tuple() {
  const Token open = read();
  const Newlines newlines(*this, false);
  if (keyword("for")) return for_expression(open);
  TupleExpr tuple;
  tuple.open_range = range_of(open);
  Token close;
  while (true) {
    if (peek().type == Tok::close_bracket) {
      close = read();
      break;
    }
    const Mark mark(*this);
    tuple.elements.push_back(expression());
    if (mark.failed()) {
      close = recover(Tok::close_bracket);
      break;
    }
    const Token next = peek();
    if (next.type == Tok::close_bracket) {
      close = read();
      break;
    }
    if (next.type != Tok::comma) {
      if (!recovery_) {
        if (next.type == Tok::end_of_file) {
          error("Unterminated tuple constructor expression", "There is no corresponding closing bracket before the end of the file. This may be caused by incorrect bracket nesting elsewhere in this file.", tuple.open_range);
        } else {
          error("Missing item separator", "Expected a comma to mark the beginning of the next item.", range_of(next));
        }
      }
      close = recover(Tok::close_bracket);
      break;
    }
    read();
  }
  const Range range = between(tuple.open_range, range_of(close));
  return make_expression(std::move(tuple), range);
}

}  // namespace drover::hcl
