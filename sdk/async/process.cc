#include "sdk/async/process.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/optional.hpp>
#include <boost/type_traits.hpp>
#include <boost/process/v2/environment.hpp>
#include <boost/process/v2/posix/bind_fd.hpp>
#include <boost/process/v2/posix/vfork_launcher.hpp>
#include <boost/process/v2/process.hpp>
#include <boost/process/v2/start_dir.hpp>
#include <boost/process/v2/stdio.hpp>
#include <cstdlib>

namespace drover {
namespace {
namespace bp = boost::process::v2;

// Child-side steps that Boost.Process has no initialiser for. Runs between vfork and exec: system calls only.
struct ChildSetup {
  bool new_session;
  const char* directory;
  const rlimit& open_files;
  template <class Launcher>
  boost::system::error_code on_exec_setup(Launcher&, const bp::filesystem::path&, const char* const*) const {
    // A service manager's strict umask is for the agent's own files: plugins, and what tasks get of them, expect the usual one.
    ::umask(022);
    // Refused only when somebody has lowered the hard limit of the running process; then that one stays.
    [[maybe_unused]] const int limited = ::setrlimit(RLIMIT_NOFILE, &open_files);
    if (new_session && ::setsid() < 0) return {errno, boost::system::system_category()};
    if (directory != nullptr && ::chdir(directory) != 0) return {errno, boost::system::system_category()};
    return {};
  }
  // The launcher would go on to exit(), and so run the exit handlers and destroy the statics of the parent, whose memory this is.
  // It asks for this member with other arguments than it calls it with.
  template <class... Any>
  void on_exec_error(const Any&...) const {
    ::_exit(EXIT_FAILURE);
  }
};

// Binds the extra descriptors and keeps them through the launcher's close_range.
struct BindDescriptors {
  const std::vector<std::pair<int, int>>& wanted;
  template <class Launcher>
  boost::system::error_code on_setup(Launcher& launcher, const bp::filesystem::path&, const char* const*) const {
    for (const auto& [target, source] : wanted) launcher.fd_whitelist.push_back(target);
    return {};
  }
  template <class Launcher>
  boost::system::error_code on_exec_setup(Launcher&, const bp::filesystem::path&, const char* const*) const {
    for (const auto& [target, source] : wanted) {
      if (::dup2(source, target) < 0) return {errno, boost::system::system_category()};
    }
    return {};
  }
};
}  // namespace

Result<Process> spawn_process(const SpawnOptions& options) {
  const auto stdio = [](int fd, int fallback) { return fd < 0 ? fallback : fd; };
  auto null = open_file("/dev/null", O_RDWR);
  if (!null) return fail(std::move(null).error());
  bp::process_stdio streams;
  streams.in = stdio(options.stdin_fd, null->get());
  streams.out = stdio(options.stdout_fd, null->get());
  streams.err = stdio(options.stderr_fd, null->get());
  boost::system::error_code error;
  // The launcher tells its context of the fork in the child as well. After vfork that child shares our memory, so the loop's
  // own context would lose its signal registrations: launch on one of its own, which dies here.
  asio::io_context launching(1);
  bp::posix::vfork_launcher launcher;
  // The one with on_exec_error comes last: it does not return.
  auto child = launcher(
      launching.get_executor(), error, bp::filesystem::path(options.executable), options.arguments, std::move(streams),
      bp::process_environment(options.environment), BindDescriptors{options.descriptors},
      ChildSetup{options.new_session, options.directory.empty() ? nullptr : options.directory.c_str(), open_files_at_start()});
  if (error) {
    // A child that could not become the program has ended already, and nobody else waits for it.
    if (launcher.pid > 0) ::waitpid(launcher.pid, nullptr, 0);
    return fail(errno_error(error.value(), fmt::format("starting \"{}\"", options.executable)));
  }
  const pid_t pid = child.id();
  child.detach();
  // The child cannot be reaped by anybody else, so the number still names it.
  return Process::open(pid);
}

Async<Result<>> wait_readable(int fd) {
  asio::posix::stream_descriptor descriptor(co_await asio::this_coro::executor, fd);
  const auto [error] = co_await descriptor.async_wait(asio::posix::stream_descriptor::wait_read, no_throw);
  descriptor.release();
  co_await throw_if_cancelled();
  if (error) co_return fail(errno_error(error.value(), fmt::format("waiting for descriptor {}", fd)));
  co_return Result<>{};
}

Async<Result<ExitStatus>> wait_process(const Process& process) {
  auto own = Fd(::dup(process.pidfd()));
  do {
    const auto ready = co_await wait_readable(own.get());
    if (!ready) co_return fail(ready.error());
    // An event of an earlier descriptor of this number may wake us: the process decides.
  } while (process.alive());
  ExitStatus status;
  const auto reaped = process.try_reap(status);
  if (!reaped) co_return fail(Code::not_found, "process {} is gone and was not ours to reap", process.pid());
  co_return status;
}

}  // namespace drover
