// How the host wants a task's output kept: `.<task>.logs.json` in the log directory, written by the agent before StartTask:
//   {"max_files": 10, "max_file_size_mb": 10, "disabled": false}
// It is beside the logs because a TaskConfig has no field for it and a task's environment is the task's own. Without the file
// the defaults hold, unless the host's stdout path is a FIFO, which then is a host that collects logs itself.
#pragma once

#include "sdk/executor/launch_spec.h"

namespace drover {

// Fills the output members of `spec` for a task of `alloc_dir`.
[[nodiscard]] Result<> apply_log_settings(LaunchSpec& spec, const std::string& alloc_dir, const std::string& task_name,
                                          const std::string& stdout_path, const std::string& stderr_path);

}  // namespace drover
