#include "lib/hcl/ast.h"

#include <algorithm>

#include "lib/hcl/limits.h"
#include "lib/hcl/unicode.h"

namespace drover::hcl {

namespace {

struct StartRange {
  const Range& whole;
  Range operator()(const TemplateExpr& node) const { return node.parts.front()->start_range(); }
  Range operator()(const TemplateJoinExpr& node) const { return node.tuple->start_range(); }
  Range operator()(const CallExpr& node) const { return between(node.name_range, node.open_range); }
  Range operator()(const ConditionalExpr& node) const { return node.condition->start_range(); }
  Range operator()(const IndexExpr& node) const { return node.open_range; }
  Range operator()(const TupleExpr& node) const { return node.open_range; }
  Range operator()(const ObjectExpr& node) const { return node.open_range; }
  Range operator()(const ObjectKeyExpr& node) const { return node.wrapped->start_range(); }
  Range operator()(const ForExpr& node) const { return node.open_range; }
  Range operator()(const SplatExpr& node) const { return node.marker_range; }
  Range operator()(const ParenthesesExpr& node) const { return node.inner->start_range(); }
  Range operator()(const BinaryExpr& node) const { return node.left->start_range(); }
  Range operator()(const UnaryExpr& node) const { return node.symbol_range; }
  template <class T>
  Range operator()(const T&) const { return whole; }
};

int height_of(const ExprPtr& expression) { return expression ? expression->height : 0; }
int height_of(const std::vector<ExprPtr>& expressions) {
  int height = 0;
  for (const ExprPtr& expression : expressions) height = std::max(height, height_of(expression));
  return height;
}

struct Height {
  int operator()(const TemplateExpr& node) const { return height_of(node.parts); }
  int operator()(const TemplateWrapExpr& node) const { return height_of(node.inner); }
  int operator()(const TemplateJoinExpr& node) const { return height_of(node.tuple); }
  int operator()(const RelativeTraversalExpr& node) const { return height_of(node.source); }
  int operator()(const CallExpr& node) const { return height_of(node.arguments); }
  int operator()(const ConditionalExpr& node) const {
    return std::max({height_of(node.condition), height_of(node.when_true), height_of(node.when_false)});
  }
  int operator()(const IndexExpr& node) const { return std::max(height_of(node.collection), height_of(node.key)); }
  int operator()(const TupleExpr& node) const { return height_of(node.elements); }
  int operator()(const ObjectExpr& node) const {
    int height = 0;
    for (const ObjectItem& item : node.items) height = std::max({height, height_of(item.key), height_of(item.value)});
    return height;
  }
  int operator()(const ObjectKeyExpr& node) const { return height_of(node.wrapped); }
  int operator()(const ForExpr& node) const {
    return std::max({height_of(node.collection), height_of(node.key), height_of(node.value), height_of(node.condition)});
  }
  int operator()(const SplatExpr& node) const { return std::max(height_of(node.source), height_of(node.each)); }
  int operator()(const ParenthesesExpr& node) const { return height_of(node.inner); }
  int operator()(const BinaryExpr& node) const { return std::max(height_of(node.left), height_of(node.right)); }
  int operator()(const UnaryExpr& node) const { return height_of(node.operand); }
  int operator()(const JsonTextExpr& node) const { return height_of(node.inner); }
  template <class T>
  int operator()(const T&) const { return 0; }
};

}  // namespace

Range Expression::start_range() const { return visit_node(StartRange{range}, node); }

ExprPtr make_expression(Expression::Node node, Range range) {
  const int height = visit_node(Height{}, node) + 1;
  return std::make_shared<const Expression>(Expression{std::move(node), std::move(range), height});
}

std::optional<std::string> literal_string(const Expression& expression) {
  if (const auto* parts = expression.as<TemplateExpr>()) {
    if (parts->parts.size() != 1) return std::nullopt;
    return literal_string(*parts->parts.front());
  }
  const auto* literal = expression.as<LiteralExpr>();
  if (literal == nullptr || literal->value.kind() != Kind::string || !literal->value.is_known() || literal->value.is_null()) return std::nullopt;
  return literal->value.as_string();
}

std::optional<std::string> keyword_of(const Expression& expression) {
  if (const auto* text = expression.as<JsonTextExpr>()) return is_identifier(text->text) ? std::optional<std::string>(text->text) : std::nullopt;
  if (const auto* traversal = expression.as<ScopeTraversalExpr>()) {
    return traversal->steps.empty() ? std::optional<std::string>(traversal->root) : std::nullopt;
  }
  if (const auto* literal = expression.as<LiteralExpr>()) {
    if (literal->value.is_null()) return "null";
    if (literal->value.is_known() && literal->value.kind() == Kind::boolean) return literal->value.as_bool() ? "true" : "false";
  }
  return std::nullopt;
}

}  // namespace drover::hcl
