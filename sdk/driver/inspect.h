// What a driver plugin says of itself when it is started for nothing else: no agent, no configuration, no task.
#pragma once

#include "sdk/driver/client.h"
#include "sdk/plugin/launch.h"

namespace drover::driver {

struct Inspected {
  RemoteInfo info;
  plugin::Spec config;       // of the agent's plugin block; empty: none
  plugin::Spec task_config;  // of the job's config block
};

// Starts the plugin, asks, and stops it again whatever it answered.
[[nodiscard]] Async<Result<Inspected>> inspect(Executor executor, Logger log, plugin::LaunchOptions options);

}  // namespace drover::driver
