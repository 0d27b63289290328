#include "lib/hcl/json_syntax.h"

#include <fmt/format.h>

#include "lib/hcl/limits.h"
#include "lib/hcl/parser.h"
#include "lib/hcl/unicode.h"
#include "sdk/base/text.h"

namespace drover::hcl {

namespace {

constexpr const char* value_hint = "A JSON value must start with a brace, a bracket, a number, a string, or a keyword.";

class JsonReader {
 public:
  JsonReader(const SourcePtr& file, Diagnostics& diagnostics) : file_(file), text_(file->text), diagnostics_(diagnostics) {}

  JsonPtr file() {
    skip_blank();
    JsonPtr root = value();
    if (!root) return nullptr;
    skip_blank();
    if (at_ < text_.size()) return error("Extraneous data after value", "Extra characters appear after the JSON value.", token_range());
    return root;
  }

 private:
  [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void take(std::size_t length) {
    advance(pos_, text_.substr(at_, length));
    at_ += length;
  }
  void skip_blank() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) take(1);
  }
  [[nodiscard]] Range from(const Pos& start) const { return {file_, start, pos_}; }
  // The range of the token that starts here.
  [[nodiscard]] Range token_range() const {
    Pos end = pos_;
    if (at_ < text_.size()) {
      std::size_t length = grapheme_length(text_.substr(at_));
      if (std::isalpha(static_cast<unsigned char>(text_[at_]))) {
        while (at_ + length < text_.size() && std::isalnum(static_cast<unsigned char>(text_[at_ + length]))) length++;
      }
      advance(end, text_.substr(at_, length));
    }
    return {file_, pos_, end};
  }
  JsonPtr error(std::string summary, std::string detail, const Range& range) {
    diagnostics_.add(std::move(summary), std::move(detail), range);
    return nullptr;
  }

  JsonPtr value() {
    if (depth_ >= max_value_depth) return error("JSON nested too deeply", fmt::format("JSON may be nested {} levels deep.", max_value_depth), token_range());
    const char c = peek();
    if (at_ >= text_.size()) return error("Missing value", "The JSON data ends prematurely.", token_range());
    if (c == '{') return object();
    if (c == '[') return array();
    if (c == '"') return string();
    if (c == '-' || (c >= '0' && c <= '9')) return number();
    if (std::isalpha(static_cast<unsigned char>(c))) return keyword();
    if (c == ']') return error("Missing array element value", value_hint, token_range());
    if (c == '}') return error("Missing JSON value", value_hint, token_range());
    return error("Invalid start of value", value_hint, token_range());
  }

  JsonPtr keyword() {
    const Pos start = pos_;
    const Range range = token_range();
    const std::string_view word = range.text();
    take(word.size());
    auto node = std::make_shared<JsonNode>();
    node->range = node->start_range = from(start);
    if (word == "true" || word == "false") {
      node->kind = JsonNode::Kind::boolean;
      node->expression = make_expression(LiteralExpr{Value::boolean(word == "true")}, range);
    } else if (word == "null") {
      node->expression = make_expression(LiteralExpr{Value::null()}, range);
    } else if (word == "undefined" || word == "NaN" || word == "Infinity") {
      return error("Invalid JSON keyword", fmt::format("The JavaScript identifier {} cannot be used in JSON.", quote(word)), range);
    } else {
      return error("Invalid JSON keyword", fmt::format("{} is not a valid JSON keyword.{}", quote(word), name_suggestion(word, {"true", "false", "null"})), range);
    }
    return node;
  }

  JsonPtr number() {
    const Pos start = pos_;
    std::size_t length = 0;
    while (at_ + length < text_.size() && std::string_view("+-.0123456789eE").find(text_[at_ + length]) != std::string_view::npos) length++;
    const std::string_view digits = text_.substr(at_, length);
    take(length);
    const auto number = Number::parse(digits);
    if (!number) return error("Invalid JSON number", "There is a syntax error in the given JSON number.", from(start));
    auto node = std::make_shared<JsonNode>();
    node->kind = JsonNode::Kind::number;
    node->range = node->start_range = from(start);
    node->expression = make_expression(LiteralExpr{Value::number(*number)}, node->range);
    return node;
  }

  // The text of a JSON string; false when it is broken. `plain` tells that it had no escapes.
  bool read_string(std::string& out, Range& range, bool& plain) {
    const Pos start = pos_;
    take(1);
    plain = true;
    while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\n') {
      if (text_[at_] != '\\') {
        const std::size_t length = grapheme_length(text_.substr(at_));
        out += text_.substr(at_, length);
        take(length);
        continue;
      }
      plain = false;
      if (!read_escape(out)) return fail_string(start);
    }
    if (peek() != '"') return fail_string(start);
    take(1);
    range = from(start);
    return true;
  }
  bool fail_string(const Pos& start) {
    error("Invalid JSON string", "There is a syntax error in the given JSON string.", from(start));
    return false;
  }
  bool read_hex(std::size_t offset, std::uint32_t& code) const {
    if (at_ + offset + 4 > text_.size()) return false;
    code = 0;
    for (std::size_t i = 0; i < 4; i++) {
      const char c = text_[at_ + offset + i];
      if (!std::isxdigit(static_cast<unsigned char>(c))) return false;
      code = code * 16 + static_cast<std::uint32_t>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return true;
  }
  bool read_escape(std::string& out) {
    const char c = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    static constexpr std::string_view names = "\"\\/bfnrt";
    static constexpr std::string_view values = "\"\\/\b\f\n\r\t";
    if (const std::size_t at = names.find(c); c != '\0' && at != std::string_view::npos) {
      out += values[at];
      take(2);
      return true;
    }
    std::uint32_t code = 0;
    if (c != 'u' || !read_hex(2, code)) return false;
    std::size_t length = 6;
    if (code >= 0xD800 && code < 0xDC00) {
      std::uint32_t low = 0;
      const bool pair = at_ + 7 < text_.size() && text_[at_ + 6] == '\\' && text_[at_ + 7] == 'u' && read_hex(8, low) && low >= 0xDC00 && low < 0xE000;
      code = pair ? 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00) : 0xFFFD;
      if (pair) length = 12;
    } else if (code >= 0xDC00 && code < 0xE000) {
      code = 0xFFFD;
    }
    append_rune(out, static_cast<std::int32_t>(code));
    take(length);
    return true;
  }

