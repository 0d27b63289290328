// The host's half of the conformance suite (items 108 to 114): our plugin host against a plugin that misbehaves. Loop only.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "sdk/async/asio.h"
#include "sdk/base/file.h"
#include "sdk/conformance/check.h"

namespace drover::conformance {

struct HostSettings {
  std::string chaos_plugin;  // the executable drover-chaos-plugin
  std::set<int> only, skip;
};

using HostProgress = std::function<void(const Item& item, const ItemResult* done)>;

[[nodiscard]] Async<Result<std::vector<ItemResult>>> run_host_suite(Executor executor, const HostSettings& settings, HostProgress progress);

}  // namespace drover::conformance
