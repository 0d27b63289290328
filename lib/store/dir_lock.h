// One process per data directory (F-10): a lock file held by flock(2) that names its holder.
//
// Held as long as the value lives; the kernel lets go when the process dies, however it dies. The file stays behind.
#pragma once

#include <string>

#include "sdk/base/fd.h"

namespace drover {

class DirLock {
 public:
  // Does not wait. Code::conflict names the process that holds the directory and says what to do.
  [[nodiscard]] static Result<DirLock> acquire(const std::string& directory);

 private:
  explicit DirLock(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace drover
