#include "plugins/shared/program.h"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "sdk/async/process.h"
#include "sdk/base/defer.h"
#include "sdk/base/text.h"

namespace drover {
namespace {

constexpr std::size_t max_output = 64u << 10;

Result<Program> program_at(const std::string& path) {
  std::error_code error;
  Program out;
  out.path = std::filesystem::canonical(path, error).string();
  struct stat info {};
  if (error || ::stat(out.path.c_str(), &info) != 0) return fail(Code::not_found, "no such file");
  if (!S_ISREG(info.st_mode) || ::access(out.path.c_str(), X_OK) != 0) return fail(Code::permission_denied, "not an executable file");
  out.device = info.st_dev;
  out.inode = info.st_ino;
  out.modified_ns = std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec;
  return out;
}

Async<> read_to_end(Fd fd, std::string& out) {
  asio::posix::stream_descriptor stream(co_await asio::this_coro::executor, fd.release());
  char buffer[4096];
  for (;;) {
    const auto [error, size] = co_await stream.async_read_some(asio::buffer(buffer), no_throw);
    if (error) co_return;
    out.append(buffer, std::min(size, max_output - std::min(out.size(), max_output)));
  }
}

}  // namespace

std::string own_path() {
  const char* value = std::getenv("PATH");
  return value != nullptr && *value != '\0' ? value : "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

Result<Program> find_program(const std::string& name, const std::string& path_variable) {
  if (name.find('/') != std::string::npos) {
    auto found = program_at(name);
    if (!found) return fail(found.error().code(), "failed to resolve path to {} executable: {}", quote(name), found.error().message());
    return found;
  }
  for (const auto& directory : split(path_variable, ':')) {
    if (!directory.starts_with('/')) continue;  // never from wherever we happen to stand
    if (auto found = program_at(directory + "/" + name)) return found;
  }
  return fail(Code::not_found, "failed to resolve path to {} executable: not found in PATH ({})", quote(name), path_variable);
}

Async<Result<std::string>> program_output(std::string path, std::vector<std::string> arguments, std::chrono::nanoseconds limit) {
  auto pipe = make_pipe();
  if (!pipe) co_return fail(pipe.error());
  const int output = pipe->write_end.get();
  const auto process = spawn_process({.executable = path, .arguments = std::move(arguments), .environment = {"PATH=" + own_path()},
                                      .stdout_fd = output, .stderr_fd = output, .new_session = true});
  if (!process) co_return fail(process.error());
  pipe->write_end.reset();
  Defer kill([&] { [[maybe_unused]] const auto sent = process->signal(SIGKILL); });
  std::string out;
  using namespace asio::experimental::awaitable_operators;
  auto end_or_late = read_to_end(std::move(pipe->read_end), out) || sleep_for(limit);
  const auto first = co_await std::move(end_or_late);
  if (first.index() == 1) {
    [[maybe_unused]] const auto sent = process->signal(SIGKILL);
  }
  const auto status = co_await wait_process(*process);
  kill.dismiss();
  if (first.index() == 1) co_return fail(Code::deadline_exceeded, "\"{}\" gave no answer within {}", path, format_duration(limit));
  if (!status) co_return fail(status.error());
  if (!(*status == ExitStatus{})) co_return fail(Code::unavailable, "\"{}\" failed: {}", path, trim(out));
  co_return out;
}

}  // namespace drover
