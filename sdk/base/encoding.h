// base64 (RFC 4648 with padding) and lower-case hex.
#pragma once

#include <string>
#include <string_view>

#include "sdk/base/error.h"

namespace drover {

[[nodiscard]] std::string base64_encode(std::string_view bytes);
[[nodiscard]] Result<std::string> base64_decode(std::string_view text);
[[nodiscard]] std::string hex_encode(std::string_view bytes);

}  // namespace drover
