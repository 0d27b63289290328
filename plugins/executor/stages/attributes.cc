// N-029: attributes that would otherwise come from the executor or the agent. First, while the host's /proc is in sight.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <charconv>

#include "plugins/executor/child.h"

namespace drover::executor {

Failure enter_attributes(Child& child) {
  char text[16];
  const auto end = std::to_chars(text, text + sizeof text, child.spec.oom_score_adj).ptr;
  const Handle file(::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
  if (!file || ::write(file.get(), text, static_cast<std::size_t>(end - text)) < 0) {
    // Lowering it needs a right that an agent without root lacks; the inherited value is then all there is.
    if (::geteuid() == 0) return failed("/proc/self/oom_score_adj");
  }
  ::umask(022);
  ::setpriority(PRIO_PROCESS, 0, 0);
  if (::setsid() < 0) return failed("setsid");
  return {};
}

}  // namespace drover::executor
