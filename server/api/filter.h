// The hook `parse_filter` of the server's reads: lib/bexpr over stored objects. Given to rpc::Hooks by the composition root. Pure.
#pragma once

#include <string_view>

#include "server/rpc/hooks.h"

namespace drover::api {

// Errors have the texts of http-api 1.8, without the callers' own beginnings.
[[nodiscard]] Result<rpc::Matcher> parse_filter(std::string_view expression);

}  // namespace drover::api
