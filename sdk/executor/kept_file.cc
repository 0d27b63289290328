#include "sdk/executor/kept_file.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>

namespace drover {
namespace {

std::optional<std::string> read_all(int fd) {
  std::string out;
  char buffer[4096];
  for (;;) {
    const ssize_t n = ::pread(fd, buffer, sizeof buffer, static_cast<off_t>(out.size()));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::nullopt;
    out.append(buffer, static_cast<std::size_t>(n));
    // These files come in one piece when there is room for it.
    if (static_cast<std::size_t>(n) < sizeof buffer) return out;
  }
}

// Half of what the process may open is for others. The lowest number is given out first, so a high one says that much is open.
bool may_keep(int fd) {
  static const rlim_t most = [] {
    rlimit files{};
    return ::getrlimit(RLIMIT_NOFILE, &files) == 0 ? files.rlim_cur / 2 : 0;
  }();
  return static_cast<rlim_t>(fd) < most;
}

}  // namespace

std::optional<std::string> KeptFile::read() {
  if (fd_) {
    if (auto out = read_all(fd_.get())) return out;
  }
  fd_ = Fd(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd_) return std::nullopt;
  auto out = read_all(fd_.get());
  if (!out || !may_keep(fd_.get())) fd_.reset();
  return out;
}

}  // namespace drover
