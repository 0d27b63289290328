#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "sdk/plugin/expression.h"
#include "sdk/plugin/type.h"

namespace drover::plugin {
namespace {
using json = nlohmann::json;

std::vector<std::string> characters(const std::string& text) {
  std::vector<std::string> out;
  for (const char c : text) {
    if ((static_cast<unsigned char>(c) & 0xc0) == 0x80 && !out.empty()) out.back() += c;
    else out.emplace_back(1, c);
  }
  return out;
}

Result<std::string> text_argument(const json& arguments, std::size_t at) {
  const Type type{Type::Kind::string, {}, {}};
  auto value = convert(arguments[at], type);
  if (!value) return fail(value.error(), "argument {}", at + 1);
  if (!value->is_string()) return fail(Code::invalid_argument, "argument {} must not be null", at + 1);
  return value->get<std::string>();
}
Result<double> number_argument(const json& arguments, std::size_t at) {
  const Type type{Type::Kind::number, {}, {}};
  auto value = convert(arguments[at], type);
  if (!value) return fail(value.error(), "argument {}", at + 1);
  if (!value->is_number()) return fail(Code::invalid_argument, "argument {} must not be null", at + 1);
  return value->get<double>();
}

Result<json> extreme(const json& arguments, bool largest) {
  if (arguments.empty()) return fail(Code::invalid_argument, "must pass at least one number");
  double best = 0;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const auto value = number_argument(arguments, i);
    if (!value) return fail(value.error());
    if (i == 0 || (largest ? *value > best : *value < best)) best = *value;
  }
  return make_number(best);
}

Result<json> substring(const json& arguments) {
  const auto text = text_argument(arguments, 0);
  if (!text) return fail(text.error());
  const auto offset = number_argument(arguments, 1);
  if (!offset) return fail(offset.error());
  const auto length = number_argument(arguments, 2);
  if (!length) return fail(length.error());
  const auto all = characters(*text);
  const auto size = static_cast<double>(all.size());
  double from = *offset < 0 ? std::max(0.0, size + *offset) : std::min(*offset, size);
  const double to = *length < 0 ? size : std::min(size, from + *length);
  std::string out;
  for (; from < to; ++from) out += all[static_cast<std::size_t>(from)];
  return json(out);
}

Result<json> reverse(const json& value) {
  const auto text = text_argument(value, 0);
  if (!text) return fail(text.error());
  auto all = characters(*text);
  std::string out;
  for (auto at = all.rbegin(); at != all.rend(); ++at) out += *at;
  return json(out);
}

Result<json> change_case(const json& arguments, int (*change)(int)) {
  auto text = text_argument(arguments, 0);
  if (!text) return fail(text.error());
  for (char& c : *text) {
    if (static_cast<unsigned char>(c) < 0x80) c = static_cast<char>(change(c));
  }
  return json(*text);
}

Result<json> concat(const json& arguments) {
  json out = json::array();
  for (const json& list : arguments) {
    if (!list.is_array()) return fail(Code::invalid_argument, "all arguments must be lists");
    out.insert(out.end(), list.begin(), list.end());
  }
  return out;
}
}  // namespace

Result<json> call_function(std::string_view name, const json& arguments) {
  struct Arity {
    std::string_view name;
    std::size_t least, most;
  };
  static constexpr Arity known[] = {{"abs", 1, 1}, {"coalesce", 1, 99}, {"concat", 1, 99}, {"hasindex", 2, 2}, {"int", 1, 1},
                                    {"jsondecode", 1, 1}, {"jsonencode", 1, 1}, {"length", 1, 1}, {"lower", 1, 1}, {"max", 1, 99},
                                    {"min", 1, 99}, {"reverse", 1, 1}, {"strlen", 1, 1}, {"substr", 3, 3}, {"upper", 1, 1}};
  const auto* arity = std::find_if(std::begin(known), std::end(known), [&](const Arity& a) { return a.name == name; });
  if (arity == std::end(known)) {
    return fail(Code::invalid_argument, "Call to unknown function: There is no function named \"{}\".", name);
  }
  if (arguments.size() < arity->least || arguments.size() > arity->most) {
    return fail(Code::invalid_argument, "Function \"{}\" takes {} argument{}, not {}.", name, arity->least, arity->least == 1 ? "" : "s", arguments.size());
  }
  if (name == "upper") return change_case(arguments, std::toupper);
  if (name == "lower") return change_case(arguments, std::tolower);
  if (name == "max") return extreme(arguments, true);
  if (name == "min") return extreme(arguments, false);
  if (name == "substr") return substring(arguments);
  if (name == "concat") return concat(arguments);
  if (name == "reverse") return reverse(arguments);
  if (name == "jsonencode") return json(arguments[0].dump(-1, ' ', false, json::error_handler_t::replace));
  if (name == "abs" || name == "int") {
    const auto value = number_argument(arguments, 0);
    if (!value) return fail(value.error());
    return make_number(name == "abs" ? std::abs(*value) : std::trunc(*value));
  }
  if (name == "strlen" || name == "jsondecode") {
    const auto text = text_argument(arguments, 0);
    if (!text) return fail(text.error());
    if (name == "strlen") return json(characters(*text).size());
    json out = json::parse(*text, nullptr, false);
    if (out.is_discarded()) return fail(Code::invalid_argument, "jsondecode: the text is not JSON");
    return out;
  }
  if (name == "length") {
    if (!arguments[0].is_structured()) return fail(Code::invalid_argument, "length: a list or a map is required");
    return json(arguments[0].size());
  }
  if (name == "hasindex") {
    if (arguments[0].is_array() && arguments[1].is_number_integer()) {
      const auto index = arguments[1].get<std::int64_t>();
      return json(index >= 0 && index < static_cast<std::int64_t>(arguments[0].size()));
    }
    return json(arguments[0].is_object() && arguments[1].is_string() && arguments[0].contains(arguments[1].get_ref<const std::string&>()));
  }
  for (const json& value : arguments) {  // coalesce
    if (!value.is_null()) return value;
  }
  return fail(Code::invalid_argument, "no non-null arguments");
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace drover::plugin
