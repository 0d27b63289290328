#include "cli/flags.h"

#include <algorithm>
#include <charconv>

#include "sdk/base/text.h"

namespace drover::cli {

Result<std::uint64_t> parse_unsigned(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range) return fail(Code::invalid_argument, "strconv.ParseUint: parsing {}: value out of range", quote(text));
  if (error != std::errc{} || end != text.data() + text.size()) return fail(Code::invalid_argument, "strconv.ParseUint: parsing {}: invalid syntax", quote(text));
  return value;
}

Result<bool> parse_bool(std::string_view text) {
  for (const std::string_view yes : {"1", "t", "T", "TRUE", "true", "True"}) {
    if (text == yes) return true;
  }
  for (const std::string_view no : {"0", "f", "F", "FALSE", "false", "False"}) {
    if (text == no) return false;
  }
  return fail(Code::invalid_argument, "parse error");
}

void FlagSet::add(std::string name, std::string help, bool is_boolean, std::function<Result<>(std::string_view)> set) {
  flags_.push_back({std::move(name), std::move(help), is_boolean, std::move(set)});
}

void FlagSet::boolean(std::string name, bool& value, std::string help) {
  add(std::move(name), std::move(help), true, [&value](std::string_view text) -> Result<> {
    const auto parsed = parse_bool(text);
    if (!parsed) return fail(parsed.error());
    value = *parsed;
    return {};
  });
}

void FlagSet::text(std::string name, std::string& value, std::string help) {
  add(std::move(name), std::move(help), false, [&value](std::string_view word) -> Result<> {
    value = word;
    return {};
  });
}

void FlagSet::integer(std::string name, std::int64_t& value, std::string help) {
  add(std::move(name), std::move(help), false, [&value](std::string_view word) -> Result<> {
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error != std::errc{} || end != word.data() + word.size()) return fail(Code::invalid_argument, "parse error");
    return {};
  });
}

void FlagSet::optional_boolean(std::string name, std::optional<bool>& value, std::string help) {
  add(std::move(name), std::move(help), false, [&value](std::string_view word) -> Result<> {
    const auto parsed = parse_bool(word);
    if (!parsed) return fail(Code::invalid_argument, "strconv.ParseBool: parsing {}: invalid syntax", quote(word));
    value = *parsed;
    return {};
  });
}

void FlagSet::optional_integer(std::string name, std::optional<std::uint64_t>& value, std::string help) {
  add(std::move(name), std::move(help), false, [&value](std::string_view word) -> Result<> {
    const auto parsed = parse_unsigned(word);
    if (!parsed) return fail(parsed.error());
    value = *parsed;
    return {};
  });
}

void FlagSet::list(std::string name, std::vector<std::string>& values, std::string help) {
  add(std::move(name), std::move(help), false, [&values](std::string_view word) -> Result<> {
    values.emplace_back(word);
    return {};
  });
}

const FlagSet::Flag* FlagSet::find(std::string_view name) const {
  const auto at = std::find_if(flags_.begin(), flags_.end(), [&](const Flag& flag) { return flag.name == name; });
  return at == flags_.end() ? nullptr : &*at;
}

Result<std::vector<std::string>> FlagSet::parse(const std::vector<std::string>& words) {
  std::size_t at = 0;
  for (; at < words.size(); ++at) {
    std::string_view word = words[at];
    if (word.size() < 2 || word[0] != '-') break;
    if (word == "--") {
      ++at;
      break;
    }
    word.remove_prefix(word[1] == '-' ? 2 : 1);
    if (word.empty() || word[0] == '-' || word[0] == '=') return fail(Code::invalid_argument, "bad flag syntax: {}", words[at]);
    const std::size_t equals = word.find('=');
    const std::string_view name = word.substr(0, equals);
    const Flag* flag = find(name);
    if (flag == nullptr) return fail(Code::invalid_argument, "flag provided but not defined: -{}", name);
    std::string_view value = "true";
    if (equals != std::string_view::npos) {
      value = word.substr(equals + 1);
    } else if (!flag->is_boolean) {
      if (at + 1 >= words.size()) return fail(Code::invalid_argument, "flag needs an argument: -{}", name);
      value = words[++at];
    }
    if (auto set = flag->set(value); !set) {
      return fail(Code::invalid_argument, "invalid {}value {} for {}-{}: {}", flag->is_boolean ? "boolean " : "", quote(value), flag->is_boolean ? "" : "flag ", name,
                  set.error().message());
    }
  }
  return std::vector<std::string>(words.begin() + static_cast<std::ptrdiff_t>(at), words.end());
}

std::string FlagSet::help() const {
  auto sorted = flags_;
  std::sort(sorted.begin(), sorted.end(), [](const Flag& a, const Flag& b) { return a.name < b.name; });
  std::string out;
  for (const Flag& flag : sorted) {
    if (flag.help.empty()) continue;
    out += fmt::format("  -{}{}\n    {}\n\n", flag.name, flag.is_boolean ? "" : "=<value>", flag.help);
  }
  return out;
}

std::vector<std::string> FlagSet::names() const {
  std::vector<std::string> out;
  for (const Flag& flag : flags_) out.push_back("-" + flag.name);
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace drover::cli
