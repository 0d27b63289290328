#include "sdk/plugin/expression.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "sdk/plugin/type.h"

namespace drover::plugin {
namespace {
using json = nlohmann::json;
constexpr int max_depth = 64;

std::optional<double> as_number(const json& value) {
  const auto number = convert(value, Type{Type::Kind::number, {}, {}});
  if (!number || !number->is_number()) return std::nullopt;
  return number->get<double>();
}
std::optional<bool> as_bool(const json& value) {
  const auto flag = convert(value, Type{Type::Kind::boolean, {}, {}});
  if (!flag || !flag->is_boolean()) return std::nullopt;
  return flag->get<bool>();
}

// Evaluates while it parses. The first error stops everything: functions then return null without moving on.
class Evaluator {
 public:
  Evaluator(std::string_view text, const json& variables) : text_(text), variables_(variables) {}

  Result<json> run_expression() {
    json value = expression();
    space();
    if (!error_ && at_ != text_.size()) bad("Extra characters after expression: An expression was successfully parsed, but extra characters were found after it.");
    return result(std::move(value));
  }
  Result<json> run_template() {
    json value = template_until(Ends::text);
    return result(std::move(value));
  }

 private:
  enum class Ends { text, quote, directive };

  Result<json> result(json value) {
    if (error_) return fail(std::move(*error_));
    return value;
  }
  json bad(std::string message) {
    if (!error_) error_ = Error(Code::invalid_argument, std::move(message));
    return nullptr;
  }
  // Errors of values do not count in the branch that is not taken.
  json bad_value(std::string message) { return skipping_ > 0 ? json(nullptr) : bad(std::move(message)); }

