#include "lib/store/dir_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>

#include "sdk/base/file.h"
#include "sdk/base/text.h"

namespace drover {

namespace {
constexpr int most_attempts = 500;
constexpr useconds_t pause_us = 10'000;

// Also when it has not said yet who it is.
bool is_gone(const std::string& pid) {
  pid_t number = 0;
  std::from_chars(pid.data(), pid.data() + pid.size(), number);
  return number <= 0 || (::kill(number, 0) != 0 && errno == ESRCH);
}
}  // namespace

Result<DirLock> DirLock::acquire(const std::string& directory, const std::function<void()>& pause) {
  DROVER_TRY(make_directories(directory, 0700));
  const std::string path = directory + "/lock";
  auto fd = open_file(path, O_RDWR | O_CREAT, 0600);
  if (!fd) return fail(std::move(fd).error());
  for (int attempt = 0; ::flock(fd->get(), LOCK_EX | LOCK_NB) != 0; ++attempt) {
    if (errno != EWOULDBLOCK) return fail_errno("locking \"{}\"", path);
    const auto holder = read_file(path, 64);
    const std::string pid(holder ? trim(*holder) : "");
    if (is_gone(pid) && attempt < most_attempts) {
      if (pause) pause();
      else ::usleep(pause_us);
      continue;
    }
    return fail(Code::conflict, "data directory \"{}\" is in use by process {}: stop that agent, or give this one another data_dir",
                directory, pid.empty() ? "of unknown id" : pid);
  }
  const std::string pid = fmt::format("{}\n", ::getpid());
  if (::ftruncate(fd->get(), 0) != 0) return fail_errno("emptying \"{}\"", path);
  if (auto done = write_all(fd->get(), pid); !done) return fail(done.error(), "writing \"{}\"", path);
  return DirLock(std::move(*fd));
}

}  // namespace drover
