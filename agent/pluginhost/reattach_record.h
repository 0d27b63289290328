// The stored form of what finds plugin processes again after an agent restart (P-13).
#pragma once

#include <string>
#include <vector>

#include "sdk/plugin/launch.h"

namespace drover::pluginhost {

[[nodiscard]] std::string encode_reattach(const std::vector<plugin::Reattach>& tuples);
// Empty text and damaged text are no tuples: the plugins are then started anew.
[[nodiscard]] std::vector<plugin::Reattach> decode_reattach(const std::string& json);

}  // namespace drover::pluginhost