  [[nodiscard]] char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  [[nodiscard]] bool starts(std::string_view prefix) const { return text_.substr(std::min(at_, text_.size())).starts_with(prefix); }
  void space() {
    for (;;) {
      while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
      if (peek() != '#' && !starts("//")) return;
      while (at_ < text_.size() && text_[at_] != '\n') ++at_;
    }
  }
  bool eat(std::string_view token) {
    space();
    if (!starts(token)) return false;
    at_ += token.size();
    return true;
  }
  void expect(std::string_view token) {
    if (!error_ && !eat(token)) bad(fmt::format("Invalid expression: expected \"{}\" in \"{}\".", token, text_));
  }
  static bool starts_name(char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_'; }
  std::string name() {
    space();
    const std::size_t from = at_;
    while (starts_name(peek()) || std::isdigit(static_cast<unsigned char>(peek())) || peek() == '-') ++at_;
    return std::string(text_.substr(from, at_ - from));
  }

  json expression() {
    if (error_ || ++depth_ > max_depth) return bad("the expression is nested too deeply");
    json out = binary(0);
    if (eat("?")) {
      const auto condition = as_bool(out);
      if (!condition) bad_value("Incorrect condition type: The condition must be a bool.");
      json yes = expression();
      expect(":");
      json no = expression();
      out = condition.value_or(false) ? std::move(yes) : std::move(no);
    }
    --depth_;
    return out;
  }

  json binary(std::size_t level) {
    static const std::vector<std::vector<std::string_view>> levels = {{"||"}, {"&&"}, {"==", "!="}, {"<=", ">=", "<", ">"}, {"+", "-"}, {"*", "/", "%"}};
    if (level == levels.size()) return unary();
    json left = binary(level + 1);
    for (bool more = true; more && !error_;) {
      more = false;
      for (const std::string_view op : levels[level]) {
        space();
        if (op == "%" && starts("%{")) continue;
        if (!eat(op)) continue;
        const json right = binary(level + 1);
        left = apply(op, left, right);
        more = true;
        break;
      }
    }
    return left;
  }
  json apply(std::string_view op, const json& left, const json& right) {
    if (op == "==") return left == right;
    if (op == "!=") return left != right;
    if (op == "||" || op == "&&") {
      const auto a = as_bool(left), b = as_bool(right);
      if (!a || !b) return bad_value(fmt::format("Invalid operand: unsuitable value for {}: a bool is required.", op));
      return op == "||" ? (*a || *b) : (*a && *b);
    }
    const auto a = as_number(left), b = as_number(right);
    if (!a || !b) return bad_value(fmt::format("Invalid operand: unsuitable value for {}: a number is required.", op));
    if (op == "<") return *a < *b;
    if (op == ">") return *a > *b;
    if (op == "<=") return *a <= *b;
    if (op == ">=") return *a >= *b;
    if (op == "+") return make_number(*a + *b);
    if (op == "-") return make_number(*a - *b);
    if (op == "*") return make_number(*a * *b);
    if (*b == 0) return bad_value("Division by zero.");
    return make_number(op == "/" ? *a / *b : std::fmod(*a, *b));
  }
  json unary() {
    if (eat("-")) {
      const auto value = as_number(unary());
      return value ? make_number(-*value) : bad_value("Invalid operand: a number is required.");
    }
    space();
    if (peek() == '!' && peek(1) != '=') {
      ++at_;
      const auto value = as_bool(unary());
      return value ? json(!*value) : bad_value("Invalid operand: a bool is required.");
    }
    return postfix();
  }
  json postfix() {
    json value = primary();
    while (!error_) {
      if (peek() == '.' && (starts_name(peek(1)) || std::isdigit(static_cast<unsigned char>(peek(1))))) {
        ++at_;
        const std::string key = name();
        const auto index = parse_number(key);
        value = step(value, index && value.is_array() ? *index : json(key));
      } else if (peek() == '[') {
        ++at_;
        const json key = expression();
        expect("]");
        value = step(value, key);
      } else {
        break;
      }
    }
    return value;
  }
  json step(const json& value, const json& key) {
    if (value.is_object() && key.is_string()) {
      const auto found = value.find(key.get_ref<const std::string&>());
      if (found != value.end()) return *found;
      return bad_value(fmt::format("Unsupported attribute: This object does not have an attribute named \"{}\".", key.get_ref<const std::string&>()));
    }
    if (value.is_array() && key.is_number_integer() && key.get<std::int64_t>() >= 0 && key.get<std::size_t>() < value.size()) {
      return value[key.get<std::size_t>()];
    }
    return bad_value("Invalid index: The given key does not identify an element in this collection value.");
  }

  json primary() {
    space();
    const char c = peek();
    if (c == '(') {
      ++at_;
      json value = expression();
      expect(")");
      return value;
    }
    if (c == '[') return list();
    if (c == '{') return object();
    if (c == '"') {
      ++at_;
      json value = template_until(Ends::quote);
      if (!error_ && peek() != '"') return bad("Unterminated template string");
      ++at_;
      return value;
    }
    if (std::isdigit(static_cast<unsigned char>(c))) return number();
    if (starts_name(c)) return named();
    return bad(fmt::format("Invalid expression: Expected the start of an expression in \"{}\".", text_));
  }
  json number() {
    const std::size_t from = at_;
    while (std::isdigit(static_cast<unsigned char>(peek())) || peek() == '.' || peek() == 'e' || peek() == 'E' ||
           ((peek() == '-' || peek() == '+') && (text_[at_ - 1] == 'e' || text_[at_ - 1] == 'E'))) ++at_;
    const auto value = parse_number(text_.substr(from, at_ - from));
    return value ? *value : bad(value.error().message());
  }
  json named() {
    const std::string word = name();
    if (word == "true") return true;
    if (word == "false") return false;
    if (word == "null") return nullptr;
    if (peek() == '(') {
      ++at_;
      json arguments = json::array();
      while (!error_ && !eat(")")) {
        arguments.push_back(expression());
        if (!eat(",")) {
          expect(")");
          break;
        }
      }
      if (error_ || skipping_ > 0) return nullptr;
      auto value = call_function(word, arguments);
      return value ? std::move(*value) : bad(value.error().message());
    }
    for (auto scope = locals_.rbegin(); scope != locals_.rend(); ++scope) {
      if (scope->first == word) return scope->second;
    }
    const auto found = variables_.find(word);
    if (found != variables_.end()) return *found;
    if (variables_.empty()) return bad_value("Variables not allowed: Variables may not be used here.");
    std::vector<std::string> names;
    for (const auto& [key, value] : variables_.items()) names.push_back(key);
    const std::string near = nearest_name(word, names);
    return bad_value(fmt::format("Unknown variable: There is no variable named \"{}\".{}", word, near.empty() ? "" : fmt::format(" Did you mean \"{}\"?", near)));
  }
  json list() {
    ++at_;
    json out = json::array();
    while (!error_ && !eat("]")) {
      out.push_back(expression());
      if (!eat(",")) {
        expect("]");
        break;
      }
    }
    return out;
  }
  json object() {
    ++at_;
    json out = json::object();
    while (!error_ && !eat("}")) {
      space();
      json key;
      if (starts_name(peek())) key = name();
      else key = expression();
      if (!eat("=") && !eat(":")) return bad("Missing attribute value: Expected an attribute value, introduced by an equals sign (\"=\").");
      json value = expression();
      if (key.is_number()) key = number_text(key);
      if (!key.is_string()) return bad_value("Incorrect key type: an object's key must be a string.");
      out[key.get<std::string>()] = std::move(value);
      eat(",");
    }
    return out;
  }

  // Parts of a template up to its end. `"${x}"` alone is x itself, anything else is text.
  json template_until(Ends ends) {
    std::string text;
    std::optional<json> only;
    bool several = false, trim_next = false;
    const auto add_text = [&](std::string piece) {
      if (trim_next) piece.erase(0, piece.find_first_not_of(" \t\r\n") == std::string::npos ? piece.size() : piece.find_first_not_of(" \t\r\n"));
      if (!piece.empty()) trim_next = false;
      if (!piece.empty() || only) several = true;
      text += piece;
    };
    while (!error_ && at_ < text_.size() && !(ends == Ends::quote && peek() == '"')) {
      if (starts("$${") || starts("%%{")) {
        add_text(std::string(text_.substr(at_ + 1, 2)));
        at_ += 3;
      } else if (starts("${")) {
        at_ += 2;
        if (peek() == '~') trim_end(text), ++at_;
        json value = expression();
        trim_next = eat("~");
        expect("}");
        if (!only && text.empty() && !several) only = value;
        else several = true;
        append(text, value);
      } else if (starts("%{")) {
        const std::size_t start = at_;
        at_ += 2;
        const bool trim = peek() == '~';
        if (trim) trim_end(text), ++at_;
        const std::string word = name();
        if (word == "else" || word == "endif" || word == "endfor") {
          if (ends != Ends::directive) return bad(fmt::format("Unexpected {} directive", word));
          at_ = start;
          break;
        }
        several = true;
        if (word == "if") text += conditional(ends);
        else if (word == "for") text += loop(ends);
        else bad(fmt::format("Invalid template control keyword: \"{}\" is not a valid template control keyword.", word));
      } else {
        add_text(literal(ends));
      }
    }
    if (only && !several) return std::move(*only);
    return text;
  }
  std::string literal(Ends ends) {
    const char c = text_[at_++];
    if (c != '\\' || ends != Ends::quote) return std::string(1, c);
    const char escaped = peek();
    ++at_;
    switch (escaped) {
      case 'n': return "\n";
      case 't': return "\t";
      case 'r': return "\r";
      case '"': return "\"";
      case '\\': return "\\";
      default: bad(fmt::format("Invalid escape sequence: \\{} is not known", escaped)); return {};
    }
  }
  static void trim_end(std::string& text) { text.erase(text.find_last_not_of(" \t\r\n") + 1); }
  void append(std::string& text, const json& value) {
    if (error_ || skipping_ > 0) return;
    const auto piece = convert(value, Type{Type::Kind::string, {}, {}});
    if (!piece || !piece->is_string()) bad("Invalid template interpolation value: Cannot include the given value in a string template: string required.");
    else text += piece->get_ref<const std::string&>();
  }
  void close_directive() {
    eat("~");
    expect("}");
  }
  // The directive's word that ended a body: else, endif or endfor, consumed.
  std::string body_end() {
    if (!eat("%{")) {
      bad("Unterminated template directive");
      return {};
    }
    eat("~");
    const std::string word = name();
    close_directive();
    return word;
  }
  std::string body(bool taken) {
    if (!taken) ++skipping_;
    const json text = template_until(Ends::directive);
    if (!taken) --skipping_;
    if (!taken || error_) return {};
    std::string out;
    append(out, text);
    return out;
  }
  std::string conditional(Ends) {
    const json value = expression();
    close_directive();
    const auto condition = as_bool(value);
    if (!condition) bad_value("Incorrect condition type: The condition must be a bool.");
    const bool taken = condition.value_or(false);
    std::string out = body(taken);
    std::string end = body_end();
    if (end == "else") {
      out += body(!taken);
      end = body_end();
    }
    if (!error_ && end != "endif") bad("Unterminated template directive: expected endif");
    return out;
  }
  std::string loop(Ends) {
    std::string first = name(), second;
    if (eat(",")) second = name();
    if (name() != "in") bad("Invalid for directive: expected \"in\"");
    const json collection = expression();
    close_directive();
    const std::size_t start = at_;
    std::string out;
    bool any = false;
    for (const auto& [key, value] : collection.items()) {
      if (error_ || !collection.is_structured()) break;
      at_ = start;
      any = true;
      if (second.empty()) locals_.emplace_back(first, value);
      else locals_.emplace_back(first, collection.is_array() ? *parse_number(key) : json(key)), locals_.emplace_back(second, value);
      out += body(true);
      locals_.resize(locals_.size() - (second.empty() ? 1 : 2));
    }
    if (!any) body(false);
    if (body_end() != "endfor") bad("Unterminated template directive: expected endfor");
    return out;
  }

  std::string_view text_;
  const json& variables_;
  std::vector<std::pair<std::string, json>> locals_;
  std::optional<Error> error_;
  std::size_t at_ = 0;
  int depth_ = 0;
  int skipping_ = 0;
};
}  // namespace

Result<json> evaluate_expression(std::string_view text, const json& variables) { return Evaluator(text, variables).run_expression(); }

Result<json> evaluate_template(std::string_view text, const json& variables) {
  // Most strings are plain.
  if (text.find("${") == std::string_view::npos && text.find("%{") == std::string_view::npos) return json(std::string(text));
  return Evaluator(text, variables).run_template();
}

}  // namespace drover::plugin
