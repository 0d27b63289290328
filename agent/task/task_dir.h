// The directories of an allocation and of its tasks (client contract 3.10). Idempotent: restoring builds them again. Tasks write
// below them, so everything is done by descriptors, beneath the allocation's own. Blocking, quick: a few system calls.
#pragma once

#include <string>

#include "lib/model/task.h"
#include "sdk/base/error.h"

namespace drover::agent {

// N-004: whether a task of this name may have a directory of its own beside the shared one.
[[nodiscard]] Result<> check_task_name(const std::string& name);

// <alloc>/alloc/{data,logs,tmp}, 0777 and nobody's when we are root.
[[nodiscard]] Result<> build_alloc_dir(const std::string& alloc_dir);

struct TaskDirs {
  // Why secrets/ lies on the disk; empty when it is memory, as it should be.
  std::string on_disk_because;
};
// <alloc>/<task>/{local,secrets,private,tmp}. secrets/ (of `secrets_mb`, 1 when 0) is a file system in memory; where this process may
// not mount it is a plain directory. N-051: anything else that is mounted there is refused. private/ is empty and closed to tasks.
[[nodiscard]] Result<TaskDirs> build_task_dir(const std::string& alloc_dir, const std::string& task, std::int64_t secrets_mb);
// What secrets/ holds is gone: the task will not run again.
[[nodiscard]] Result<> forget_secrets(const std::string& alloc_dir, const std::string& task);

// How our drivers are to keep the task's output: `.<task>.logs.json` beside the logs.
[[nodiscard]] Result<> write_log_settings(const std::string& alloc_dir, const std::string& task, const model::LogConfig* logs);
// Unmounts what is mounted below, then removes the tree. Blocking and possibly long: run it on a pool.
[[nodiscard]] Result<> remove_alloc_dir(const std::string& alloc_dir);

}  // namespace drover::agent
