// Command-line flags by Go's rules: `-name=value`, `-name value`, `--name`; booleans take a value only after `=`; the first
// positional word or `--` ends the flags. Flags bind to variables that already hold their defaults.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sdk/base/error.h"

namespace drover::cli {

class FlagSet {
 public:
  void boolean(std::string name, bool& value, std::string help);
  void text(std::string name, std::string& value, std::string help);
  void integer(std::string name, std::int64_t& value, std::string help);
  // A boolean or number that stays unset unless given; always takes a value.
  void optional_boolean(std::string name, std::optional<bool>& value, std::string help);
  void optional_integer(std::string name, std::optional<std::uint64_t>& value, std::string help);
  // May be given several times; the values are appended.
  void list(std::string name, std::vector<std::string>& values, std::string help);

  // Returns the positional words. Errors carry Go's texts: `flag provided but not defined: -x`.
  [[nodiscard]] Result<std::vector<std::string>> parse(const std::vector<std::string>& words);

  // Help text of every flag, sorted by name.
  [[nodiscard]] std::string help() const;
  // `-name` of every flag, for completion.
  [[nodiscard]] std::vector<std::string> names() const;

 private:
  struct Flag {
    std::string name;
    std::string help;
    bool is_boolean = false;
    std::function<Result<>(std::string_view)> set;
  };
  void add(std::string name, std::string help, bool is_boolean, std::function<Result<>(std::string_view)> set);
  [[nodiscard]] const Flag* find(std::string_view name) const;
  std::vector<Flag> flags_;
};

// Go's strconv.ParseUint, with its complaint.
[[nodiscard]] Result<std::uint64_t> parse_unsigned(std::string_view text);
// Go's strconv.ParseBool.
[[nodiscard]] Result<bool> parse_bool(std::string_view text);

}  // namespace drover::cli
