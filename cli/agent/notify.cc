#include "cli/agent/notify.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "sdk/base/fd.h"

namespace drover::cli {

void notify_service_manager(std::string_view state) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  if (path == nullptr || (path[0] != '/' && path[0] != '@')) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::size_t length = std::strlen(path);
  if (length >= sizeof address.sun_path) return;
  std::memcpy(address.sun_path, path, length);
  // A leading @ names the abstract namespace.
  if (path[0] == '@') address.sun_path[0] = '\0';
  const Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
  // A manager that does not listen is not the agent's failure.
  [[maybe_unused]] const auto sent = ::sendto(socket.get(), state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address), size);
}

std::optional<std::chrono::microseconds> watchdog_limit(const std::map<std::string, std::string>& environment, int pid) {
  const auto number = [&](const char* name) -> std::int64_t {
    const auto at = environment.find(name);
    std::int64_t out = -1;
    if (at == environment.end()) return out;
    const auto [end, error] = std::from_chars(at->second.data(), at->second.data() + at->second.size(), out);
    return error == std::errc() && *end == '\0' ? out : -1;
  };
  const std::int64_t limit = number("WATCHDOG_USEC");
  if (limit <= 0 || (environment.contains("WATCHDOG_PID") && number("WATCHDOG_PID") != pid)) return std::nullopt;
  return std::chrono::microseconds(limit);
}

Async<> feed_watchdog(std::chrono::microseconds limit) {
  for (;;) {
    notify_service_manager("WATCHDOG=1");
    co_await sleep_for(limit / 2);
  }
}

Async<> extend_stop() {
  for (;;) {
    notify_service_manager("EXTEND_TIMEOUT_USEC=30000000");
    co_await sleep_for(std::chrono::seconds(10));
  }
}

}  // namespace drover::cli
