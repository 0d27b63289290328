#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "lib/hcl/function_table.h"
#include "lib/hcl/unicode.h"
#include "sdk/base/text.h"

namespace drover::hcl {

namespace {

const std::string& s(const Value& value) { return value.as_string(); }

std::string reversed(std::string_view text) {
  const auto clusters = graphemes(text);
  std::string out;
  out.reserve(text.size());
  for (auto cluster = clusters.rbegin(); cluster != clusters.rend(); ++cluster) out += *cluster;
  return out;
}

std::string without_newlines_at_end(std::string text) {
  while (text.ends_with('\n')) {
    text.pop_back();
    if (text.ends_with('\r')) text.pop_back();
  }
  return text;
}

FunctionResult indented(const Arguments& arguments, Budget& budget) {
  const auto spaces = whole(arguments[0]);
  if (!spaces) return tl::unexpected(spaces.error());
  if (*spaces < 0) return function_error("the number of spaces must not be negative", 0);
  const std::string& text = s(arguments[1]);
  const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  if (static_cast<std::size_t>(*spaces) > max_string_bytes || !budget.take_bytes(lines * static_cast<std::size_t>(*spaces))) {
    return function_error("the result would be too long");
  }
  return Value::string(replace_all(text, "\n", "\n" + std::string(static_cast<std::size_t>(*spaces), ' ')));
}

FunctionResult joined(const Arguments& arguments) {
  if (arguments.size() < 2) return function_error("at least one list is required");
  std::string out;
  bool first = true;
  for (std::size_t i = 1; i < arguments.size(); i++) {
    for (std::size_t j = 0; j < arguments[i].as_list().size(); j++) {
      const Value& item = arguments[i].as_list()[j];
      const std::string which = arguments.size() > 2 ? fmt::format(" of list {}", i) : "";
      if (item.is_null()) return function_error(fmt::format("element {}{} is null; cannot concatenate null values", j, which), static_cast<int>(i));
      if (!first) out += s(arguments[0]);
      first = false;
      out += s(item);
    }
  }
  return Value::string(std::move(out));
}

// Literal replacement; an empty pattern stands before and after every character.
std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  if (!from.empty()) return replace_all(text, from, to);
  std::string out(to);
  while (!text.empty()) {
    const std::size_t length = decode_rune(text).length;
    out += text.substr(0, length);
    out += to;
    text.remove_prefix(length);
  }
  return out;
}

Value split_text(const std::string& separator, const std::string& text) {
  Value::List parts;
  if (separator.empty()) {
    for (std::string_view rest = text; !rest.empty();) {
      const std::size_t length = decode_rune(rest).length;
      parts.push_back(Value::string(std::string(rest.substr(0, length))));
      rest.remove_prefix(length);
    }
    return Value::list(Type::string(), std::move(parts));
  }
  std::size_t at = 0;
  while (true) {
    const std::size_t found = text.find(separator, at);
    parts.push_back(Value::string(text.substr(at, found == std::string::npos ? std::string::npos : found - at)));
    if (found == std::string::npos) break;
    at = found + separator.size();
  }
  return Value::list(Type::string(), std::move(parts));
}

FunctionResult substring(const Arguments& arguments) {
  const auto offset = whole(arguments[1]);
  if (!offset) return tl::unexpected(offset.error());
  const auto length = whole(arguments[2]);
  if (!length) return tl::unexpected(length.error());
  const auto clusters = graphemes(s(arguments[0]));
  const auto count = static_cast<std::int64_t>(clusters.size());
  std::int64_t start = *offset;
  if (start < 0) {
    start += count;
    if (start < 0) start = 0;
  }
  // Counted from the end, a length of 0 takes all there is.
  const bool rest = *length < 0 || (*length == 0 && *offset < 0);
  if (start >= count) return Value::string("");
  const std::int64_t end = rest || *length > count - start ? count : start + *length;
  std::string out;
  for (std::int64_t i = start; i < end; i++) out += clusters[static_cast<std::size_t>(i)];
  return Value::string(std::move(out));
}

std::vector<std::int32_t> runes_of(std::string_view text) {
  std::vector<std::int32_t> out;
  while (!text.empty()) {
    const Rune rune = decode_rune(text);
    out.push_back(rune.code);
    text.remove_prefix(rune.length);
  }
  return out;
}

std::string trimmed(std::string_view text, std::string_view cutset) {
  const auto cut = runes_of(cutset);
  const auto runes = runes_of(text);
  const auto is_cut = [&](std::int32_t rune) { return std::find(cut.begin(), cut.end(), rune) != cut.end(); };
  std::size_t first = 0;
  std::size_t last = runes.size();
  while (first < last && is_cut(runes[first])) first++;
  while (last > first && is_cut(runes[last - 1])) last--;
  std::string out;
  for (std::size_t i = first; i < last; i++) append_rune(out, runes[i]);
  return out;
}

// Go's template of a replacement: $1, $name, ${name}, $$.
void expand_template(std::string& out, std::string_view pattern, const std::vector<re2::StringPiece>& groups, const std::map<std::string, int>& names) {
  while (!pattern.empty()) {
    const std::size_t dollar = pattern.find('$');
    out += pattern.substr(0, dollar);
    if (dollar == std::string_view::npos) return;
    pattern.remove_prefix(dollar + 1);
    if (pattern.starts_with('$')) {
      out += '$';
      pattern.remove_prefix(1);
      continue;
    }
    const bool braced = pattern.starts_with('{');
    std::size_t length = braced ? 1 : 0;
    while (length < pattern.size() && (std::isalnum(static_cast<unsigned char>(pattern[length])) || pattern[length] == '_')) length++;
    const std::string name(pattern.substr(braced ? 1 : 0, length - (braced ? 1 : 0)));
    if (name.empty() || (braced && (length >= pattern.size() || pattern[length] != '}'))) {
      out += '$';
      continue;
    }
    pattern.remove_prefix(length + (braced ? 1 : 0));
    std::size_t index = groups.size();
    if (std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; })) {
      if (name.size() < 6) index = static_cast<std::size_t>(std::stoi(name));
    } else if (const auto found = names.find(name); found != names.end()) {
      index = static_cast<std::size_t>(found->second);
    }
    if (index < groups.size()) out.append(groups[index].data() == nullptr ? "" : groups[index].data(), groups[index].size());
  }
}

