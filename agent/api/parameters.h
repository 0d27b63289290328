// Query parameters read as the reference reads them, with Go's error texts, which clients show. Pure.
#pragma once

#include <string>
#include <string_view>

#include "lib/http/message.h"
#include "sdk/base/error.h"

namespace drover::agent {

// "failed to parse follow field to boolean: strconv.ParseBool: parsing \"x\": invalid syntax"
[[nodiscard]] Result<bool> parse_bool_parameter(const http::Request& request, std::string_view name, bool fallback);
// "error parsing offset: strconv.ParseInt: parsing \"x\": invalid syntax". An absent one is `fallback`.
[[nodiscard]] Result<std::int64_t> parse_int_parameter(const http::Request& request, std::string_view name, std::int64_t fallback);
// As above, but an absent one is the error for "".
[[nodiscard]] Result<std::int64_t> require_int_parameter(const http::Request& request, std::string_view name);
// "origin must be start or end". True: end.
[[nodiscard]] Result<bool> parse_origin(const http::Request& request);

// Errors with the statuses and texts of the reference.
[[nodiscard]] Error status_error(int status, std::string text);
[[nodiscard]] Error unknown_allocation(std::string_view id);
[[nodiscard]] Result<> check_alloc_id(std::string_view id);

}  // namespace drover::agent
