// What a driver's main() calls: `return drover::driver::serve_driver(argc, argv, info, make_driver);`
//
// It checks that a host started the process, shakes hands, answers every RPC of the driver protocol on one loop, and returns
// the process's exit code when the host asks it to stop.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "sdk/driver/driver.h"
#include "sdk/plugin/schema.h"

namespace drover::driver {

struct PluginInfo {
  std::string name;                 // what jobs write in `driver = "..."`
  std::string version;              // "0.1.0"
  plugin::Spec config_schema;       // of the agent's plugin block; an empty Spec: the plugin takes no configuration
  plugin::Spec task_config_schema;  // of the job's config block
};

// `make` runs once on the loop's thread before the handshake. `log` writes to the host.
using DriverFactory = std::function<std::unique_ptr<Driver>(Executor executor, Logger log)>;
[[nodiscard]] int serve_driver(int argc, char** argv, PluginInfo info, const DriverFactory& make);

}  // namespace drover::driver
