// A tree to a Config: the visitor that reads each block's `describe` list and refuses what is not in it. Internal.
#pragma once

#include <string>

#include "agent/config/config.h"
#include "agent/config/tree.h"
#include "sdk/base/error.h"

namespace drover::agent {

// Unknown keys, wrong types and bad durations are errors that name file and line.
[[nodiscard]] Result<Config> decode_config(const Tree& tree, const std::string& name);

}  // namespace drover::agent
