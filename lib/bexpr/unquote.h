// Go's reading of text and numbers in expressions, with its error texts. Private to lib/bexpr.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sdk/base/error.h"

namespace drover::bexpr {

// The inside of a double-quoted Go literal; nothing when an escape is wrong or a newline is in it.
[[nodiscard]] std::optional<std::string> unquote(std::string_view body);

// strconv.ParseBool, ParseInt and ParseUint with base 0, ParseFloat.
[[nodiscard]] Result<bool> parse_bool(std::string_view text);
[[nodiscard]] Result<std::int64_t> parse_int(std::string_view text);
[[nodiscard]] Result<std::uint64_t> parse_uint(std::string_view text);
[[nodiscard]] Result<double> parse_float(std::string_view text);

}  // namespace drover::bexpr
