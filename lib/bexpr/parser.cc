#include "lib/bexpr/parser.h"

#include <algorithm>

#include "lib/bexpr/regex.h"
#include "lib/bexpr/unquote.h"
#include "sdk/base/text.h"

namespace drover::bexpr {

namespace {
constexpr int max_depth = 64;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool is_first_digit(char c) { return c >= '1' && c <= '9'; }
bool is_name_char(char c) { return is_letter(c) || is_digit(c) || c == '_' || c == '/'; }
bool is_pointer_char(char c) {
  return is_letter(c) || is_digit(c) || static_cast<unsigned char>(c) >= 0x80 || std::string_view("-_.~:|").find(c) != std::string_view::npos;
}
}  // namespace

void Parser::expected(std::size_t at, std::string want) {
  if (at < farthest_) return;
  if (at > farthest_) {
    farthest_ = at;
    expected_.clear();
    expected_end_ = false;
  }
  expected_.insert(std::move(want));
}

std::string Parser::position(std::size_t at) const {
  std::size_t line = 1;
  std::size_t column = 0;
  for (std::size_t i = 0; i <= at; ++i) {
    if (i < text_.size() && (static_cast<unsigned char>(text_[i]) & 0xc0) == 0x80) continue;
    ++column;
    if (i < text_.size() && text_[i] == '\n') {
      ++line;
      column = 0;
    }
  }
  return fmt::format("{}:{} ({})", line, column, at);
}

void Parser::note(std::string_view rule, std::string_view message, std::size_t at) {
  auto text = fmt::format("{}: rule \"{}\": {}", position(at), rule, message);
  if (std::find(errors_.begin(), errors_.end(), text) == errors_.end()) errors_.push_back(std::move(text));
}

bool Parser::literal(std::string_view word) {
  if (text_.substr(at_).starts_with(word)) {
    at_ += word.size();
    return true;
  }
  expected(at_, quote(word));
  return false;
}

bool Parser::char_of(bool (*accepts)(char), std::string_view shown) {
  if (at_ < text_.size() && accepts(text_[at_])) {
    ++at_;
    return true;
  }
  expected(at_, std::string(shown));
  return false;
}

bool Parser::blank() {
  const auto start = at_;
  while (char_of(is_blank, "[ \\t\\r\\n]")) {
  }
  return at_ > start;
}

bool Parser::at_end() {
  if (at_ == text_.size()) return true;
  if (at_ >= farthest_) {
    if (at_ > farthest_) {
      farthest_ = at_;
      expected_.clear();
    }
    expected_end_ = true;
  }
  return false;
}

Result<NodePtr> Parser::parse() {
  skip();
  auto root = or_expression();
  if (root) {
    skip();
    if (!at_end()) root = nullptr;
  }
  if (too_deep_) return fail(Code::invalid_argument, "expression is nested deeper than {} levels", max_depth);
  if (!errors_.empty()) return fail(Code::invalid_argument, "{}", join(errors_, "\n"));
  if (root) return root;
  std::vector<std::string> wanted(expected_.begin(), expected_.end());
  if (expected_end_) wanted.emplace_back("EOF");
  std::string list;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (i > 0) list += i + 1 == wanted.size() ? " or " : ", ";
    list += wanted[i];
  }
  return fail(Code::invalid_argument, "{}: no match found, expected: {}", position(farthest_), list);
}

NodePtr Parser::or_expression() {
  if (depth_ >= max_depth) {
    too_deep_ = true;
    return nullptr;
  }
  ++depth_;
  auto node = std::make_shared<Node>();
  node->type = Node::Type::any_of;
  auto after = at_;
  // A missing right side leaves what stands before `or` as the match.
  while (auto part = and_expression()) {
    node->children.push_back(std::move(part));
    after = at_;
    if (!(blank() && literal("or") && blank())) break;
  }
  --depth_;
  return finish(std::move(node), after);
}

NodePtr Parser::finish(std::shared_ptr<Node> node, std::size_t after) {
  if (node->children.empty()) return nullptr;
  at_ = after;
  if (node->children.size() == 1) return node->children[0];
  return node;
}

NodePtr Parser::and_expression() {
  auto node = std::make_shared<Node>();
  node->type = Node::Type::all_of;
  auto after = at_;
  while (auto part = not_expression()) {
    node->children.push_back(std::move(part));
    after = at_;
    if (!(blank() && literal("and") && blank())) break;
  }
  return finish(std::move(node), after);
}

