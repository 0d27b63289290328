// Types of configuration values (`list(map(string))`) and the conversion of JSON values to them (protocol 4.1, 4.3). Pure.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "sdk/base/error.h"

namespace drover::plugin {

struct Type {
  enum class Kind { string, number, boolean, any, list, set, map, object, tuple };
  Kind kind = Kind::any;
  std::vector<Type> elements;              // list, set, map: one; tuple: several
  std::map<std::string, Type> attributes;  // object
};

[[nodiscard]] Result<Type> parse_type(std::string_view text);
// "list of map of string"
[[nodiscard]] std::string describe(const Type& type);
// The error is what the value should have been: `list of string required, but have string.`
[[nodiscard]] Result<nlohmann::json> convert(const nlohmann::json& value, const Type& type);
// A number as HCL prints it: shortest decimal, never an exponent.
[[nodiscard]] std::string number_text(const nlohmann::json& number);
// `text` as a number: an integer where it is one that fits.
[[nodiscard]] Result<nlohmann::json> parse_number(std::string_view text);
// An integral double as an integer, when it fits exactly.
[[nodiscard]] nlohmann::json make_number(double value);

}  // namespace drover::plugin
