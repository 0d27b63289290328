#include "plugins/executor/log_stream.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <charconv>
#include <cstring>
#include <string_view>

namespace drover::executor {
namespace {
// A writer this quick between two looks gets a pipe that it does not fill before the next one.
constexpr std::uint64_t busy_bytes = 32u << 10;
// All of a wide pipe in one call: each call costs the file system a transaction.
constexpr std::uint64_t splice_bytes = 1u << 20;
// So that a task that writes without end cannot keep the loop from everything else.
constexpr std::uint64_t pump_bytes = 2u << 20;
}  // namespace

void WindowBuffer::release_pages() { ::madvise(bytes, sizeof bytes, MADV_DONTNEED); }

void LogStream::name_of(std::uint64_t index, char (&out)[256]) const {
  const std::size_t length = std::strlen(name_);
  std::memcpy(out, name_, length);
  out[length] = '.';
  *std::to_chars(out + length + 1, out + sizeof out - 1, index).ptr = '\0';
}

// Sets index_ and oldest_ from the names in the directory.
void LogStream::find_files(WindowBuffer& window) {
  const Handle listing(::openat(directory_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!listing) return;
  const std::string_view base(name_);
  bool found = false;
  for (;;) {
    const ssize_t size = ::getdents64(listing.get(), window.bytes, sizeof window.bytes);
    if (size <= 0) break;
    for (ssize_t at = 0; at < size;) {
      const auto* entry = reinterpret_cast<const dirent64*>(window.bytes + at);
      at += entry->d_reclen;
      std::string_view text(entry->d_name);
      if (text.size() <= base.size() + 1 || std::memcmp(text.data(), base.data(), base.size()) != 0 || text[base.size()] != '.') continue;
      text.remove_prefix(base.size() + 1);
      std::uint64_t index = 0;
      const auto parsed = std::from_chars(text.data(), text.data() + text.size(), index);
      if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) continue;
      index_ = found && index_ > index ? index_ : index;
      oldest_ = found && oldest_ < index ? oldest_ : index;
      found = true;
    }
  }
}

Failure LogStream::open_file(std::uint64_t index) {
  char name[256];
  name_of(index, name);
  // Not O_APPEND, which splice refuses: we are the only writer and keep the offset. Readable for line_started(). O_NONBLOCK is for
  // a FIFO that somebody put there; files ignore it.
  constexpr int how = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  Handle file(::openat(directory_, name, how, 0644));
  struct stat info {};
  // N-002: a link (also a hard one), a FIFO or a device in place of a log is none of ours. It goes, and nothing is written to what it
  // stands for. A directory cannot be removed that simply, and is the task's own loss.
  const auto is_log = [&] { return file && ::fstat(file.get(), &info) == 0 && S_ISREG(info.st_mode) && info.st_nlink == 1; };
  if (!is_log() && (file || errno == ELOOP || errno == ENXIO || errno == ENODEV)) {
    if (::unlinkat(directory_, name, 0) != 0) return failed("log file");
    file = Handle(::openat(directory_, name, how | O_EXCL, 0644));
  }
  if (!is_log()) return failed("log file");
  file_ = std::move(file);
  index_ = index;
  size_ = static_cast<std::uint64_t>(info.st_size);
  return {};
}

Failure LogStream::open(int directory, const char* name, std::uint64_t max_files, std::uint64_t max_bytes, Handle pipe,
                        WindowBuffer& window) {
  directory_ = directory;
  if (std::strlen(name) >= sizeof name_ || std::strchr(name, '/') != nullptr) return {ENAMETOOLONG, name};
  std::strcpy(name_, name);
  max_files_ = max_files;
  max_bytes_ = max_bytes;
  const int flags = ::fcntl(pipe.get(), F_GETFL);
  if (flags < 0 || ::fcntl(pipe.get(), F_SETFL, flags | O_NONBLOCK) != 0) return failed("log pipe");
  pipe_ = std::move(pipe);
  find_files(window);
  return open_file(index_);
}

void LogStream::rotate() {
  const std::uint64_t next = index_ + 1;
  if (open_file(next)) {
    // Without a new file the old one goes on past its limit: bytes matter more than the limit.
    index_ = next - 1;
    max_bytes_ = size_ + max_bytes_;
    return;
  }
  const std::uint64_t keep = oldest_to_keep(oldest_, index_, max_files_);
  for (; oldest_ < keep; ++oldest_) {
    char name[256];
    name_of(oldest_, name);
    ::unlinkat(directory_, name, 0);
  }
}

bool LogStream::line_started() {
  char last = '\n';
  if (size_ == 0 || ::pread(file_.get(), &last, 1, static_cast<off_t>(size_ - 1)) != 1) return true;
  return last == '\n';
}

LogStream::Moved LogStream::drop() {
  char discarded[4096];
  const ssize_t size = ::read(pipe_.get(), discarded, sizeof discarded);
  if (size == 0) return Moved::end;
  if (size < 0) return errno == EAGAIN || errno == EINTR ? Moved::nothing_now : Moved::end;
  dropped_ += static_cast<std::uint64_t>(size);
  moved_ += static_cast<std::uint64_t>(size);
  return Moved::some;
}

LogStream::Moved LogStream::splice_blind(std::uint64_t room) {
  off64_t offset = static_cast<off64_t>(size_);
  const auto want = static_cast<std::size_t>(room < splice_bytes ? room : splice_bytes);
  const ssize_t size = ::splice(pipe_.get(), nullptr, file_.get(), &offset, want, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
  if (size > 0) {
    size_ += static_cast<std::uint64_t>(size);
    moved_ += static_cast<std::uint64_t>(size);
    return Moved::some;
  }
  if (size == 0) return Moved::end;
  if (errno == EAGAIN || errno == EINTR) return Moved::nothing_now;
  return drop();
}

LogStream::Moved LogStream::copy_lines(WindowBuffer& window) {
  const ssize_t got = ::read(pipe_.get(), window.bytes, sizeof window.bytes);
  if (got == 0) return Moved::end;
  if (got < 0) return errno == EAGAIN || errno == EINTR ? Moved::nothing_now : Moved::end;
  copied_ = true;
  moved_ += static_cast<std::uint64_t>(got);
  std::string_view left(window.bytes, static_cast<std::size_t>(got));
  while (!left.empty()) {
    const WritePlan plan = plan_write(size_, max_bytes_, line_started(), left);
    for (std::uint64_t done = 0; done < plan.write;) {
      const ssize_t wrote = ::pwrite(file_.get(), left.data() + done, plan.write - done, static_cast<off_t>(size_));
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote <= 0) {
        dropped_ += plan.write - done;
        break;
      }
      done += static_cast<std::uint64_t>(wrote);
      size_ += static_cast<std::uint64_t>(wrote);
    }
    left.remove_prefix(plan.write);
    if (plan.rotate) rotate();
  }
  return Moved::some;
}

bool LogStream::pump(WindowBuffer& window) {
  Moved moved = Moved::some;
  moved_ = 0;
  for (int round = 0; round < 16 && moved_ < pump_bytes && moved == Moved::some; ++round) {
    const std::uint64_t room = blind_room(size_, max_bytes_);
    moved = room > 0 ? splice_blind(room) : copy_lines(window);
  }
  if (copied_) window.release_pages();
  copied_ = false;
  if (!is_wide_ && moved_ >= busy_bytes) is_wide_ = ::fcntl(pipe_.get(), F_SETPIPE_SZ, 1 << 20) > 0;
  return moved != Moved::end;
}

}  // namespace drover::executor
