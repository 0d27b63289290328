// Looks at a plugin executable without an agent: starts it, shakes hands, asks what it is and what configuration it takes, and
// ends it. Nothing is configured and no task is touched, so it is safe for a plugin that also runs under an agent. Loop only.
//
//   auto seen = co_await driver::inspect_plugin(executor, Logger(), {.executable = "/opt/plugins/my-driver"});
//   plugin::schema_text(seen->task_schema)   // the job's config block
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sdk/base/log.h"
#include "sdk/driver/client.h"

namespace drover::driver {

struct InspectOptions {
  std::string executable;
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::string>> environment;  // the caller's; filtered as an agent's (P-30)
  std::chrono::nanoseconds start_timeout = std::chrono::minutes(1);
};

struct PluginDescription {
  std::string handshake;  // the line, without its end
  RemoteInfo info;
  plugin::Spec config_schema;  // of the agent's plugin block; empty: it takes none
  plugin::Spec task_schema;    // of a job's config block; drivers only
  std::optional<Capabilities> capabilities;  // drivers only
  std::vector<std::string> problems;  // what a host would refuse or warn of
};

// The error's text is that of launch(): phrase, exit status, last lines on stderr.
[[nodiscard]] Async<Result<PluginDescription>> inspect_plugin(Executor executor, Logger log, InspectOptions options);

}  // namespace drover::driver
