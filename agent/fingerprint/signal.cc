#include "agent/fingerprint/fingerprint.h"

namespace drover::agent {

// The signals a job may name; a wire fact, used by constraints on kill_signal and change_signal.
void fingerprint_signal(const FingerprintInput&, model::Node& node) {
  node.attributes["os.signals"] =
      "SIGABRT,SIGALRM,SIGBUS,SIGCHLD,SIGCONT,SIGFPE,SIGHUP,SIGILL,SIGINT,SIGIO,SIGIOT,SIGKILL,SIGNULL,SIGPIPE,SIGPROF,SIGQUIT,"
      "SIGSEGV,SIGSTOP,SIGSYS,SIGTERM,SIGTRAP,SIGTSTP,SIGTTIN,SIGTTOU,SIGURG,SIGUSR1,SIGUSR2,SIGWINCH,SIGXCPU,SIGXFSZ";
}

}  // namespace drover::agent