NodePtr Parser::not_expression() {
  bool negate = false;
  for (;;) {
    const auto start = at_;
    if (!(literal("not") && blank())) {
      at_ = start;
      break;
    }
    negate = !negate;
  }
  auto operand = grouping();
  if (!operand || !negate) return operand;
  auto node = std::make_shared<Node>();
  node->type = Node::Type::negate;
  node->children.push_back(std::move(operand));
  return node;
}

NodePtr Parser::grouping() {
  const auto start = at_;
  if (!literal("(")) {
    if (auto out = match()) return out;
    at_ = start;
    return collection();
  }
  skip();
  auto inner = or_expression();
  if (!inner) return nullptr;
  skip();
  if (literal(")")) return inner;
  note("grouping", "Unmatched parentheses", at_);
  return nullptr;
}

// Each word with white space before it.
bool Parser::words(std::initializer_list<std::string_view> list, bool blank_after) {
  const auto start = at_;
  for (const auto word : list) {
    if (!(blank() && literal(word))) {
      at_ = start;
      return false;
    }
  }
  if (!blank_after || blank()) return true;
  at_ = start;
  return false;
}

bool Parser::selector_operator(Node& node, bool& wants_value) {
  const auto start = at_;
  const auto set = [&](Node::Op op, bool negated, bool value) {
    node.op = op;
    node.negated = negated;
    wants_value = value;
    return true;
  };
  skip();
  const bool equal = literal("==");
  if (equal || literal("!=")) {
    skip();
    return set(Node::Op::equal, !equal, true);
  }
  at_ = start;
  if (words({"contains"}, true)) return set(Node::Op::in, false, true);
  if (words({"not", "contains"}, true)) return set(Node::Op::in, true, true);
  if (words({"matches"}, true)) return set(Node::Op::matches, false, true);
  if (words({"not", "matches"}, true)) return set(Node::Op::matches, true, true);
  if (words({"is", "empty"}, false)) return set(Node::Op::empty, false, false);
  if (words({"is", "not", "empty"}, false)) return set(Node::Op::empty, true, false);
  if (words({"is", "nil"}, false)) return set(Node::Op::nil, false, false);
  if (words({"is", "not", "nil"}, false)) return set(Node::Op::nil, true, false);
  return false;
}

NodePtr Parser::match() {
  const auto start = at_;
  if (auto found = selector(); found.ok) {
    auto node = std::make_shared<Node>();
    bool wants_value = false;
    if (selector_operator(*node, wants_value)) {
      node->selector = std::move(found.path);
      node->selector_text = std::move(found.text);
      if (!wants_value) return node;
      auto right = value();
      if (right.ok) {
        node->value = std::move(right.text);
        if (node->op == Node::Op::matches) compile_regex(*node);
        return node;
      }
    }
  }
  at_ = start;
  return match_value_in();
}

NodePtr Parser::match_value_in() {
  auto left = value();
  if (!left.ok) return nullptr;
  auto node = std::make_shared<Node>();
  node->op = Node::Op::in;
  node->value = std::move(left.text);
  if (words({"not", "in"}, true)) {
    node->negated = true;
  } else if (!words({"in"}, true)) {
    return nullptr;
  }
  const auto before = at_;
  auto right = selector();
  if (!right.ok) {
    note("match", "Invalid selector", before);
    return nullptr;
  }
  node->selector = std::move(right.path);
  node->selector_text = std::move(right.text);
  return node;
}

bool Parser::name_or_underscore(std::string& out) {
  out.clear();
  return literal("_") || identifier(out);
}

NodePtr Parser::collection() {
  auto node = std::make_shared<Node>();
  if (literal("all")) {
    node->type = Node::Type::all_elements;
  } else if (literal("any")) {
    node->type = Node::Type::any_element;
  } else {
    return nullptr;
  }
  if (!blank()) return nullptr;
  auto found = selector();
  if (!found.ok || !blank() || !literal("as") || !blank()) return nullptr;
  node->selector = std::move(found.path);
  node->selector_text = std::move(found.text);
  if (!name_or_underscore(node->key_name)) return nullptr;
  const auto after = at_;
  skip();
  if (literal(",")) {
    skip();
    if (!name_or_underscore(node->value_name)) return nullptr;
  } else {
    at_ = after;
    node->single_name = true;
  }
  skip();
  if (!literal("{")) return nullptr;
  skip();
  auto inner = or_expression();
  if (!inner) return nullptr;
  skip();
  if (!literal("}")) return nullptr;
  node->children.push_back(std::move(inner));
  return node;
}

