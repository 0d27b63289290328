#include "lib/store/dir_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "sdk/base/file.h"
#include "sdk/base/text.h"

namespace drover {

Result<DirLock> DirLock::acquire(const std::string& directory) {
  DROVER_TRY(make_directories(directory, 0700));
  const std::string path = directory + "/lock";
  auto fd = open_file(path, O_RDWR | O_CREAT, 0600);
  if (!fd) return fail(std::move(fd).error());
  if (::flock(fd->get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return fail_errno("locking \"{}\"", path);
    const auto holder = read_file(path, 64);
    const std::string pid(holder ? trim(*holder) : "");
    return fail(Code::conflict, "data directory \"{}\" is in use by process {}: stop that agent, or give this one another data_dir",
                directory, pid.empty() ? "of unknown id" : pid);
  }
  const std::string pid = fmt::format("{}\n", ::getpid());
  if (::ftruncate(fd->get(), 0) != 0) return fail_errno("emptying \"{}\"", path);
  if (auto done = write_all(fd->get(), pid); !done) return fail(done.error(), "writing \"{}\"", path);
  return DirLock(std::move(*fd));
}

}  // namespace drover
