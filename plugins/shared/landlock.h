// Landlock rules of tasks that share the host's file tree.
#pragma once

#include <string>
#include <vector>

#include "sdk/executor/launch_spec.h"

namespace drover {

// What every program needs of the system, read-only, and the task's own directories.
[[nodiscard]] std::vector<LandlockPath> default_landlock_paths(const std::string& alloc_dir, const std::string& task_dir);
// "r:/srv/data", "rw:/var/spool/x", "rx:/opt/tool": letters of r, w and x, a colon, an absolute path.
[[nodiscard]] Result<LandlockPath> parse_landlock_path(const std::string& text);
// 0: the kernel has none.
[[nodiscard]] int landlock_abi();

}  // namespace drover
