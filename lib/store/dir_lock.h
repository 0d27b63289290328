// One process per data directory (F-10): a lock file held by flock(2) that names its holder.
//
// Held as long as the value lives; the kernel lets go when the process dies, however it dies. The file stays behind.
#pragma once

#include <functional>
#include <string>

#include "sdk/base/fd.h"

namespace drover {

class DirLock {
 public:
  // Does not wait for a process that lives: Code::conflict names it and says what to do. After one that was killed, what it was just
  // starting may hold the lock for the moment before it becomes another program; that is waited for, five seconds at most, with `pause`
  // between two looks (null: ten milliseconds).
  [[nodiscard]] static Result<DirLock> acquire(const std::string& directory, const std::function<void()>& pause = nullptr);

 private:
  explicit DirLock(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace drover
