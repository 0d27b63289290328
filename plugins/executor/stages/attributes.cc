// N-029: attributes that would otherwise come from the executor or the agent. First, while the host's /proc is in sight.
#include <fcntl.h>
#include <linux/keyctl.h>
#include <linux/magic.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <charconv>
#include <cstring>

#include "plugins/executor/child.h"

namespace drover::executor {
namespace {

// into a real procfs, and read back, since a mount over /proc could take a write and do nothing with it.
Failure set_oom_score(int value) {
  constexpr const char* path = "/proc/self/oom_score_adj";
  char text[16], now[16];
  const auto size = std::to_chars(text, text + sizeof text, value).ptr - text;
  const Handle file(::open(path, O_RDWR | O_CLOEXEC));
  struct statfs info {};
  if (!file || ::fstatfs(file.get(), &info) != 0) return failed(path);
  if (info.f_type != PROC_SUPER_MAGIC) return {EXDEV, path};
  if (::write(file.get(), text, static_cast<std::size_t>(size)) < 0) return failed(path);
  const bool same = ::pread(file.get(), now, sizeof now, 0) == size + 1 && std::memcmp(text, now, static_cast<std::size_t>(size)) == 0;
  return same ? Failure{} : Failure{EIO, path};
}

// What a process inherits from its parent without asking. Each fails only where the kernel lacks the thing itself.
void reset_inherited() {
  ::umask(022);
  ::setpriority(PRIO_PROCESS, 0, 0);
  const sched_param normal{};
  ::sched_setscheduler(0, SCHED_OTHER, &normal);
  ::syscall(SYS_ioprio_set, 1 /* this process */, 0, 0);
  ::personality(PER_LINUX);
  // Every core, which the kernel narrows to the task's cpuset.
  unsigned long cores[128];
  std::memset(cores, 0xff, sizeof cores);
  ::syscall(SYS_sched_setaffinity, 0, sizeof cores, cores);
  ::syscall(SYS_set_mempolicy, MPOL_DEFAULT, nullptr, 0);
  // pages are not merged with those of other tasks, which could tell what they hold.
  constexpr int set_memory_merge = 67;  // Linux 6.4
  ::prctl(set_memory_merge, 0, 0, 0, 0);
  // a session keyring of its own, so that no key of the agent or of another task is in it.
  ::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr);
}

}  // namespace

Failure enter_attributes(Child& child) {
  if (const auto failure = set_oom_score(child.spec.oom_score_adj)) {
    // Lowering it needs a right that an agent without root lacks; the inherited value is then all there is.
    if (::geteuid() == 0) return failure;
  }
  reset_inherited();
  if (::setsid() < 0) return failed("setsid");
  return {};
}

}  // namespace drover::executor
