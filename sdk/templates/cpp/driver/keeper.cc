#include "keeper.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <vector>

#include "sdk/base/clock.h"
#include "sdk/base/fd.h"
#include "sdk/base/file.h"

using namespace drover;
using json = nlohmann::json;

namespace {
struct Words {  // as exec wants them
  explicit Words(std::vector<std::string> given) : text(std::move(given)) {
    for (std::string& word : text) pointers.push_back(word.data());
    pointers.push_back(nullptr);
  }
  std::vector<std::string> text;
  std::vector<char*> pointers;
};

std::vector<std::string> environment_of(const json& spec) {
  std::vector<std::string> out;
  for (const auto& [key, value] : spec["env"].items()) out.push_back(key + "=" + value.get<std::string>());
  return out;
}

Result<Fd> open_output(std::string path) {
  if (path.empty()) path = "/dev/null";
  return open_file(path, O_WRONLY | O_APPEND);
}

// In the child. Returns only when it failed.
void become(const json& spec, int out, int err, const Words& command, const Words& environment) {
  ::setsid();
  for (const int number : {SIGINT, SIGPIPE}) std::signal(number, SIG_DFL);  // the plugin ignores them, its tasks need not
  ::dup2(out, 1);
  ::dup2(err, 2);
  if (::chdir(spec["directory"].get<std::string>().c_str()) != 0) return;
  if (const json& user = spec["user"]; user.is_object()) {
    const auto groups = user["groups"].get<std::vector<gid_t>>();
    if (::setgroups(groups.size(), groups.data()) != 0 || ::setgid(user["gid"].get<gid_t>()) != 0 || ::setuid(user["uid"].get<uid_t>()) != 0) return;
  }
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // after the change of user, which would undo it
  ::execvpe(command.pointers[0], command.pointers.data(), environment.pointers.data());
}

// The task's pid; or prints why not.
pid_t start(const json& spec) {
  const auto out = open_output(spec["stdout"]), err = open_output(spec["stderr"]);
  if (!out || !err) return std::printf("%s\n", (out ? err : out).error().message().c_str()), -1;
  const Words command(spec["command"].get<std::vector<std::string>>()), environment(environment_of(spec));
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return std::perror("pipe2"), -1;
  const Fd from(ends[0]);
  Fd to(ends[1]);
  const pid_t pid = ::fork();
  if (pid == 0) {
    become(spec, out->get(), err->get(), command, environment);
    const int problem = errno;
    [[maybe_unused]] const ssize_t told = ::write(to.get(), &problem, sizeof problem);
    ::_exit(127);
  }
  to = Fd();
  int problem = 0;
  if (::read(from.get(), &problem, sizeof problem) <= 0) return pid;  // the pipe was closed by exec
  ::waitpid(pid, nullptr, 0);
  std::printf("%s: %s\n", command.text[0].c_str(), std::strerror(problem));
  return -1;
}

bool write(const std::string& path, const std::string& text) { return replace_file_durably(path, text).has_value(); }
}  // namespace

int keep(const std::string& directory) {
  const json spec = json::parse(read_file(directory + "/spec").value_or(""), nullptr, false);
  if (!spec.is_object()) return 1;
  const pid_t pid = start(spec);
  if (pid < 0 || !write(directory + "/pid", std::to_string(pid))) return std::fflush(stdout), 1;
  std::printf("ok\n");
  std::fflush(stdout);
  ::dup2(2, 1);
  siginfo_t info{};
  while (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR) {  // its number stays taken
  }
  ::kill(-pid, SIGKILL);  // what it left behind
  int status = 0;
  ::waitpid(pid, &status, 0);
  const int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  const json end{{"code", signal != 0 ? 128 + signal : WEXITSTATUS(status)}, {"signal", signal}, {"at", system_clock().unix_nanos()}};
  return write(directory + "/exit", end.dump()) ? 0 : 1;
}
