#include "sdk/rpc/own_place.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

#include "sdk/async/process.h"

namespace drover::rpc {
namespace {
constexpr int waiting = 16;
constexpr std::chrono::milliseconds pause{100};
}  // namespace

Result<OwnPlace> OwnPlace::open() {
  // An address of nothing but its family: the kernel picks a name in the abstract name space, which no file can take the place of.
  Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  socklen_t size = sizeof address;
  if (!socket || ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address.sun_family) != 0 || ::listen(socket.get(), waiting) != 0 ||
      ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return fail_errno("making a place for TLS");
  }
  const std::string name(address.sun_path + 1, size - offsetof(sockaddr_un, sun_path) - 1);
  return OwnPlace(std::move(socket), "unix-abstract:" + name);
}

Async<Fd> OwnPlace::accept() {
  for (;;) {
    const auto ready = co_await wait_readable(listening_.get());
    Fd taken(ready ? ::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK) : -1);
    if (!taken && ready && (errno == EAGAIN || errno == ECONNABORTED || errno == EINTR)) continue;
    if (!taken) {
      co_await sleep_for(pause);  // out of descriptors
      continue;
    }
    // The place has a name that others on this machine can find, but it is for nobody else.
    ucred peer{};
    socklen_t size = sizeof peer;
    if (::getsockopt(taken.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.pid == ::getpid()) co_return taken;
  }
}

}  // namespace drover::rpc