  // A string is a template; where escapes moved the text, it is parsed on its own and keeps the file's name.
  ExprPtr template_of(const std::string& text, const Range& range, bool plain) {
    if (text.find("${") == std::string::npos && text.find("%{") == std::string::npos) {
      return make_expression(TemplateExpr{{make_expression(LiteralExpr{Value::string(text)}, range)}, true}, range);
    }
    Diagnostics problems;
    ExprPtr expression;
    if (plain) {
      Pos start = range.start;
      start.byte++;
      start.column++;
      expression = parse_template(file_, problems, start, range.end.byte - 1);
    } else {
      expression = parse_template(make_source(file_->name, text), problems);
    }
    return problems.has_errors() ? make_expression(FailedExpr{std::move(problems)}, range) : expression;
  }

  JsonPtr string() {
    auto node = std::make_shared<JsonNode>();
    node->kind = JsonNode::Kind::string;
    std::string text;
    bool plain = true;
    if (!read_string(text, node->range, plain)) return nullptr;
    node->start_range = node->range;
    node->expression = template_of(text, node->range, plain);
    return node;
  }

  JsonPtr object() {
    depth_++;
    const Pos start = pos_;
    take(1);
    auto node = std::make_shared<JsonNode>();
    node->kind = JsonNode::Kind::object;
    node->start_range = from(start);
    ObjectExpr object;
    object.open_range = node->start_range;
    skip_blank();
    while (peek() != '}') {
      JsonProperty property;
      bool plain = true;
      if (peek() != '"') {
        if (at_ >= text_.size()) return error("Unclosed object", "No closing brace was found for this JSON object.", node->start_range);
        return error("Invalid object property name", "A JSON object property name must be a string", token_range());
      }
      if (!read_string(property.name, property.name_range, plain)) return nullptr;
      skip_blank();
      if (peek() != ':') {
        if (peek() == '}' || peek() == ',') return error("Missing object value", "A JSON object attribute must have a value, introduced by a colon.", token_range());
        if (peek() == '=') return error("Missing property value colon", "JSON uses a colon as its name/value delimiter, not an equals sign.", token_range());
        return error("Missing property value colon", "A colon must appear between an object property's name and its value.", token_range());
      }
      take(1);
      skip_blank();
      property.value = value();
      if (!property.value) return nullptr;
      object.items.push_back({template_of(property.name, property.name_range, plain), property.value->expression});
      node->properties.push_back(std::move(property));
      skip_blank();
      if (peek() == ',') {
        const Range comma = token_range();
        take(1);
        skip_blank();
        if (peek() == '}') return error("Trailing comma in object", "JSON does not permit a trailing comma after the final property in an object.", comma);
        continue;
      }
      if (peek() == '}') break;
      if (at_ >= text_.size()) return error("Unclosed object", "No closing brace was found for this JSON object.", node->start_range);
      if (peek() == ']') return error("Mismatched braces", "A JSON object must be closed with a brace, not a bracket.", token_range());
      return error("Missing attribute seperator comma", "A comma must appear between each property definition in an object.", token_range());
    }
    take(1);
    depth_--;
    node->range = from(start);
    node->expression = make_expression(std::move(object), node->range);
    return node;
  }

  JsonPtr array() {
    depth_++;
    const Pos start = pos_;
    take(1);
    auto node = std::make_shared<JsonNode>();
    node->kind = JsonNode::Kind::array;
    node->start_range = from(start);
    TupleExpr tuple;
    tuple.open_range = node->start_range;
    skip_blank();
    while (peek() != ']') {
      JsonPtr element = value();
      if (!element) return nullptr;
      tuple.elements.push_back(element->expression);
      node->elements.push_back(std::move(element));
      skip_blank();
      if (peek() == ',') {
        const Range comma = token_range();
        take(1);
        skip_blank();
        if (peek() == ']') return error("Trailing comma in array", "JSON does not permit a trailing comma after the final value in an array.", comma);
        continue;
      }
      if (peek() == ']') break;
      if (peek() == ':') return error("Invalid array value", "A colon is not used to introduce values in a JSON array.", token_range());
      if (at_ >= text_.size()) return error("Unclosed object", "No closing bracket was found for this JSON array.", node->start_range);
      if (peek() == '}') return error("Mismatched brackets", "A JSON array must be closed with a bracket, not a brace.", token_range());
      return error("Missing attribute seperator comma", "A comma must appear between each value in an array.", token_range());
    }
    take(1);
    depth_--;
    node->range = from(start);
    node->expression = make_expression(std::move(tuple), node->range);
    return node;
  }

  SourcePtr file_;
  std::string_view text_;
  Diagnostics& diagnostics_;
  Pos pos_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

JsonPtr parse_json_text(const SourcePtr& file, Diagnostics& diagnostics) { return JsonReader(file, diagnostics).file(); }

}  // namespace drover::hcl
