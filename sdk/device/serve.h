// What a device plugin's main() calls: `return drover::device::serve_device(info, make_plugin);`
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "sdk/base/log.h"
#include "sdk/device/device.h"
#include "sdk/plugin/schema.h"

namespace drover::device {

struct PluginInfo {
  std::string name;
  std::string version;         // "0.1.0"
  plugin::Spec config_schema;  // of the agent's plugin block; an empty Spec: the plugin takes no configuration
};

// `make` runs once on the loop's thread before the handshake. `log` writes to the host. Returns the process's exit code.
using DeviceFactory = std::function<std::unique_ptr<DevicePlugin>(Executor executor, Logger log)>;
[[nodiscard]] int serve_device(PluginInfo info, const DeviceFactory& make);

}  // namespace drover::device
