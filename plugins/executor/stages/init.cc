// Process 1 of a task with `init = true`: it reaps what the task leaves behind and passes signals on. The program is its child.
//
// It stays in this binary, so it must not be open to the task: it is not dumpable and has the task's rights, no more.
#include <sys/prctl.h>
#include <sys/wait.h>

#include <csignal>

#include "plugins/executor/child.h"

namespace drover::executor {

void run_init(pid_t program, int status_fd) {
  ::prctl(PR_SET_NAME, "drover-init");
  ::prctl(PR_SET_DUMPABLE, 0);
  // Blocked signals are kept for process 1 too; sigwaitinfo takes them one by one.
  sigset_t all;
  sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  for (;;) {
    int status = 0;
    for (;;) {
      const pid_t ended = ::waitpid(-1, &status, WNOHANG);
      if (ended <= 0) break;
      if (ended != program) continue;
      // How it ended goes to the executor as it is: process 1 cannot die of most signals.
      while (::write(status_fd, &status, sizeof status) < 0 && errno == EINTR) {}
      ::_exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
    }
    siginfo_t received{};
    const int number = ::sigwaitinfo(&all, &received);
    if (number > 0 && number != SIGCHLD) ::kill(program, number);
  }
}

}  // namespace drover::executor
