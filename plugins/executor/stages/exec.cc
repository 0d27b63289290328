// The last stage: standard streams, directory, signals, and the program.
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <climits>
#include <csignal>
#include <cstring>

#include "plugins/executor/child.h"

namespace drover::executor {
namespace {

Failure take_streams(const Child& child) {
  const bool terminal = static_cast<bool>(child.terminal);
  const int sources[3] = {terminal ? child.terminal.get() : child.stdin_fd, terminal ? child.terminal.get() : child.stdout_fd,
                          terminal ? child.terminal.get() : child.stderr_fd};
  for (int target = 0; target < 3; ++target) {
    // All sources are above 2, so no dup2 can hit one that is still needed.
    if (::dup2(sources[target], target) < 0) return failed("standard streams");
  }
  return {};
}

// not through a magic link, which could lead to a descriptor of ours; and a directory that is not below the root would be
// reported as unreachable.
Failure enter_directory(const char* path) {
  const Handle directory(open_beneath(AT_FDCWD, path, O_PATH | O_DIRECTORY, 0, RESOLVE_NO_MAGICLINKS));
  if (!directory || ::fchdir(directory.get()) != 0) return failed(path);
  char buffer[PATH_MAX];
  if (::syscall(SYS_getcwd, buffer, sizeof buffer) < 0) return failed(path);
  return buffer[0] == '/' ? Failure{} : Failure{EXDEV, path};
}

void reset_signals() {
  // By system call: the library refuses signals 32 and 33, which an ancestor may ignore all the same.
  struct {
    void (*handler)(int) = SIG_DFL;
    unsigned long flags = 0;
    void (*restorer)() = nullptr;
    unsigned long mask = 0;
  } action;
  for (int number = 1; number < NSIG; ++number) ::syscall(SYS_rt_sigaction, number, &action, nullptr, sizeof action.mask);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

const char* search_path(char* const* environment) {
  for (; *environment != nullptr; ++environment) {
    if (std::strncmp(*environment, "PATH=", 5) == 0) return *environment + 5;
  }
  return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

// what a magic link names may be one of our descriptors. Says why a file cannot be run, else does not return.
Failure execute_file(const char* path, const Spec& spec) {
  const Handle file(open_beneath(AT_FDCWD, path, O_PATH, 0, RESOLVE_NO_MAGICLINKS));
  if (!file) return failed(spec.executable);
  ::execve(path, spec.arguments, spec.environment);
  return failed(spec.executable);
}

Failure execute(const Spec& spec) {
  if (std::strchr(spec.executable, '/') != nullptr) return execute_file(spec.executable, spec);
  int error = ENOENT;
  const std::size_t name_length = std::strlen(spec.executable);
  for (const char* part = search_path(spec.environment); part != nullptr;) {
    const char* end = std::strchr(part, ':');
    const std::size_t length = end != nullptr ? static_cast<std::size_t>(end - part) : std::strlen(part);
    char path[PATH_MAX];
    if (length != 0 && length + name_length + 2 <= sizeof path) {
      std::memcpy(path, part, length);
      path[length] = '/';
      std::memcpy(path + length + 1, spec.executable, name_length + 1);
      const Failure failure = execute_file(path, spec);
      if (failure.error != ENOENT && failure.error != ENOTDIR) error = failure.error;
    }
    part = end != nullptr ? end + 1 : nullptr;
  }
  return {error, spec.executable};
}

// Nothing of the task runs before its record is durable. The executor gone: nobody would hold the task.
void wait_for_record(const Child& child) {
  char go = 0;
  ssize_t size = 0;
  do {
    size = ::recv(child.report_fd, &go, 1, 0);
  } while (size < 0 && errno == EINTR);
  if (size != 1) ::_exit(127);
}

// The program becomes a child of process 1, which this one stays.
Failure become_init(const Child& child) {
  clone_args args{};
  args.exit_signal = SIGCHLD;
  const long pid = clone3(args);
  if (pid < 0) return failed("making the program's process");
  if (pid == 0) return {};
  for (int fd = 0; fd < 3; ++fd) ::close(fd);
  if (::dup2(child.init_fd, 3) != 3 || close_from(4, 0) != 0) ::_exit(127);
  run_init(static_cast<pid_t>(pid), 3);
}

// last, so that a profile has to allow nothing but what the program does, and the exec that starts it.
Failure install_filter(const Rights& rights) {
  if (rights.filter_size == 0) return {};
  const sock_fprog program{static_cast<unsigned short>(rights.filter_size / sizeof(sock_filter)),
                           reinterpret_cast<sock_filter*>(const_cast<char*>(rights.filter))};
  return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0 ? Failure{} : failed("installing the seccomp filter");
}

}  // namespace

Failure enter_exec(Child& child) {
  if (auto failure = take_streams(child)) return failure;
  if (auto failure = enter_directory(child.spec.directory)) return failure;
  if (child.spec.has(flag::die_with_executor)) {
    // After the change of user, which clears it. Across a pid namespace getppid() is always 0, so the report channel tells
    // whether the executor was still there when the request was made.
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return failed("parent-death signal");
    pollfd peer{child.report_fd, 0, 0};
    if (::poll(&peer, 1, 0) > 0 && (peer.revents & (POLLHUP | POLLERR)) != 0) ::_exit(127);
  }
  reset_signals();
  if (child.waits) wait_for_record(child);
  if (child.spec.has(flag::init) && child.init_fd >= 0) {
    if (auto failure = become_init(child)) return failure;
  }
  // whatever slipped in, the program sees 0, 1 and 2 only.
  if (close_from(3, CLOSE_RANGE_CLOEXEC) != 0) return failed("close_range");
  if (auto failure = install_filter(child.spec.rights)) return failure;
  return execute(child.spec);
}

}  // namespace drover::executor
