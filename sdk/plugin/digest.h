// Which file a plugin is, whatever its name (F-30).
#pragma once

#include <string>

#include "sdk/base/error.h"

namespace drover::plugin {

// "sha256:<64 hex digits>". Reads the whole file: blocking.
[[nodiscard]] Result<std::string> file_digest(const std::string& path);

}  // namespace drover::plugin
