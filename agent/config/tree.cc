#include "agent/config/tree.h"

#include <cctype>
#include <cstring>

#include "lib/model/json_text.h"
#include "sdk/base/text.h"

namespace drover::agent {
namespace {

constexpr int max_depth = 64;

void append_utf8(std::string& out, unsigned code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | (code >> 12));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (code >> 18));
    out += static_cast<char>(0x80 | ((code >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

class Parser {
 public:
  Parser(std::string_view text, const std::string& name, bool json) : text_(text), name_(name), json_(json) {
    if (text_.substr(0, 3) == "\xEF\xBB\xBF") at_ = 3;
  }

  Result<Tree> file() {
    Tree root;
    if (json_) {
      DROVER_TRY(skip());
      auto value = this->value(0);
      if (!value) return value;
      if (value->kind != Tree::Kind::object) return error("a JSON configuration must be one object");
      root = std::move(*value);
    } else {
      root.kind = Tree::Kind::object;
      root.line = 1;
      DROVER_TRY(body(root, false, 0));
    }
    DROVER_TRY(skip());
    if (at_ != text_.size()) return error("unexpected {}", here());
    return root;
  }

 private:
  template <class... Args>
  Unexpected error(fmt::format_string<Args...> format, Args&&... args) const {
    return fail(Code::invalid_argument, "{}:{}: {}", name_, line_, fmt::format(format, std::forward<Args>(args)...));
  }
  [[nodiscard]] std::string here() const {
    if (at_ >= text_.size()) return "end of file";
    return quote(text_.substr(at_, 1));
  }
  [[nodiscard]] char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  void advance() {
    if (peek() == '\n') ++line_;
    ++at_;
  }
  // White space and, in HCL, comments.
  Result<> skip() {
    while (at_ < text_.size()) {
      const char c = peek();
      if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
        advance();
      } else if (!json_ && (c == '#' || (c == '/' && peek(1) == '/'))) {
        while (at_ < text_.size() && peek() != '\n') ++at_;
      } else if (!json_ && c == '/' && peek(1) == '*') {
        const int opened = line_;
        while (at_ < text_.size() && !(peek() == '*' && peek(1) == '/')) advance();
        if (at_ >= text_.size()) return error("the comment opened in line {} is not closed; end it with */", opened);
        at_ += 2;
      } else {
        break;
      }
    }
    return {};
  }
  static bool identifier_start(char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_' || static_cast<signed char>(c) < 0; }
  static bool identifier_part(char c) { return identifier_start(c) || std::isdigit(static_cast<unsigned char>(c)) || c == '-' || c == '.'; }
  std::string identifier() {
    const auto start = at_;
    while (identifier_part(peek())) ++at_;
    return std::string(text_.substr(start, at_ - start));
  }

  // A quoted string; the cursor is on the opening quote.
  Result<std::string> quoted() {
    const int opened = line_;
    ++at_;
    std::string out;
    int braces = 0;  // inside ${...} a quote does not end the string (HCL1 keeps the text as it is)
    for (;;) {
      if (at_ >= text_.size()) {
        line_ = opened;
        return error("the string opened here is not closed; end it with \"");
      }
      const char c = peek();
      if (c == '\n' && braces == 0) {
        line_ = opened;
        return error("a line break inside a string; write \\n, or use a heredoc (<<EOF)");
      }
      if (!json_ && c == '$' && peek(1) == '{') {
        ++braces;
        out += "${";
        at_ += 2;
        continue;
      }
      if (braces > 0) {
        if (c == '{') ++braces;
        if (c == '}') --braces;
        out += c;
        advance();
        continue;
      }
      if (c == '"') {
        ++at_;
        return out;
      }
      if (c != '\\') {
        out += c;
        advance();
        continue;
      }
      ++at_;
      DROVER_TRY(escape(out));
    }
  }
  Result<> escape(std::string& out) {
    const char c = peek();
    ++at_;
    switch (c) {
      case 'n': out += '\n'; return {};
      case 't': out += '\t'; return {};
      case 'r': out += '\r'; return {};
      case 'b': out += '\b'; return {};
      case 'f': out += '\f'; return {};
      case 'a': out += '\a'; return {};
      case 'v': out += '\v'; return {};
      case '"': case '\\': case '/': case '\'': out += c; return {};
      case 'u': case 'U': case 'x': {
        unsigned code = 0;
        DROVER_TRY(hex(c == 'u' ? 4 : c == 'U' ? 8 : 2, code));
        if (code >= 0xD800 && code < 0xDC00 && peek() == '\\' && peek(1) == 'u') {
          at_ += 2;
          unsigned low = 0;
          DROVER_TRY(hex(4, low));
          code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        }
        append_utf8(out, code);
        return {};
      }
      default: return error("unknown escape \\{} in a string; write \\\\ for a backslash", c == '\0' ? ' ' : c);
    }
  }
  Result<> hex(int digits, unsigned& code) {
    for (int i = 0; i < digits; ++i) {
      const char c = peek();
      if (!std::isxdigit(static_cast<unsigned char>(c))) return error("a \\u escape needs {} hexadecimal digits", digits);
      code = code * 16 + static_cast<unsigned>(std::isdigit(static_cast<unsigned char>(c)) ? c - '0' : (c | 0x20) - 'a' + 10);
      ++at_;
    }
    return {};
  }

  Result<std::string> heredoc() {
    const int opened = line_;
    at_ += 2;
    const bool indented = peek() == '-';
    if (indented) ++at_;
    const std::string tag = identifier();
    while (peek() == '\r') ++at_;
    if (tag.empty() || peek() != '\n') return error("a heredoc starts with <<WORD and a line break");
    advance();
    std::vector<std::string> lines;
    for (;;) {
      if (at_ >= text_.size()) {
        line_ = opened;
        return error("the heredoc opened here is not closed; write {} alone on a line", tag);
      }
      const auto end = text_.find('\n', at_);
      std::string_view text_line = text_.substr(at_, end == std::string_view::npos ? end : end - at_);
      at_ += text_line.size();
      if (trim(text_line) == tag) break;
      lines.emplace_back(text_line);
      if (at_ < text_.size()) advance();
    }
    std::size_t cut = indented ? std::string::npos : 0;
    if (indented) {
      for (const auto& text_line : lines) {
        if (const auto first = text_line.find_first_not_of(" \t"); first != std::string::npos) cut = std::min(cut, first);
      }
    }
    std::string out;
    for (const auto& text_line : lines) out += (cut < text_line.size() ? text_line.substr(cut) : std::string()) + "\n";
    return out;
  }

  // Members until `}` (the cursor is behind the opening one) or the end of the file.
  Result<> body(Tree& object, bool braces, int depth) {
    if (depth > max_depth) return error("blocks are nested more than {} deep", max_depth);
    for (;;) {
      DROVER_TRY(skip());
      while (peek() == ',' || peek() == ';') {
        ++at_;
        DROVER_TRY(skip());
      }
      if (at_ >= text_.size()) {
        if (braces) return error("the block opened in line {} is not closed; end it with a }}", object.line);
        return {};
      }
      if (braces && peek() == '}') {
        ++at_;
        return {};
      }
      DROVER_TRY(member(object, depth));
    }
  }
  Result<std::string> key() {
    if (peek() == '"') return quoted();
    if (!identifier_start(peek()) && !std::isdigit(static_cast<unsigned char>(peek()))) {
      return error("expected a key, found {}; write key = value or key {{ ... }}", here());
    }
    return identifier();
  }
  Result<> member(Tree& object, int depth) {
    Member made;
    made.line = line_;
    auto name = key();
    if (!name) return fail(name.error());
    made.key = std::move(*name);
    DROVER_TRY(skip());
    if (peek() == '=' || peek() == ':') {
      ++at_;
      DROVER_TRY(skip());
      auto parsed = value(depth + 1);
      if (!parsed) return fail(parsed.error());
      made.value.push_back(std::move(*parsed));
      object.members.push_back(std::move(made));
      return {};
    }
    std::vector<std::string> labels;
    while (peek() == '"' || identifier_start(peek())) {
      auto label = key();
      if (!label) return fail(label.error());
      labels.push_back(std::move(*label));
      DROVER_TRY(skip());
    }
    if (peek() != '{') return error("expected = or {{ after {}, found {}", quote(made.key), here());
    Tree block;
    block.kind = Tree::Kind::object;
    block.line = line_;
    ++at_;
    DROVER_TRY(body(block, true, depth + 1));
    for (auto label = labels.rbegin(); label != labels.rend(); ++label) {
      Tree outer;
      outer.kind = Tree::Kind::object;
      outer.line = made.line;
      outer.members.push_back(Member{*label, made.line, {std::move(block)}});
      block = std::move(outer);
    }
    made.value.push_back(std::move(block));
    object.members.push_back(std::move(made));
    return {};
  }

  Result<Tree> value(int depth) {
    if (depth > max_depth) return error("values are nested more than {} deep", max_depth);
    Tree out;
    out.line = line_;
    const char c = peek();
    if (c == '"' || (!json_ && c == '<' && peek(1) == '<')) {
      auto text = c == '"' ? quoted() : heredoc();
      if (!text) return fail(text.error());
      out.kind = Tree::Kind::text;
      out.text = std::move(*text);
      return out;
    }
    if (c == '{') {
      out.kind = Tree::Kind::object;
      ++at_;
      DROVER_TRY(body(out, true, depth + 1));
      return out;
    }
    if (c == '[') return list(std::move(out), depth);
    if (std::isdigit(static_cast<unsigned char>(c)) || c == '-' || c == '+') {
      const auto start = at_;
      ++at_;
      while (std::isalnum(static_cast<unsigned char>(peek())) || peek() == '.' ||
             ((peek() == '-' || peek() == '+') && (text_[at_ - 1] | 0x20) == 'e')) ++at_;
      out.kind = Tree::Kind::number;
      out.text = std::string(text_.substr(start, at_ - start));
      return out;
    }
    if (identifier_start(c)) {
      const std::string word = identifier();
      if (word == "true" || word == "false") {
        out.kind = Tree::Kind::boolean;
        out.text = word;
        return out;
      }
      if (word == "null" && json_) return out;
      return error("{} is not a value; a text needs quotes: \"{}\"", quote(word), word);
    }
    return error("expected a value, found {}; a value is a text in quotes, a number, true, false, [ ... ] or {{ ... }}", here());
  }
  Result<Tree> list(Tree out, int depth) {
    out.kind = Tree::Kind::list;
    ++at_;
    for (;;) {
      DROVER_TRY(skip());
      if (peek() == ']') {
        ++at_;
        return out;
      }
      if (at_ >= text_.size()) return error("the list opened in line {} is not closed; end it with ]", out.line);
      auto item = value(depth + 1);
      if (!item) return item;
      out.items.push_back(std::move(*item));
      DROVER_TRY(skip());
      if (peek() == ',') ++at_;
      else if (peek() != ']') return error("expected , or ] in a list, found {}", here());
    }
  }

  std::string_view text_;
  const std::string& name_;
  bool json_;
  std::size_t at_ = 0;
  int line_ = 1;
};

void write_json(std::string& out, const Tree& tree) {
  switch (tree.kind) {
    case Tree::Kind::null: out += "null"; return;
    case Tree::Kind::text: model::append_json_string(out, tree.text); return;
    case Tree::Kind::number:
    case Tree::Kind::boolean: out += tree.text; return;
    case Tree::Kind::list:
      out += '[';
      for (std::size_t i = 0; i < tree.items.size(); ++i) {
        if (i > 0) out += ',';
        write_json(out, tree.items[i]);
      }
      out += ']';
      return;
    case Tree::Kind::object: break;
  }
  out += '{';
  bool first = true;
  for (std::size_t i = 0; i < tree.members.size(); ++i) {
    const std::string& key = tree.members[i].key;
    std::vector<const Tree*> same;
    bool earlier = false;
    for (std::size_t j = 0; j < tree.members.size(); ++j) {
      if (tree.members[j].key != key) continue;
      if (j < i) earlier = true;
      same.push_back(&tree.members[j].tree());
    }
    if (earlier) continue;
    if (!first) out += ',';
    first = false;
    model::append_json_string(out, key);
    out += ':';
    if (same.size() == 1) {
      write_json(out, *same.front());
      continue;
    }
    out += '[';
    for (std::size_t j = 0; j < same.size(); ++j) {
      if (j > 0) out += ',';
      write_json(out, *same[j]);
    }
    out += ']';
  }
  out += '}';
}

}  // namespace

Result<Tree> parse_hcl1(std::string_view text, const std::string& name) { return Parser(text, name, false).file(); }
Result<Tree> parse_json_tree(std::string_view text, const std::string& name) { return Parser(text, name, true).file(); }
std::string to_json_text(const Tree& tree) {
  std::string out;
  write_json(out, tree);
  return out;
}

}  // namespace drover::agent
