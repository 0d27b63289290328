// The directories of an allocation and of its tasks (client contract 3.10). Idempotent: restoring builds them again.
// Blocking, quick: a few mkdir calls.
#pragma once

#include <string>

#include "lib/model/task.h"
#include "sdk/base/error.h"

namespace drover::agent {

// <alloc>/alloc/{data,logs,tmp}, 0777 and nobody's when we are root.
[[nodiscard]] Result<> build_alloc_dir(const std::string& alloc_dir);
// <alloc>/<task>/{local,secrets,private,tmp}.
[[nodiscard]] Result<> build_task_dir(const std::string& alloc_dir, const std::string& task);
// How our drivers are to keep the task's output: `.<task>.logs.json` beside the logs.
[[nodiscard]] Result<> write_log_settings(const std::string& alloc_dir, const std::string& task, const model::LogConfig* logs);
// Unmounts what is mounted below, then removes the tree. Blocking and possibly long: run it on a pool.
[[nodiscard]] Result<> remove_alloc_dir(const std::string& alloc_dir);

}  // namespace drover::agent
