// The drover-executor that is started, out of the reach of every task.
//
// Its processes are in a task's sight for an instant when they join it, and for good as its init. A task of root that could open
// their file for writing would own the host, so they run from a private mount of its directory that cannot be written to. It
// costs nothing: the pages are the file's own.
#pragma once

#include <string>

#include "sdk/base/fd.h"

namespace drover {

class ExecutorBinary {
 public:
  explicit ExecutorBinary(std::string path) : path_(std::move(path)) {}
  [[nodiscard]] const std::string& path() const { return path_; }
  // What to execute. The plain path where we may not mount: there tasks are of our own user, or unconfined anyway.
  [[nodiscard]] std::string runnable();

 private:
  std::string path_;
  Fd directory_;  // detached, read-only
};

}  // namespace drover
