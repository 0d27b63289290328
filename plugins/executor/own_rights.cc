// What the supervisor itself gives up once the task runs. Sessions are its children, so it keeps what joining a task takes, and
// what the task itself may; a raw_exec task of root may everything, and then nothing can be given up. There is no
// seccomp filter here, since it would bind every program that is run in a session (docs/executor.md).
#include <linux/capability.h>

#include "plugins/executor/executor.h"

namespace drover::executor {

void Executor::give_up_rights() {
  if ((flags_ & flag::set_capabilities) == 0 || ::geteuid() != 0) return;
  std::uint64_t keep = rights_.capabilities;
  for (const int number : {CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_KILL, CAP_SETGID, CAP_SETUID, CAP_SETPCAP,
                           CAP_SYS_CHROOT, CAP_SYS_PTRACE, CAP_SYS_ADMIN, CAP_SYS_RESOURCE}) {
    keep |= std::uint64_t{1} << number;
  }
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  if (::syscall(SYS_capget, &header, data) != 0) return;
  for (int half = 0; half < 2; ++half) {
    const auto mask = static_cast<std::uint32_t>(keep >> (32 * half));
    data[half].permitted &= mask;
    data[half].effective &= mask;
    data[half].inheritable = 0;
  }
  ::syscall(SYS_capset, &header, data);
}

}  // namespace drover::executor
