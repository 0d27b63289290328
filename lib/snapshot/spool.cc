#include "lib/snapshot/spool.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "sdk/base/file.h"

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

Result<Spool> Spool::open(const std::string& directory) {
  auto file = open_unnamed(directory);
  if (!file) return fail(file.error());
  return Spool(std::move(*file));
}

Result<> Spool::add(std::string_view bytes) {
  constexpr std::uint64_t at_once = 8u << 20;
  DROVER_TRY(write_all(file_.get(), bytes));
  size_ += bytes.size();
  if (size_ - begun_ < at_once) return {};
  // Some file systems cannot; then it is written when the kernel likes.
  ::sync_file_range(file_.get(), static_cast<off_t>(begun_), static_cast<off_t>(size_ - begun_), SYNC_FILE_RANGE_WRITE);
  begun_ = size_;
  return {};
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
