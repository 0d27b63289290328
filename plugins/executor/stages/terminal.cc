// The terminal of an interactive session, from the task's own devpts (R-041: the peer by TIOCGPTPEER, never by path).
#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "plugins/executor/child.h"

namespace drover::executor {

Failure enter_terminal(Child& child) {
  if (!child.spec.has(flag::terminal)) return {};
  Handle master(::open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NOFOLLOW));
  // The host's own devpts often keeps pts/ptmx without rights and /dev/ptmx as the way in.
  if (!master) master = Handle(::open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!master) return failed("/dev/pts/ptmx");
  int unlocked = 0;
  if (::ioctl(master.get(), TIOCSPTLCK, &unlocked) != 0) return failed("unlocking the terminal");
  child.terminal = Handle(::ioctl(master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!child.terminal) return failed("the terminal's peer");
  if (child.spec.rows != 0 || child.spec.columns != 0) {
    winsize size{child.spec.rows, child.spec.columns, 0, 0};
    ::ioctl(master.get(), TIOCSWINSZ, &size);
  }
  if (::geteuid() == 0 && ::fchown(child.terminal.get(), child.spec.user_namespace_first + child.spec.rights.user.uid, static_cast<gid_t>(-1)) != 0) return failed("the terminal's owner");
  // the session leader made by setsid gets this terminal and can reach no other.
  if (::ioctl(child.terminal.get(), TIOCSCTTY, 0) != 0) return failed("the controlling terminal");
  send_report(child.report_fd, Report{Report::Kind::terminal, Stage::terminal, 0, 0, {}}, master.get());
  return {};
}

}  // namespace drover::executor
