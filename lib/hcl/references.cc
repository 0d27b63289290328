#include <algorithm>

#include "lib/hcl/evaluator.h"

namespace drover::hcl {

namespace {

struct Finder {
  std::vector<Reference>& out;
  std::vector<std::string>& bound;
  const Range* range = nullptr;

  void walk(const ExprPtr& expression) {
    if (!expression) return;
    Finder inner{out, bound, &expression->range};
    visit_node(inner, expression->node);
  }
  void walk(const std::vector<ExprPtr>& expressions) {
    for (const ExprPtr& expression : expressions) walk(expression);
  }

  void operator()(const ScopeTraversalExpr& node) {
    if (std::find(bound.begin(), bound.end(), node.root) == bound.end()) out.push_back({node.root, &node, *range});
  }
  void operator()(const TemplateExpr& node) { walk(node.parts); }
  void operator()(const TemplateWrapExpr& node) { walk(node.inner); }
  void operator()(const TemplateJoinExpr& node) { walk(node.tuple); }
  void operator()(const RelativeTraversalExpr& node) { walk(node.source); }
  void operator()(const CallExpr& node) { walk(node.arguments); }
  void operator()(const ConditionalExpr& node) {
    walk(node.condition);
    walk(node.when_true);
    walk(node.when_false);
  }
  void operator()(const IndexExpr& node) {
    walk(node.collection);
    walk(node.key);
  }
  void operator()(const TupleExpr& node) { walk(node.elements); }
  void operator()(const ObjectExpr& node) {
    for (const ObjectItem& item : node.items) {
      walk(item.key);
      walk(item.value);
    }
  }
  void operator()(const ObjectKeyExpr& node) {
    if (node.force_expression || !keyword_of(*node.wrapped)) walk(node.wrapped);
  }
  void operator()(const ForExpr& node) {
    walk(node.collection);
    const std::size_t before = bound.size();
    if (!node.key_name.empty()) bound.push_back(node.key_name);
    bound.push_back(node.value_name);
    walk(node.key);
    walk(node.value);
    walk(node.condition);
    bound.resize(before);
  }
  void operator()(const SplatExpr& node) {
    walk(node.source);
    walk(node.each);
  }
  void operator()(const ParenthesesExpr& node) { walk(node.inner); }
  void operator()(const BinaryExpr& node) {
    walk(node.left);
    walk(node.right);
  }
  void operator()(const UnaryExpr& node) { walk(node.operand); }
  void operator()(const JsonTextExpr& node) { walk(node.inner); }
  template <class T>
  void operator()(const T&) {}
};

}  // namespace

std::vector<Reference> references(const Expression& expression) {
  std::vector<Reference> out;
  std::vector<std::string> bound;
  Finder finder{out, bound, &expression.range};
  visit_node(finder, expression.node);
  return out;
}

}  // namespace drover::hcl
