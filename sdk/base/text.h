// Small text helpers that the standard library of C++20 lacks, and Go's duration syntax.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "sdk/base/error.h"

namespace drover {

[[nodiscard]] std::vector<std::string> split(std::string_view text, char separator);
// Splits at the first separator; the second part is empty when there is none.
[[nodiscard]] std::pair<std::string_view, std::string_view> split_once(std::string_view text, char separator);
[[nodiscard]] std::string_view trim(std::string_view text);
[[nodiscard]] std::string to_lower(std::string_view text);
[[nodiscard]] std::string join(const std::vector<std::string>& parts, std::string_view separator);
[[nodiscard]] std::string replace_all(std::string_view text, std::string_view from, std::string_view to);

// Go's time.ParseDuration: "1h30m", "250ms", "-1.5s", "0".
[[nodiscard]] Result<std::chrono::nanoseconds> parse_duration(std::string_view text);
// Go's Duration.String: "1h0m0s", "250ms", "0s".
[[nodiscard]] std::string format_duration(std::chrono::nanoseconds value);
// RFC 3339 in UTC with up to nine fraction digits, trailing zeros cut (Go's RFC3339Nano).
[[nodiscard]] std::string format_rfc3339(std::int64_t unix_nanos);
// Nanoseconds since the epoch; accepts `Z` and numeric offsets.
[[nodiscard]] Result<std::int64_t> parse_rfc3339(std::string_view text);
// The string as a Go %q literal: in double quotes, with \n, \t, \" and non-printables escaped.
[[nodiscard]] std::string quote(std::string_view text);

}  // namespace drover
