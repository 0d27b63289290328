// The parser's state and productions. Internal to lib/hcl; parser.h is the way in.
//
// Productions add to `diagnostics_`. After an error that leaves the reader in an uncertain place `recovery_` is set, and follow-up
// errors are held back. `Failed` remembers whether a production went wrong while recovering.
#pragma once

#include <string>
#include <vector>

#include "lib/hcl/ast.h"
#include "lib/hcl/token.h"

namespace drover::hcl {

class Parser {
 public:
  Parser(SourcePtr file, Tokens tokens, Diagnostics& diagnostics)
      : file_(std::move(file)), tokens_(std::move(tokens)), diagnostics_(diagnostics) {}

  std::shared_ptr<const NativeBody> body(Tok end);
  ExprPtr expression();
  // Everything up to the end of the tokens, as one template.
  ExprPtr bare_template();
  [[nodiscard]] bool at_end();
  [[nodiscard]] Range next_range() { return range_of(peek()); }
  [[nodiscard]] bool recovering() const { return recovery_; }
  void ignore_newlines() { newlines_.push_back(false); }

 private:
  class Mark;  // "did this production fail while recovering?"
  class Newlines;
  class Nesting;
  struct Part;

  // parser.cc
  void body_item(NativeBody& body);
  bool attribute(const Token& name, bool single_line, NativeAttribute& out);
  NativeBlock block(const Token& name);
  std::shared_ptr<const NativeBody> single_attribute_body();
  std::string label(Range& range);
  [[nodiscard]] std::string unescape(const Token& token);

  // parser_expression.cc
  ExprPtr binary(int min_precedence);
  ExprPtr with_traversals();
  ExprPtr traversals(ExprPtr from);
  ExprPtr dot_traversal(ExprPtr from, const Range& whole_from);
  ExprPtr attribute_splat(ExprPtr source, const Range& from, const Token& dot);
  ExprPtr bracket_traversal(ExprPtr from, const Range& whole_from);
  ExprPtr term();
  ExprPtr parentheses();
  ExprPtr call(const Token& name);
  ExprPtr tuple();
  ExprPtr object();
  ExprPtr for_expression(const Token& open);
  ExprPtr placeholder(const Range& range);
  Value number_value(const Token& token);

  // parser_template.cc
  ExprPtr quoted_or_heredoc();
  std::vector<Part> template_parts(Tok end);
  void interpolation(const Token& open, Tok end, const Range& start, std::vector<Part>& parts, bool& trim_next);
  bool control(const Token& open, std::vector<Part>& parts, bool& trim_next);
  std::vector<ExprPtr> template_expressions(std::vector<Part>& parts, bool& single);
  ExprPtr template_item(std::vector<Part>& parts, std::size_t& at, int depth);
  ExprPtr template_if(std::vector<Part>& parts, std::size_t& at, int depth);
  ExprPtr template_for(std::vector<Part>& parts, std::size_t& at, int depth);

  // The reader.
  [[nodiscard]] Token peek();
  Token read();
  [[nodiscard]] Token next(std::size_t& index) const;
  [[nodiscard]] Range previous_range();
  [[nodiscard]] Range range_of(const Token& token) const { return {file_, token.start, token.end}; }
  [[nodiscard]] bool keyword(std::string_view word) { const Token token = peek(); return token.type == Tok::identifier && token.text == word; }
  Token recover(Tok end);
  void recover_over(Tok start);
  void recover_after_item();
  void error(std::string summary, std::string detail, const Range& range) { diagnostics_.add(std::move(summary), std::move(detail), range); }

  SourcePtr file_;
  Tokens tokens_;
  Diagnostics& diagnostics_;
  std::size_t index_ = 0;
  std::vector<bool> newlines_{true};
  bool recovery_ = false;
  int depth_ = 0;
  int block_depth_ = 0;
  int template_depth_ = 0;
};

class Parser::Mark {
 public:
  explicit Mark(const Parser& parser) : parser_(parser), before_(parser.diagnostics_.size()) {}
  [[nodiscard]] bool failed() const { return parser_.recovery_ && parser_.diagnostics_.size() > before_; }

 private:
  const Parser& parser_;
  std::size_t before_;
};

class Parser::Newlines {
 public:
  Newlines(Parser& parser, bool significant) : parser_(parser) { parser_.newlines_.push_back(significant); }
  ~Newlines() { pop(); }
  Newlines(const Newlines&) = delete;
  Newlines& operator=(const Newlines&) = delete;
  void pop() {
    if (!popped_) parser_.newlines_.pop_back();
    popped_ = true;
  }

 private:
  Parser& parser_;
  bool popped_ = false;
};

// Counts nesting so that hostile depth is refused before it can overflow the stack.
class Parser::Nesting {
 public:
  explicit Nesting(int& depth) : depth_(depth) { depth_++; }
  ~Nesting() { depth_--; }
  Nesting(const Nesting&) = delete;
  Nesting& operator=(const Nesting&) = delete;

 private:
  int& depth_;
};

// The bracket that goes with one; end_of_file when there is none.
[[nodiscard]] Tok opposite(Tok type);

}  // namespace drover::hcl
