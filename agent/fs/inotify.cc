#include "agent/fs/inotify.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>

namespace drover::agent {

Result<std::unique_ptr<Inotify>> Inotify::make(const Executor& executor) {
  const int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (fd < 0) return fail_errno("watching files (see fs.inotify.max_user_instances)");
  return std::unique_ptr<Inotify>(new Inotify(executor, fd));
}

Result<int> Inotify::watch(int fd, std::uint32_t mask) {
  const std::string path = fmt::format("/proc/self/fd/{}", fd);
  const int watch = inotify_add_watch(descriptor_.native_handle(), path.c_str(), mask);
  if (watch < 0) return fail_errno("watching a file (see fs.inotify.max_user_watches)");
  return watch;
}
Result<int> Inotify::watch_file(int fd) { return watch(fd, IN_MODIFY | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF); }
Result<int> Inotify::watch_directory(int fd) { return watch(fd, IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM); }
void Inotify::forget(int watch) { inotify_rm_watch(descriptor_.native_handle(), watch); }

Async<bool> Inotify::wait_for(std::chrono::nanoseconds limit) {
  using namespace asio::experimental::awaitable_operators;
  asio::steady_timer timer(descriptor_.get_executor(), limit);
  auto readable = descriptor_.async_wait(asio::posix::stream_descriptor::wait_read, no_throw);
  auto expired = timer.async_wait(no_throw);
  auto both = std::move(readable) || std::move(expired);
  (void)co_await std::move(both);
  co_await throw_if_cancelled();
  bool happened = false;
  std::array<char, 4096> events{};
  while (::read(descriptor_.native_handle(), events.data(), events.size()) > 0) happened = true;
  co_return happened;
}

}  // namespace drover::agent
