// What the plugin host learns of the agent's configuration: blocks by the names of executables, lists of drivers, the environment.
#pragma once

#include "agent/client/client.h"

namespace drover::agent {

[[nodiscard]] pluginhost::Options plugin_options(const ClientOptions& from);

}  // namespace drover::agent
