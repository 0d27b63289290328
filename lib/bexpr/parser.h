// Reads a filter expression. Private to lib/bexpr. The error texts (position, rule, what would have been accepted) are those the
// API is known for, so the parser keeps what it expected at the farthest place it got to.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lib/bexpr/ast.h"
#include "sdk/base/error.h"

namespace drover::bexpr {

using NodePtr = std::shared_ptr<const Node>;

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}
  [[nodiscard]] Result<NodePtr> parse();

 private:
  struct Value {
    bool ok = false;
    std::string text;
  };
  struct Selector {
    bool ok = false;
    Path path;
    std::string text;
  };

  // Terminals. Each notes what it wanted when it fails.
  bool literal(std::string_view word);
  bool blank();
  void skip() { blank(); }
  bool at_end();
  bool char_of(bool (*accepts)(char), std::string_view shown);
  void expected(std::size_t at, std::string want);
  void note(std::string_view rule, std::string_view message, std::size_t at);

  NodePtr or_expression();
  // The node, or its only child; continues behind the last child.
  NodePtr finish(std::shared_ptr<Node> node, std::size_t after);
  NodePtr and_expression();
  NodePtr not_expression();
  NodePtr grouping();
  NodePtr match();
  NodePtr match_value_in();
  NodePtr collection();
  bool selector_operator(Node& node, bool& wants_value);
  bool words(std::initializer_list<std::string_view> list, bool blank_after);
  Selector selector();
  bool index(std::string& out);
  bool identifier(std::string& out);
  bool name_or_underscore(std::string& out);
  Value value();
  Value number();
  Value string();
  std::string position(std::size_t at) const;

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t farthest_ = 0;
  std::set<std::string> expected_;
  bool expected_end_ = false;
  std::vector<std::string> errors_;
  int depth_ = 0;
  bool too_deep_ = false;
};

}  // namespace drover::bexpr