// RE2's complaint in the words of Go's regexp/syntax.
std::string regex_problem(const re2::RE2& regex, const std::string& pattern) {
  switch (regex.error_code()) {
    case re2::RE2::ErrorMissingBracket: return fmt::format("error parsing regexp: missing closing ]: `{}`", regex.error_arg());
    case re2::RE2::ErrorMissingParen: return fmt::format("error parsing regexp: missing closing ): `{}`", pattern);
    case re2::RE2::ErrorUnexpectedParen: return fmt::format("error parsing regexp: unexpected ): `{}`", pattern);
    case re2::RE2::ErrorRepeatArgument: return fmt::format("error parsing regexp: missing argument to repetition operator: `{}`", regex.error_arg());
    case re2::RE2::ErrorRepeatSize: return fmt::format("error parsing regexp: invalid repeat count: `{}`", regex.error_arg());
    case re2::RE2::ErrorRepeatOp: return fmt::format("error parsing regexp: invalid nested repetition operator: `{}`", regex.error_arg());
    case re2::RE2::ErrorBadCharRange: return fmt::format("error parsing regexp: invalid character class range: `{}`", regex.error_arg());
    case re2::RE2::ErrorBadCharClass: return fmt::format("error parsing regexp: invalid character class range: `{}`", regex.error_arg());
    case re2::RE2::ErrorBadEscape: return fmt::format("error parsing regexp: invalid escape sequence: `{}`", regex.error_arg());
    case re2::RE2::ErrorTrailingBackslash: return "error parsing regexp: trailing backslash at end of expression: ``";
    case re2::RE2::ErrorBadPerlOp: return fmt::format("error parsing regexp: invalid or unsupported Perl syntax: `{}`", regex.error_arg());
    case re2::RE2::ErrorBadNamedCapture: return fmt::format("error parsing regexp: invalid named capture: `{}`", regex.error_arg());
    default: return fmt::format("error parsing regexp: {}: `{}`", regex.error(), regex.error_arg());
  }
}

