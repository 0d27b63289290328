#include "cli/sprig.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "cli/client_value.h"
#include "lib/gotemplate/print.h"
#include "sdk/base/encoding.h"
#include "sdk/base/text.h"

namespace drover::cli {
namespace {
using gotemplate::Function;
using gotemplate::Kind;
using gotemplate::Value;
using Arguments = std::vector<Value>;

std::string upper(std::string text) {
  for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return text;
}

// The whole number in a value: of a number, or of a text that is one; else 0.
std::int64_t whole(const Value& given) {
  const Value value = given.plain();
  switch (value.kind()) {
    case Kind::integer: return value.integer();
    case Kind::unsigned_integer: return static_cast<std::int64_t>(value.unsigned_integer());
    case Kind::floating: return static_cast<std::int64_t>(value.floating());
    case Kind::boolean: return value.boolean() ? 1 : 0;
    case Kind::string: {
      std::int64_t out = 0;
      std::from_chars(value.text().data(), value.text().data() + value.text().size(), out);
      return out;
    }
    default: return 0;
  }
}

std::string text_of(const Value& value) { return value.kind() == Kind::absent || value.kind() == Kind::nil ? "" : to_text(value); }

const std::vector<Value>& items_of(const Value& value) {
  static const std::vector<Value> none;
  return value.kind() == Kind::list ? value.list().items : none;
}

std::string joined(const Arguments& parts, std::string_view separator) {
  std::string out;
  bool first = true;
  for (const Value& part : parts) {
    if (!std::exchange(first, false)) out += separator;
    out += text_of(part);
  }
  return out;
}

// A function of texts to a text.
Function texts(std::size_t count, std::string (*call)(const std::vector<std::string>&)) {
  return {[call](const Arguments& given) -> Result<Value> {
            std::vector<std::string> words;
            for (const Value& value : given) words.push_back(text_of(value));
            return Value(call(words));
          },
          std::vector<std::string>(count, "string")};
}

void add_text_functions(gotemplate::Functions& to) {
  to["sprig_upper"] = texts(1, [](const auto& w) { return upper(w[0]); });
  to["sprig_lower"] = texts(1, [](const auto& w) { return to_lower(w[0]); });
  to["sprig_trim"] = texts(1, [](const auto& w) { return std::string(trim(w[0])); });
  to["sprig_trimPrefix"] = texts(2, [](const auto& w) { return w[1].starts_with(w[0]) ? w[1].substr(w[0].size()) : w[1]; });
  to["sprig_trimSuffix"] = texts(2, [](const auto& w) { return w[1].ends_with(w[0]) ? w[1].substr(0, w[1].size() - w[0].size()) : w[1]; });
  to["sprig_replace"] = texts(3, [](const auto& w) { return replace_all(w[2], w[0], w[1]); });
  to["sprig_nospace"] = texts(1, [](const auto& w) { return replace_all(w[0], " ", ""); });
  to["sprig_b64enc"] = texts(1, [](const auto& w) { return base64_encode(w[0]); });
  to["sprig_title"] = texts(1, [](const auto& w) {
    std::string out = w[0];
    for (std::size_t i = 0; i < out.size(); ++i) {
      if ((i == 0 || out[i - 1] == ' ') && out[i] >= 'a' && out[i] <= 'z') out[i] = static_cast<char>(out[i] - 'a' + 'A');
    }
    return out;
  });
  to["sprig_b64dec"] = {[](const Arguments& a) -> Result<Value> {
                          auto out = base64_decode(a[0].text());
                          return Value(out ? *out : out.error().message());
                        },
                        {"string"}};
  to["sprig_trunc"] = {[](const Arguments& a) -> Result<Value> {
                         const std::string text = text_of(a[1]);
                         const std::int64_t count = whole(a[0]);
                         if (count < 0) return Value(text.substr(text.size() - std::min(text.size(), static_cast<std::size_t>(-count))));
                         return Value(text.substr(0, static_cast<std::size_t>(count)));
                       },
                       {"int", "string"}};
  to["sprig_repeat"] = {[](const Arguments& a) -> Result<Value> {
                          std::string out;
                          for (std::int64_t i = 0; i < std::min<std::int64_t>(whole(a[0]), 100'000); ++i) out += text_of(a[1]);
                          return Value(std::move(out));
                        },
                        {"int", "string"}};
  to["sprig_indent"] = {[](const Arguments& a) -> Result<Value> {
                          const std::string pad(static_cast<std::size_t>(std::max<std::int64_t>(whole(a[0]), 0)), ' ');
                          return Value(pad + replace_all(text_of(a[1]), "\n", "\n" + pad));
                        },
                        {"int", "string"}};
  to["sprig_contains"] = {[](const Arguments& a) -> Result<Value> { return Value(text_of(a[1]).find(text_of(a[0])) != std::string::npos); }, {"string", "string"}};
  to["sprig_hasPrefix"] = {[](const Arguments& a) -> Result<Value> { return Value(text_of(a[1]).starts_with(text_of(a[0]))); }, {"string", "string"}};
  to["sprig_hasSuffix"] = {[](const Arguments& a) -> Result<Value> { return Value(text_of(a[1]).ends_with(text_of(a[0]))); }, {"string", "string"}};
  to["sprig_quote"] = {[](const Arguments& a) -> Result<Value> {
                         Arguments quoted;
                         for (const Value& value : a) quoted.emplace_back(quote(text_of(value)));
                         return Value(joined(quoted, " "));
                       },
                       {"..."}};
  to["sprig_squote"] = {[](const Arguments& a) -> Result<Value> {
                          Arguments quoted;
                          for (const Value& value : a) quoted.emplace_back("'" + text_of(value) + "'");
                          return Value(joined(quoted, " "));
                        },
                        {"..."}};
  to["sprig_cat"] = {[](const Arguments& a) -> Result<Value> { return Value(joined(a, " ")); }, {"..."}};
  to["sprig_join"] = {[](const Arguments& a) -> Result<Value> { return Value(joined(items_of(a[1]), text_of(a[0]))); }, {"string", ""}};
  to["sprig_splitList"] = {[](const Arguments& a) -> Result<Value> {
                             Arguments out;
                             std::string_view rest = a[1].text();
                             const std::string& separator = a[0].text();
                             for (std::size_t at = 0; !separator.empty() && (at = rest.find(separator)) != std::string_view::npos;) {
                               out.emplace_back(rest.substr(0, at));
                               rest.remove_prefix(at + separator.size());
                             }
                             out.emplace_back(rest);
                             return Value::list(std::move(out), "[]string");
                           },
                           {"string", "string"}};
  to["sprig_toString"] = {[](const Arguments& a) -> Result<Value> { return Value(text_of(a[0])); }, {""}};
  to["sprig_toJson"] = {[](const Arguments& a) -> Result<Value> { return Value(value_json(a[0])); }, {""}};
  to["sprig_toPrettyJson"] = {[](const Arguments& a) -> Result<Value> {
                                return Value(model::Json::parse(value_json(a[0]), nullptr, false).dump(2, ' ', false, model::Json::error_handler_t::replace));
                              },
                              {""}};
  to["sprig_fromJson"] = {[](const Arguments& a) -> Result<Value> { return json_value(model::Json::parse(a[0].text(), nullptr, false)); }, {"string"}};
}

void add_value_functions(gotemplate::Functions& to) {
  to["sprig_default"] = {[](const Arguments& a) -> Result<Value> { return a.size() > 1 && a[1].truth() ? a[1] : a[0]; }, {"", "..."}};
  to["sprig_empty"] = {[](const Arguments& a) -> Result<Value> { return Value(!a[0].truth()); }, {""}};
  to["sprig_coalesce"] = {[](const Arguments& a) -> Result<Value> {
                            const auto found = std::find_if(a.begin(), a.end(), [](const Value& value) { return value.truth(); });
                            return found == a.end() ? Value() : *found;
                          },
                          {"..."}};
  to["sprig_ternary"] = {[](const Arguments& a) -> Result<Value> { return a[2].truth() ? a[0] : a[1]; }, {"", "", "bool"}};
  to["sprig_fail"] = {[](const Arguments& a) -> Result<Value> { return fail(Code::invalid_argument, "{}", a[0].text()); }, {"string"}};
  to["sprig_int"] = {[](const Arguments& a) -> Result<Value> { return Value::integer(whole(a[0])); }, {""}};
  to["sprig_int64"] = {[](const Arguments& a) -> Result<Value> { return Value::integer(whole(a[0]), "int64"); }, {""}};
  to["sprig_atoi"] = {[](const Arguments& a) -> Result<Value> { return Value::integer(whole(a[0])); }, {"string"}};
  const auto number = [&](const char* name, std::int64_t (*call)(std::int64_t, std::int64_t)) {
    to[name] = {[call](const Arguments& a) -> Result<Value> { return Value::integer(call(whole(a[0]), whole(a[1])), "int64"); }, {"", ""}};
  };
  number("sprig_add", [](std::int64_t a, std::int64_t b) { return a + b; });
  number("sprig_sub", [](std::int64_t a, std::int64_t b) { return a - b; });
  number("sprig_mul", [](std::int64_t a, std::int64_t b) { return a * b; });
  number("sprig_max", [](std::int64_t a, std::int64_t b) { return std::max(a, b); });
  number("sprig_min", [](std::int64_t a, std::int64_t b) { return std::min(a, b); });
  for (const bool modulo : {false, true}) {
    to[modulo ? "sprig_mod" : "sprig_div"] = {[modulo](const Arguments& a) -> Result<Value> {
                                                const std::int64_t by = whole(a[1]);
                                                if (by == 0) return fail(Code::invalid_argument, "runtime error: integer divide by zero");
                                                return Value::integer(modulo ? whole(a[0]) % by : whole(a[0]) / by, "int64");
                                              },
                                              {"", ""}};
  }
  to["sprig_list"] = {[](const Arguments& a) -> Result<Value> { return Value::list(a); }, {"..."}};
  to["sprig_first"] = {[](const Arguments& a) -> Result<Value> { return items_of(a[0]).empty() ? Value() : items_of(a[0]).front(); }, {""}};
  to["sprig_last"] = {[](const Arguments& a) -> Result<Value> { return items_of(a[0]).empty() ? Value() : items_of(a[0]).back(); }, {""}};
  to["sprig_rest"] = {[](const Arguments& a) -> Result<Value> {
                        const auto& items = items_of(a[0]);
                        return Value::list(Arguments(items.begin() + (items.empty() ? 0 : 1), items.end()));
                      },
                      {""}};
  to["sprig_reverse"] = {[](const Arguments& a) -> Result<Value> { return Value::list(Arguments(items_of(a[0]).rbegin(), items_of(a[0]).rend())); }, {""}};
  to["sprig_has"] = {[](const Arguments& a) -> Result<Value> {
                       const std::string wanted = text_of(a[0]);
                       const auto& items = items_of(a[1]);
                       return Value(std::any_of(items.begin(), items.end(), [&](const Value& item) { return text_of(item) == wanted; }));
                     },
                     {"", ""}};
  to["sprig_sortAlpha"] = {[](const Arguments& a) -> Result<Value> {
                             std::vector<std::string> words;
                             for (const Value& item : items_of(a[0])) words.push_back(text_of(item));
                             std::sort(words.begin(), words.end());
                             return Value::list(Arguments(words.begin(), words.end()), "[]string");
                           },
                           {""}};
  to["sprig_uniq"] = {[](const Arguments& a) -> Result<Value> {
                        Arguments out;
                        for (const Value& item : items_of(a[0])) {
                          if (std::none_of(out.begin(), out.end(), [&](const Value& seen) { return text_of(seen) == text_of(item); })) out.push_back(item);
                        }
                        return Value::list(std::move(out));
                      },
                      {""}};
  to["sprig_dict"] = {[](const Arguments& a) -> Result<Value> {
                        std::map<std::string, Value, std::less<>> out;
                        for (std::size_t i = 0; i < a.size(); i += 2) out.insert_or_assign(text_of(a[i]), i + 1 < a.size() ? a[i + 1] : Value(""));
                        return Value::map(std::move(out));
                      },
                      {"..."}};
  to["sprig_keys"] = {[](const Arguments& a) -> Result<Value> {
                        Arguments out;
                        if (a[0].kind() == Kind::map) for (const auto& [key, value] : a[0].map().entries) out.emplace_back(key);
                        return Value::list(std::move(out), "[]string");
                      },
                      {""}};
  to["sprig_hasKey"] = {[](const Arguments& a) -> Result<Value> { return Value(a[0].member(a[1].text()) != nullptr); }, {"", "string"}};
  to["sprig_get"] = {[](const Arguments& a) -> Result<Value> {
                       const Value* found = a[0].member(a[1].text());
                       return found == nullptr ? Value("") : *found;
                     },
                     {"", "string"}};
  to["sprig_typeOf"] = {[](const Arguments& a) -> Result<Value> { return Value(a[0].type()); }, {""}};
}
}  // namespace

void add_sprig(gotemplate::Functions& functions) {
  add_text_functions(functions);
  add_value_functions(functions);
}

}  // namespace drover::cli
