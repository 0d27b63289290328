// The delegated layout (client contract 11.5): a transient scope of systemd with Delegate=yes, below which our cgroups are ours by
// agreement. For hosts whose policy forbids cgroups that systemd does not know; everything else uses the plain layout.
#pragma once

#include <string>

#include "sdk/base/error.h"

namespace drover {

// The cgroup directory of `nomad-tasks.scope` in `nomad.slice`, made when there is none. A process of ours, which does nothing,
// holds it; it lies in the leaf `holder`, since a cgroup with controllers for its children holds no process itself. libsystemd is
// loaded here and nowhere else. `bus_address` empty: the system's.
[[nodiscard]] Result<std::string> delegated_scope(const std::string& cgroup_mount, const std::string& bus_address = {});

}  // namespace drover
