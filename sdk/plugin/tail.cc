#include "sdk/plugin/tail.h"

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "sdk/async/process.h"

namespace drover::plugin {
namespace {
constexpr std::int64_t keep = 1 << 20;
}

Result<Tail> Tail::open(const std::string& path, bool from_end) {
  auto file = open_file(path, O_RDWR);
  if (!file) return fail(file.error());
  Fd inotify(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!inotify || ::inotify_add_watch(inotify.get(), path.c_str(), IN_MODIFY) < 0) return fail_errno("watching \"{}\"", path);
  Tail out(std::move(*file), std::move(inotify));
  if (from_end) {
    struct stat info {};
    if (::fstat(out.file_.get(), &info) == 0) out.offset_ = info.st_size;
  }
  return out;
}

std::string Tail::read_available() {
  std::string out;
  char buffer[16384];
  for (;;) {
    const ssize_t size = ::pread(file_.get(), buffer, sizeof buffer, offset_);
    if (size <= 0) break;
    out.append(buffer, static_cast<std::size_t>(size));
    offset_ += size;
    if (out.size() >= (1 << 20)) return out;
  }
  // The writer appends, so after the cut it goes on at the start.
  if (offset_ > keep && ::ftruncate(file_.get(), 0) == 0) offset_ = 0;
  return out;
}

Async<Result<>> Tail::wait() {
  auto ready = co_await wait_readable(inotify_.get());
  char events[4096];
  while (::read(inotify_.get(), events, sizeof events) > 0) {
  }
  co_return ready;
}

void LineSplitter::feed(std::string_view chunk, const std::function<void(std::string_view)>& line) {
  while (!chunk.empty()) {
    const std::size_t end = chunk.find('\n'), size = std::min(end, chunk.size()), room = limit_ - rest_.size();
    if (size > room) {  // a piece of a line that is too long
      rest_.append(chunk.substr(0, room));
      chunk.remove_prefix(room);
      line(rest_);
      rest_.clear();
      continue;
    }
    rest_.append(chunk.substr(0, size));
    if (end == std::string_view::npos) return;
    std::string_view whole = rest_;
    if (whole.ends_with('\r')) whole.remove_suffix(1);
    line(whole);
    rest_.clear();
    chunk.remove_prefix(end + 1);
  }
}

}  // namespace drover::plugin
