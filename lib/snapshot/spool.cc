#include "lib/snapshot/spool.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace drover::snapshot {

Result<Fd> open_unnamed(const std::string& directory) {
  Fd out(::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (out || (errno != EOPNOTSUPP && errno != EISDIR)) return out ? Result<Fd>(std::move(out)) : fail_errno("creating a file in \"{}\"", directory);
  // Not every file system has such files.
  std::string path = directory + "/.spool-XXXXXX";
  Fd named(::mkostemp(path.data(), O_CLOEXEC));
  if (!named) return fail_errno("creating a file in \"{}\"", directory);
  ::unlink(path.c_str());
  return named;
}

Result<std::string> read_at(int file, std::uint64_t at, std::size_t limit) {
  std::string out(limit, '\0');
  for (;;) {
    const ssize_t got = ::pread(file, out.data(), out.size(), static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("reading a file");
    out.resize(static_cast<std::size_t>(got));
    return out;
  }
}

}  // namespace drover::snapshot
