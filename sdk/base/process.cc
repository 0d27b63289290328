#include "sdk/base/process.h"

#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "sdk/base/file.h"

namespace drover {

Result<Process> Process::open(pid_t pid) {
  const auto fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (fd < 0) return fail_errno("opening process {}", pid);
  return Process(pid, Fd(fd));
}

Result<> Process::signal(int number) const {
  if (::syscall(SYS_pidfd_send_signal, pidfd_.get(), number, nullptr, 0) != 0) {
    return fail_errno("sending signal {} to process {}", number, pid_);
  }
  return {};
}

bool Process::alive() const {
  pollfd waiting{pidfd_.get(), POLLIN, 0};
  return pidfd_ && ::poll(&waiting, 1, 0) == 0;
}

Result<bool> Process::try_reap(ExitStatus& status) const {
  siginfo_t info{};
  if (::waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(pidfd_.get()), &info, WEXITED | WNOHANG) != 0) {
    return fail_errno("reaping process {}", pid_);
  }
  if (info.si_pid == 0) return false;
  status = {};
  if (info.si_code == CLD_EXITED) {
    status.code = info.si_status;
  } else {
    status.signal = info.si_status;
    status.core_dumped = info.si_code == CLD_DUMPED;
  }
  return true;
}

Result<std::uint64_t> process_start_ticks(pid_t pid) {
  auto text = read_file(fmt::format("/proc/{}/stat", pid));
  if (!text) return fail(std::move(text).error());
  // The command name is in parentheses and may hold blanks and parentheses: count fields from the last one.
  const std::size_t end = text->rfind(')');
  if (end == std::string::npos) return fail(Code::internal, "/proc/{}/stat has no command name", pid);
  const char* at = text->c_str() + end + 1;
  for (int field = 3; field < 22; ++field) {
    while (*at == ' ') ++at;
    while (*at != ' ' && *at != '\0') ++at;
  }
  return std::strtoull(at, nullptr, 10);
}

const rlimit& open_files_at_start() {
  static const rlimit at_start = [] {
    rlimit files{};
    return ::getrlimit(RLIMIT_NOFILE, &files) == 0 ? files : rlimit{1024, 1024};
  }();
  return at_start;
}

void raise_open_files() {
  constexpr rlim_t enough = 1u << 20;
  const rlimit& files = open_files_at_start();
  const rlimit more{std::max(files.rlim_cur, std::min(files.rlim_max, enough)), files.rlim_max};
  // It is our own limit, so nothing but a seccomp filter can refuse.
  if (::setrlimit(RLIMIT_NOFILE, &more) != 0) return;
}

Result<std::string> boot_id() {
  auto text = read_file("/proc/sys/kernel/random/boot_id");
  if (!text) return fail(std::move(text).error());
  while (!text->empty() && text->back() == '\n') text->pop_back();
  return std::move(*text);
}

}  // namespace drover
