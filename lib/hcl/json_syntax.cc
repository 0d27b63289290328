#include "lib/hcl/json_syntax.h"

#include <fmt/format.h>

#include "lib/hcl/json_scanner.h"
#include "lib/hcl/limits.h"
#include "lib/hcl/parser.h"
#include "lib/hcl/unicode.h"
#include "sdk/base/text.h"

namespace drover::hcl {

namespace {

constexpr const char* value_hint = "A JSON value must start with a brace, a bracket, a number, a string, or a keyword.";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The grammar of JSON's numbers, which is narrower than what Number reads.
bool is_json_number(std::string_view text) {
  std::size_t at = 0;
  const auto digits = [&] {
    const std::size_t before = at;
    while (at < text.size() && is_digit(text[at])) at++;
    return at > before;
  };
  if (at < text.size() && text[at] == '-') at++;
  const bool zero = at < text.size() && text[at] == '0';
  if (zero) at++;
  else if (!digits()) return false;
  if (at < text.size() && text[at] == '.') {
    at++;
    if (!digits()) return false;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    at++;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) at++;
    if (!digits()) return false;
  }
  return at == text.size();
}

// The text that a string token stands for. On failure `at` is the byte where it goes wrong, counted from 0, or the token's length.
class StringReader {
 public:
  explicit StringReader(std::string_view token) : token_(token) {}

  bool read() {
    while (at_ < token_.size()) {
      const char c = token_[at_];
      if (c == '"') return at_ + 1 == token_.size();
      if (c != '\\') {
        const Rune rune = decode_rune(token_.substr(at_));
        if (rune.code < 0) {
          append_rune(text_, 0xFFFD);
          at_++;
        } else {
          text_ += token_.substr(at_, rune.length);
          at_ += rune.length;
        }
        continue;
      }
      if (!escape()) return false;
    }
    return false;
  }
  [[nodiscard]] std::string& text() { return text_; }
  [[nodiscard]] std::size_t at() const { return at_; }
  [[nodiscard]] bool plain() const { return plain_; }

