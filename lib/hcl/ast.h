// Expressions and native bodies as the parser makes them. Immutable once made; nodes are shared, never changed.
//
// An Expression is a variant of node structs plus its range. `start_range` is the narrower place errors about the value point at.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "lib/hcl/diagnostic.h"
#include "lib/hcl/source.h"
#include "lib/hcl/value.h"

namespace drover::hcl {

struct Expression;
using ExprPtr = std::shared_ptr<const Expression>;

// One step of a traversal: `.name`, or `[key]` when `key` is set.
struct TraversalStep {
  std::string name;
  std::optional<Value> key;
  Range range;
};

// A node kept apart, so that the rare and large do not make every expression as large.
template <class T>
class Apart {
 public:
  Apart(T value) : value_(std::make_shared<const T>(std::move(value))) {}  // NOLINT(google-explicit-constructor)
  [[nodiscard]] const T& operator*() const { return *value_; }

 private:
  std::shared_ptr<const T> value_;
};

struct LiteralExpr { Value value; };
// Parts are joined to one string; always at least one part.
struct TemplateExpr { std::vector<ExprPtr> parts; bool quoted = true; };
// "${x}" alone: keeps the value's type.
struct TemplateWrapExpr { ExprPtr inner; };
// A template's for directive: joins the tuple's elements.
struct TemplateJoinExpr { ExprPtr tuple; };
struct ScopeTraversalExpr { std::string root; Range root_range; std::vector<TraversalStep> steps; };
struct RelativeTraversalExpr { ExprPtr source; std::vector<TraversalStep> steps; };
struct CallExpr {
  std::string name;
  std::vector<ExprPtr> arguments;
  bool expand_final = false;
  Range name_range;
  Range open_range;
  Range close_range;
};
struct ConditionalExpr { ExprPtr condition; ExprPtr when_true; ExprPtr when_false; };
struct IndexExpr { ExprPtr collection; ExprPtr key; Range open_range; };
struct TupleExpr { std::vector<ExprPtr> elements; Range open_range; };
struct ObjectItem { ExprPtr key; ExprPtr value; };
// In JSON an item's key is any expression, and no key may come twice.
struct ObjectExpr { std::vector<ObjectItem> items; Range open_range; bool json = false; };
// A key of an object: a bare name means its own text unless it was in parentheses.
struct ObjectKeyExpr { ExprPtr wrapped; bool force_expression = false; };
struct ForExpr {
  std::string key_name;
  std::string value_name;
  ExprPtr collection;
  ExprPtr key;        // of an object, else null
  ExprPtr value;
  ExprPtr condition;  // may be null
  bool group = false;
  Range open_range;
  Range close_range;
};
// `each` is evaluated per element, which ItemExpr stands for.
struct SplatExpr { ExprPtr source; ExprPtr each; Range marker_range; };
struct ItemExpr {};
struct ParenthesesExpr { ExprPtr inner; };

enum class BinaryOp : unsigned char { logical_or, logical_and, equal, not_equal, greater, greater_equal, less, less_equal,
                                      add, subtract, multiply, divide, modulo };
struct BinaryExpr { BinaryOp op; ExprPtr left; ExprPtr right; };
struct UnaryExpr { bool negate; ExprPtr operand; Range symbol_range; };  // else logical not
// A string of JSON: a template where a value is wanted, source text where a name or a type is.
struct JsonTextExpr { std::string text; ExprPtr inner; };
// Something that did not parse but is reported only when evaluated (JSON strings).
struct FailedExpr { Diagnostics diagnostics; };

struct Expression {
  using Node = std::variant<LiteralExpr, TemplateExpr, TemplateWrapExpr, TemplateJoinExpr, ScopeTraversalExpr, RelativeTraversalExpr,
                            Apart<CallExpr>, ConditionalExpr, IndexExpr, TupleExpr, ObjectExpr, ObjectKeyExpr, Apart<ForExpr>, SplatExpr, ItemExpr,
                            ParenthesesExpr, BinaryExpr, UnaryExpr, JsonTextExpr, FailedExpr>;
  Node node;
  Range range;
  int height = 1;  // of the tree, bounded by max_expression_depth so that recursion and destruction are safe

  template <class T>
  [[nodiscard]] const T* as() const {
    if constexpr (std::is_same_v<T, CallExpr> || std::is_same_v<T, ForExpr>) {
      const auto* apart = std::get_if<Apart<T>>(&node);
      return apart == nullptr ? nullptr : &**apart;
    } else {
      return std::get_if<T>(&node);
    }
  }
  [[nodiscard]] Range start_range() const;
};

// `visitor` called with the node's struct.
template <class Visitor>
auto visit_node(Visitor&& visitor, const Expression::Node& node) {
  return std::visit([&visitor]<class T>(const T& plain) {
    if constexpr (std::is_same_v<T, Apart<CallExpr>> || std::is_same_v<T, Apart<ForExpr>>) return visitor(*plain);
    else return visitor(plain);
  }, node);
}

[[nodiscard]] ExprPtr make_expression(Expression::Node node, Range range);

// The text of a template without sequences, or of a string literal; nothing otherwise.
[[nodiscard]] std::optional<std::string> literal_string(const Expression& expression);
// The bare word of an expression such as `string` or `true`; nothing otherwise.
[[nodiscard]] std::optional<std::string> keyword_of(const Expression& expression);

struct NativeAttribute {
  std::string name;
  ExprPtr expression;
  Range range;
  Range name_range;
};

struct NativeBlock;
struct NativeBody {
  std::vector<NativeAttribute> attributes;  // in the order written, names unique
  std::vector<NativeBlock> blocks;
  Range range;
  Range end_range;
};

struct NativeBlock {
  std::string type;
  std::vector<std::string> labels;
  std::shared_ptr<const NativeBody> body;
  Range type_range;
  std::vector<Range> label_ranges;
  Range open_range;
  Range close_range;
  [[nodiscard]] Range header_range() const { return between(type_range, label_ranges.empty() ? type_range : label_ranges.back()); }
};

}  // namespace drover::hcl