bool Parser::identifier(std::string& out) {
  const auto start = at_;
  if (!char_of(is_letter, "[a-zA-Z]")) return false;
  while (char_of(is_name_char, "[a-zA-Z0-9_/]")) {
  }
  out = std::string(text_.substr(start, at_ - start));
  return true;
}

bool Parser::index(std::string& out) {
  const auto start = at_;
  if (!literal("[")) return false;
  skip();
  const auto inside = at_;
  auto key = string();
  if (!key.ok) {
    note("index", "Invalid index", inside);
    at_ = start;
    return false;
  }
  skip();
  if (literal("]")) {
    out = std::move(key.text);
    return true;
  }
  note("index", "Unclosed index expression", at_);
  at_ = start;
  return false;
}

Parser::Selector Parser::selector() {
  Selector out;
  const auto start = at_;
  std::string part;
  if (identifier(part)) {
    out.path.push_back(std::move(part));
    for (;;) {
      const auto before = at_;
      if (literal(".")) {
        if (!identifier(part)) {
          const auto digits = at_;
          while (char_of(is_digit, "[0-9]")) {
          }
          if (at_ == digits) {
            at_ = before;
            break;
          }
          part = std::string(text_.substr(digits, at_ - digits));
        }
      } else if (!index(part)) {
        at_ = before;
        break;
      }
      out.path.push_back(std::move(part));
    }
    out.ok = true;
    out.text = join(out.path, ".");
    return out;
  }
  at_ = start;
  if (!literal("\"")) return out;
  while (at_ < text_.size() && text_[at_] == '/') {
    const auto first = ++at_;
    while (char_of(is_pointer_char, "[\\pL\\pN-_.~:|]")) {
    }
    if (at_ == first) break;
    part = replace_all(replace_all(text_.substr(first, at_ - first), "~1", "/"), "~0", "~");
    out.path.push_back(std::move(part));
  }
  if (!literal("\"") || out.path.empty()) {
    at_ = start;
    out.path.clear();
    return out;
  }
  out.ok = true;
  out.text = join(out.path, "/");
  return out;
}

Parser::Value Parser::value() {
  const auto start = at_;
  // Bare words are read as selectors and mean their text. A quoted word is a text even where it has a pointer's form.
  if (at_ < text_.size() && text_[at_] == '"') {
    expected(at_, "[a-zA-Z]");
  } else if (auto bare = selector(); bare.ok) {
    return {true, std::move(bare.text)};
  }
  at_ = start;
  if (auto out = number(); out.ok) return out;
  at_ = start;
  return string();
}

Parser::Value Parser::number() {
  const auto start = at_;
  if (literal("-")) {
  }
  if (!literal("0")) {
    if (!char_of(is_first_digit, "[1-9]")) return {};
    while (char_of(is_digit, "[0-9]")) {
    }
  }
  const auto whole = at_;
  if (literal(".")) {
    const auto digits = at_;
    while (char_of(is_digit, "[0-9]")) {
    }
    if (at_ == digits) at_ = whole;
  }
  const auto end = at_;
  const bool closed = blank() || at_end() || literal(")");
  at_ = end;
  if (!closed) {
    note("number", "Invalid number literal", end);
    return {};
  }
  return {true, std::string(text_.substr(start, end - start))};
}

Parser::Value Parser::string() {
  const auto start = at_;
  char mark = 0;
  if (literal("`")) {
    mark = '`';
  } else if (literal("\"")) {
    mark = '"';
  } else {
    return {};
  }
  const auto end = text_.find(mark, at_);
  if (end == std::string_view::npos) {
    note("string", "Unterminated string literal", text_.size());
    at_ = start;
    return {};
  }
  at_ = end + 1;
  const auto body = text_.substr(start + 1, end - start - 1);
  if (mark == '`') return {true, replace_all(body, "\r", "")};
  auto out = unquote(body);
  if (!out) {
    note("string", "invalid syntax", start);
    return {true, {}};
  }
  return {true, std::move(*out)};
}

}  // namespace drover::bexpr