 private:
  bool escape() {
    plain_ = false;
    at_++;
    if (at_ >= token_.size()) return false;
    static constexpr std::string_view names = "\"\\/bfnrt";
    static constexpr std::string_view values = "\"\\/\b\f\n\r\t";
    if (const std::size_t which = names.find(token_[at_]); which != std::string_view::npos) {
      text_ += values[which];
      at_++;
      return true;
    }
    if (token_[at_] != 'u') return false;
    at_++;
    std::uint32_t code = 0;
    if (!hex(code)) return false;
    if (code >= 0xD800 && code < 0xDC00 && token_.substr(at_).starts_with("\\u")) {
      // The second half of a pair, or something of its own.
      const std::size_t before = at_;
      std::uint32_t low = 0;
      at_ += 2;
      if (!hex(low)) return false;
      if (low >= 0xDC00 && low < 0xE000) code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
      else at_ = before;
    }
    append_rune(text_, code >= 0xD800 && code < 0xE000 ? 0xFFFD : static_cast<std::int32_t>(code));
    return true;
  }
  bool hex(std::uint32_t& code) {
    for (int i = 0; i < 4; i++, at_++) {
      if (at_ >= token_.size() || !std::isxdigit(static_cast<unsigned char>(token_[at_]))) return false;
      const char c = token_[at_];
      code = code * 16 + static_cast<std::uint32_t>(is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return true;
  }

  std::string_view token_;
  std::string text_;
  std::size_t at_ = 1;
  bool plain_ = true;
};

class JsonParser {
 public:
  JsonParser(const SourcePtr& file, Diagnostics& diagnostics) : file_(file), in_(file), diagnostics_(diagnostics) {}

  JsonPtr file() {
    const std::size_t before = diagnostics_.size();
    JsonPtr root = value();
    if (diagnostics_.size() == before && in_.peek().type != JsonTok::end) error("Extraneous data after value", "Extra characters appear after the JSON value.", in_.peek().range);
    return root;
  }

 private:
  void error(std::string summary, std::string detail, const Range& range) { diagnostics_.add(std::move(summary), std::move(detail), range); }

  static std::shared_ptr<JsonNode> node(JsonNode::Kind kind, const Range& range, ExprPtr expression) {
    auto out = std::make_shared<JsonNode>();
    out->kind = kind;
    out->range = out->start_range = range;
    out->expression = std::move(expression);
    return out;
  }
  static JsonPtr invalid(const Range& range) { return node(JsonNode::Kind::invalid, range, make_expression(LiteralExpr{Value()}, range)); }

  JsonPtr value() {
    const JsonToken token = in_.peek();
    JsonPtr out;
    switch (token.type) {
      case JsonTok::open_brace: case JsonTok::open_bracket:
        if (depth_ >= max_value_depth) {
          error("JSON nested too deeply", fmt::format("JSON may be nested {} levels deep.", max_value_depth), token.range);
          break;
        }
        depth_++;
        out = token.type == JsonTok::open_brace ? object() : array();
        depth_--;
        break;
      case JsonTok::string: out = string(); break;
      case JsonTok::number: out = number(); break;
      case JsonTok::keyword: out = keyword(); break;
      case JsonTok::end: error("Missing value", "The JSON data ends prematurely.", token.range); break;
      case JsonTok::close_bracket: error("Missing array element value", value_hint, token.range); break;
      case JsonTok::close_brace: error("Missing JSON value", value_hint, token.range); break;
      default: error("Invalid start of value", value_hint, token.range); break;
    }
    return out ? out : invalid(token.range);
  }

  JsonPtr keyword() {
    const JsonToken token = in_.read();
    const std::string_view word = token.text;
    if (word == "true" || word == "false") {
      return node(JsonNode::Kind::boolean, token.range, make_expression(LiteralExpr{Value::boolean(word == "true")}, token.range));
    }
    if (word == "null") return node(JsonNode::Kind::null, token.range, make_expression(LiteralExpr{Value::null()}, token.range));
    if (word == "undefined" || word == "NaN" || word == "Infinity") {
      error("Invalid JSON keyword", fmt::format("The JavaScript identifier {} cannot be used in JSON.", quote(word)), token.range);
    } else {
      error("Invalid JSON keyword", fmt::format("{} is not a valid JSON keyword.{}", quote(word), name_suggestion(word, {"true", "false", "null"})), token.range);
    }
    return nullptr;
  }

  JsonPtr number() {
    const JsonToken token = in_.read();
    const auto number = is_json_number(token.text) ? Number::parse(token.text) : std::nullopt;
    if (number) return node(JsonNode::Kind::number, token.range, make_expression(LiteralExpr{Value::number(*number)}, token.range));
    error("Invalid JSON number", "There is a syntax error in the given JSON number.", token.range);
    return nullptr;
  }

  // What a string token says, as text and as an expression.
  bool read_string(const JsonToken& token, std::string& text, ExprPtr& expression) {
    StringReader reader(token.text);
    if (!reader.read()) {
      // The place as the reference has it: one behind the byte that is wrong, columns counted in bytes.
      Range place{file_, token.range.start, token.range.start};
      const std::size_t wrong = std::min(reader.at() + 1, token.text.size());
      place.start.byte += static_cast<std::uint32_t>(wrong);
      place.start.column += static_cast<int>(wrong);
      place.end = place.start;
      place.end.byte++;
      place.end.column++;
      error("Invalid JSON string", "There is a syntax error in the given JSON string.", place);
      return false;
    }
    text = std::move(reader.text());
    expression = make_expression(JsonTextExpr{text, template_of(text, token.range, reader.plain())}, token.range);
    return true;
  }

  // A string is a template. Where escapes moved the text, it is parsed on its own and keeps the file's name and about the place.
  ExprPtr template_of(const std::string& text, const Range& range, bool plain) {
    if (text.find("${") == std::string::npos && text.find("%{") == std::string::npos) return make_expression(LiteralExpr{Value::string(text)}, range);
    Diagnostics problems;
    Pos start = range.start;
    start.column++;
    start.byte = plain ? start.byte + 1 : 0;
    ExprPtr expression = plain ? parse_template(file_, problems, start, range.end.byte - 1) : parse_template(make_source(file_->name, text), problems, start);
    return problems.has_errors() ? make_expression(FailedExpr{std::move(problems)}, range) : expression;
  }

  JsonPtr string() {
    const JsonToken token = in_.read();
    std::string text;
    ExprPtr expression;
    return read_string(token, text, expression) ? node(JsonNode::Kind::string, token.range, std::move(expression)) : nullptr;
  }

  // After an error: to behind the bracket that closes where `token` was read.
  void recover(JsonToken token, JsonTok open, JsonTok close) {
    int depth = 1;
    while (token.type != JsonTok::end) {
      if (token.type == open) depth++;
      if (token.type == close && --depth <= 1) return;
      token = in_.read();
    }
  }

  bool property(JsonNode& object, ObjectExpr& expression) {
    if (in_.peek().type != JsonTok::string) {
      const JsonPtr key = value();
      error("Invalid object property name", "A JSON object property name must be a string", key->start_range);
      return false;
    }
    const JsonToken name = in_.read();
    JsonProperty property;
    ExprPtr key;
    if (!read_string(name, property.name, key)) {
      error("Invalid object property name", "A JSON object property name must be a string", name.range);
      return false;
    }
    property.name_range = name.range;
    const JsonToken colon = in_.read();
    if (colon.type != JsonTok::colon) {
      recover(colon, JsonTok::open_brace, JsonTok::close_brace);
      if (colon.type == JsonTok::close_brace || colon.type == JsonTok::comma) {
        error("Missing object value", "A JSON object attribute must have a value, introduced by a colon.", colon.range);
      } else {
        error("Missing property value colon", colon.type == JsonTok::equal ? "JSON uses a colon as its name/value delimiter, not an equals sign."
                                                                           : "A colon must appear between an object property's name and its value.", colon.range);
      }
      return false;
    }
    property.value = value();
    expression.items.push_back({std::move(key), property.value->expression});
    object.properties.push_back(std::move(property));
    return true;
  }

  JsonPtr object() {
    const JsonToken open = in_.read();
    auto out = node(JsonNode::Kind::object, open.range, nullptr);
    ObjectExpr expression;
    expression.open_range = open.range;
    expression.json = true;
    while (in_.peek().type != JsonTok::close_brace) {
      if (!property(*out, expression)) return nullptr;
      const JsonToken next = in_.peek();
      if (next.type == JsonTok::close_brace) break;
      if (next.type == JsonTok::end) {
        error("Unclosed object", "No closing brace was found for this JSON object.", open.range);
        return nullptr;
      }
      in_.read();
      if (next.type == JsonTok::comma) {
        if (in_.peek().type != JsonTok::close_brace) continue;
        error("Trailing comma in object", "JSON does not permit a trailing comma after the final property in an object.", next.range);
      } else if (next.type == JsonTok::close_bracket) {
        error("Mismatched braces", "A JSON object must be closed with a brace, not a bracket.", in_.peek().range);
      } else {
        recover(next, JsonTok::open_brace, JsonTok::close_brace);
        error("Missing attribute seperator comma", "A comma must appear between each property definition in an object.", in_.peek().range);
      }
      return nullptr;
    }
    out->close_range = in_.read().range;
    out->range = between(open.range, out->close_range);
    out->expression = make_expression(std::move(expression), out->range);
    return out;
  }

  JsonPtr array() {
    const JsonToken open = in_.read();
    auto out = node(JsonNode::Kind::array, open.range, nullptr);
    TupleExpr tuple;
    tuple.open_range = open.range;
    while (in_.peek().type != JsonTok::close_bracket) {
      JsonPtr element = value();
      tuple.elements.push_back(element->expression);
      out->elements.push_back(std::move(element));
      const JsonToken next = in_.peek();
      if (next.type == JsonTok::close_bracket) break;
      in_.read();
      if (next.type == JsonTok::comma) {
        if (in_.peek().type != JsonTok::close_bracket) continue;
        error("Trailing comma in array", "JSON does not permit a trailing comma after the final value in an array.", next.range);
        return nullptr;
      }
      recover(next, JsonTok::open_bracket, JsonTok::close_bracket);
      if (next.type == JsonTok::end) error("Unclosed object", "No closing bracket was found for this JSON array.", open.range);
      else if (next.type == JsonTok::colon) error("Invalid array value", "A colon is not used to introduce values in a JSON array.", in_.peek().range);
      else if (next.type == JsonTok::close_brace) error("Mismatched brackets", "A JSON array must be closed with a bracket, not a brace.", in_.peek().range);
      else error("Missing attribute seperator comma", "A comma must appear between each value in an array.", in_.peek().range);
      return nullptr;
    }
    out->range = between(open.range, in_.read().range);
    out->expression = make_expression(std::move(tuple), out->range);
    return out;
  }

  SourcePtr file_;
  JsonScanner in_;
  Diagnostics& diagnostics_;
  int depth_ = 0;
};

}  // namespace

JsonPtr parse_json_text(const SourcePtr& file, Diagnostics& diagnostics) { return JsonParser(file, diagnostics).file(); }

}  // namespace drover::hcl
