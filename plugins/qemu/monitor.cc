#include "plugins/qemu/monitor.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <cstring>

#include "plugins/qemu/config.h"
#include "sdk/base/fd.h"

namespace drover::qemu {
namespace {

constexpr std::string_view prompt = "(qemu) ";

Result<Fd> connect_to(const std::string& task_dir) {
  const auto place = open_file(task_dir + "/" + monitor_socket, O_PATH | O_NOFOLLOW);
  if (!place) return fail(place.error());
  struct stat info {};
  if (::fstat(place->get(), &info) != 0 || !S_ISSOCK(info.st_mode)) return fail(Code::not_found, "\"{}/{}\" is not a socket", task_dir, monitor_socket);
  Fd out(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!out) return fail_errno("making a socket");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  // Through the descriptor: it is the file that was checked, and the path's own length does not matter.
  const std::string name = fmt::format("/proc/self/fd/{}", place->get());
  std::memcpy(address.sun_path, name.c_str(), name.size() + 1);
  if (::connect(out.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return fail_errno("connecting to the monitor of \"{}\"", task_dir);
  return out;
}

using Socket = asio::local::stream_protocol::socket;

// Reads up to the next prompt; false at the end of the connection.
Async<bool> read_prompt(Socket& socket) {
  std::string text;
  char buffer[512];
  while (!text.ends_with(prompt)) {
    const auto [error, size] = co_await socket.async_read_some(asio::buffer(buffer), no_throw);
    if (error) co_return false;
    text.append(buffer, size);
    if (text.size() > 65536) text.erase(0, text.size() - prompt.size());
  }
  co_return true;
}

Async<Result<>> converse(Socket& socket, const std::string& line) {
  const bool greeted = co_await read_prompt(socket);
  if (!greeted) co_return fail(Code::unavailable, "the monitor closed the connection");
  const auto [error, size] = co_await asio::async_write(socket, asio::buffer(line), no_throw);
  if (error) co_return fail(errno_error(error.value(), "writing to the monitor"));
  // A machine that obeys at once takes its monitor with it.
  co_await read_prompt(socket);
  co_return Result<>{};
}

}  // namespace

Async<Result<>> send_to_monitor(std::string task_dir, std::string command, std::chrono::nanoseconds limit) {
  auto connected = connect_to(task_dir);
  if (!connected) co_return fail(std::move(connected).error());
  Socket socket(co_await asio::this_coro::executor, asio::local::stream_protocol(), connected->release());
  const std::string line = command + "\n";
  using namespace asio::experimental::awaitable_operators;
  auto answer_or_late = converse(socket, line) || sleep_for(limit);
  auto answer = co_await std::move(answer_or_late);
  if (answer.index() == 1) co_return fail(Code::deadline_exceeded, "the monitor of \"{}\" did not answer", task_dir);
  co_return std::get<0>(std::move(answer));
}

}  // namespace drover::qemu