FunctionResult regex_replaced(const Arguments& arguments, Budget& budget) {
  const std::string& text = s(arguments[0]);
  re2::RE2::Options options;
  options.set_log_errors(false);
  const re2::RE2 regex(s(arguments[1]), options);
  if (!regex.ok()) return function_error(regex_problem(regex, s(arguments[1])));
  const auto& names = regex.NamedCapturingGroups();
  std::vector<re2::StringPiece> groups(static_cast<std::size_t>(regex.NumberOfCapturingGroups()) + 1);
  std::string out;
  std::size_t at = 0;
  std::size_t copied = 0;
  bool after_match = false;
  while (at <= text.size() && regex.Match(text, at, text.size(), re2::RE2::UNANCHORED, groups.data(), static_cast<int>(groups.size()))) {
    const auto start = static_cast<std::size_t>(groups[0].data() - text.data());
    const std::size_t end = start + groups[0].size();
    // An empty match right after a match does not count.
    if (!(groups[0].empty() && after_match && start == copied)) {
      out += std::string_view(text).substr(copied, start - copied);
      expand_template(out, s(arguments[2]), groups, names);
      copied = end;
      if (out.size() > max_string_bytes) return function_error("the result would be too long");
    }
    after_match = true;
    if (groups[0].empty()) {
      if (end >= text.size()) break;
      at = end + decode_rune(std::string_view(text).substr(end)).length;
    } else {
      at = end;
    }
  }
  out += std::string_view(text).substr(copied);
  if (!budget.take_bytes(out.size())) return function_error("the result would be too long");
  return Value::string(std::move(out));
}

template <class Map>
Function mapped(std::vector<Parameter> parameters, Map map) {
  return function(std::move(parameters), [map](const Arguments& a) { return Value::string(std::string(map(a))); });
}

}  // namespace

void add_text_functions(FunctionTable& table) {
  table["chomp"] = mapped({text("str")}, [](const Arguments& a) { return without_newlines_at_end(s(a[0])); });
  table["lower"] = mapped({text("str")}, [](const Arguments& a) { return to_lower_text(s(a[0])); });
  table["upper"] = mapped({text("str")}, [](const Arguments& a) { return to_upper(s(a[0])); });
  table["title"] = mapped({text("str")}, [](const Arguments& a) { return to_title(s(a[0])); });
  table["reverse"] = mapped({text("str")}, [](const Arguments& a) { return reversed(s(a[0])); });
  table["strrev"] = table["reverse"];
  table["trim"] = mapped({text("str"), text("cutset")}, [](const Arguments& a) { return trimmed(s(a[0]), s(a[1])); });
  table["trimspace"] = mapped({text("str")}, [](const Arguments& a) { return trim_space(s(a[0])); });
  table["trimprefix"] = mapped({text("str"), text("prefix")}, [](const Arguments& a) { return s(a[0]).starts_with(s(a[1])) ? s(a[0]).substr(s(a[1]).size()) : s(a[0]); });
  table["trimsuffix"] = mapped({text("str"), text("suffix")}, [](const Arguments& a) { return s(a[0]).ends_with(s(a[1])) ? s(a[0]).substr(0, s(a[0]).size() - s(a[1]).size()) : s(a[0]); });
  table["strlen"] = function({text("str")}, [](const Arguments& a) { return Value::number(static_cast<std::int64_t>(graphemes(s(a[0])).size())); });
  table["substr"] = function({text("str"), number("offset"), number("length")}, substring);
  table["split"] = function({text("separator"), text("str")}, [](const Arguments& a) { return split_text(s(a[0]), s(a[1])); });
  table["join"] = variadic({text("separator")}, {"lists", Type::list(Type::string())}, joined);
  Function replace = function({text("str"), text("substr"), text("replace")}, [](const Arguments& a) { return Value::string(replaced(s(a[0]), s(a[1]), s(a[2]))); });
  replace.call = [](const Arguments& a, Budget& budget) -> FunctionResult {
    if ((s(a[0]).size() + 1) * s(a[2]).size() > max_string_bytes) return function_error("the result would be too long");
    std::string out = replaced(s(a[0]), s(a[1]), s(a[2]));
    if (!budget.take_bytes(out.size())) return function_error("the result would be too long");
    return Value::string(std::move(out));
  };
  table["replace"] = replace;
  Function regex = replace;
  regex.parameters = {text("str"), text("pattern"), text("replace")};
  regex.call = regex_replaced;
  table["regex_replace"] = regex;
  Function indent;
  indent.parameters = {number("spaces"), text("str")};
  indent.call = indented;
  table["indent"] = indent;
}

}  // namespace drover::hcl
