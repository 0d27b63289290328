// The end of a task: children, signals, stopping, and the exit record.
#include <fcntl.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

#include <charconv>
#include <csignal>
#include <cstring>

#include "plugins/executor/executor.h"
#include "plugins/executor/memory_facts.h"

namespace drover::executor {

namespace {
// What a task may still do when the machine goes down. It has had the signal that everybody got.
constexpr std::uint64_t machine_grace_ms = 5000;

// Process 1 sends SIGTERM to all when it takes the machine down. While it manages units it is called systemd, and SIGTERM is then
// somebody's `systemctl kill`, which must not end a task (L-01); going down it has become systemd-shutdown.
bool is_machine_ending(std::uint32_t sender) {
  if (sender != 1) return false;
  const Handle file(::open("/proc/1/comm", O_RDONLY | O_CLOEXEC));
  char name[32] = {};
  return file && ::read(file.get(), name, sizeof name - 1) > 0 && std::strcmp(name, "systemd\n") != 0;
}
}  // namespace

void Executor::on_signals() {
  signalfd_siginfo got[4];
  for (ssize_t size; (size = ::read(signals_.get(), got, sizeof got)) > 0;) {
    for (std::size_t i = 0; i < static_cast<std::size_t>(size) / sizeof got[0]; ++i) {
      if (got[i].ssi_signo == SIGTERM && is_machine_ending(got[i].ssi_pid)) end_with_machine();
    }
  }
  on_children();
}

void Executor::on_children() {
  for (;;) {
    siginfo_t ended{};
    if (::waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) != 0 || ended.si_pid == 0) break;
    // Not reaped yet, the task still holds its number: the group of that name is certainly its own.
    if (ended.si_pid == launch_.pid && !task_ended_) ::kill(-launch_.pid, SIGKILL);
    int status = 0;
    const pid_t pid = ::waitpid(ended.si_pid, &status, WNOHANG);
    if (pid <= 0) break;
    if (pid == launch_.pid && !task_ended_) {
      on_task_exit(status);
      continue;
    }
    for (auto& connection : connections_) {
      Session& session = connection.session;
      if (!connection.has_session || (session.pid != pid && session.helper != pid)) continue;
      if (session.helper == pid) session.helper = 0;
      // A helper that dies before it names its child is the session's end.
      if (session.pid == pid) {
        session.ended = true;
        session.status = status;
      }
      settle_session(connection);
      break;
    }
  }
  // Killing an orphan may have made its own children ours.
  if (task_ended_) kill_adopted_children();
}

void Executor::on_task_exit(int status) {
  task_ended_ = true;
  // Process 1 of our own tells how the program ended; its own status is that without signals, or that of its death.
  int of_program = 0;
  if (init_status_ && ::read(init_status_.get(), &of_program, sizeof of_program) == sizeof of_program) status = of_program;
  if (WIFEXITED(status)) exit_.code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) {
    exit_.signal = WTERMSIG(status);
    exit_.code = 128 + exit_.signal;
    exit_.core_dumped = WCOREDUMP(status);
  }
  exit_.ended_at = unix_nanos();
  const MemoryFacts memory = memory_facts(cgroup_.get());
  exit_.oom_killed = memory.oom_kills > oom_kills_at_start_;
  exit_.memory_peak = memory.peak;
  exit_.memory_limit = memory.limit;
  if (launch_.state == State::failed) return;
  // The report is read first: it tells a stage that failed from a program that ended at once.
  if (launch_report_) on_launch_report();
  if (launch_.state == State::running && !finished_) finish();
}

void Executor::finish() {
  finished_ = true;
  kill_everything();
  // What the task wrote before it ended is in the files before anybody is told that it ended.
  for (auto& log : logs_) {
    for (int round = 0; round < 64 && log.active(); ++round) {
      if (!log.pump(window_)) log.close();
      else if (log.moved_bytes() == 0) break;
    }
    exit_.dropped_log_bytes += log.dropped_bytes();
  }
  pass(FailPoint::before_exit_record, fail_point_);
  launch_.state = State::exited;
  const Failure failure = record_.write_exit(identity_, launch_, exit_, fail_point_);
  // A failing disk: the status is still told to everybody who is connected or comes before the reap.
  is_end_stored_ = !failure;
  if (failure) exit_.ended_at = unix_nanos();
  pass(FailPoint::after_exit_record, fail_point_);
  broadcast_status();
  mount_namespace_.reset();
  leave_if_done();
}

void Executor::kill_everything() {
  if (cgroup_ && (flags_ & flag::own_cgroup) != 0) {
    const Handle file(::openat(cgroup_.get(), "cgroup.kill", O_WRONLY | O_CLOEXEC));
    if (file && ::write(file.get(), "1", 1) == 1 && !task_ended_) return;
  }
  if (launch_.pid <= 1) return;
  // The task leads its own session and group, and keeps the number until it is reaped.
  if (!task_ended_) {
    send_signal(task_pidfd_.get(), SIGKILL);
    ::kill(-launch_.pid, SIGKILL);
  }
  kill_adopted_children();
}

// Orphans of the task are our children, since we are the subreaper. Without a cgroup this is how those that left the
// process group are found; each death makes its own children ours, and SIGCHLD brings us back here.
void Executor::kill_adopted_children() {
  const Handle file(::open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC));
  char text[4096];
  const ssize_t size = file ? ::read(file.get(), text, sizeof text) : 0;
  const char* at = text;
  const char* end = text + (size > 0 ? size : 0);
  while (at < end) {
    pid_t pid = 0;
    const auto parsed = std::from_chars(at, end, pid);
    if (parsed.ec != std::errc{}) break;
    if (pid > 1) ::kill(pid, SIGKILL);
    at = parsed.ptr + 1;
  }
}

// Whether no child is left. Those that are go first: without a cgroup nobody else would ever find them (F-14).
bool Executor::is_alone() {
  siginfo_t ended{};
  if (::waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) != 0 && errno == ECHILD) return true;
  kill_adopted_children();
  return false;
}

void Executor::stop(int signal, std::uint64_t grace_ms) {
  if (task_ended_ || !task_pidfd_) return;
  if (signal != 0) send_signal(task_pidfd_.get(), signal);
  if (signal == 0 || grace_ms == 0) kill_everything();
  else kill_after(grace_ms);
}

void Executor::kill_after(std::uint64_t grace_ms) {
  if (!grace_timer_) {
    grace_timer_ = Handle(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    if (!grace_timer_ || !watch(grace_timer_.get(), Source::grace_timer, 0)) {
      kill_everything();
      return;
    }
  }
  itimerspec when{};
  when.it_value.tv_sec = static_cast<time_t>(grace_ms / 1000);
  when.it_value.tv_nsec = static_cast<long>(grace_ms % 1000 * 1000000);
  ::timerfd_settime(grace_timer_.get(), 0, &when, nullptr);
}

// F-82: a supervisor that stays would keep the machine waiting for it. The end is stored as any other.
void Executor::end_with_machine() {
  is_machine_ending_ = true;
  if (finished_ || launch_.state == State::failed) reaped_ = true;
  else kill_after(machine_grace_ms);
}

void Executor::on_grace_over() {
  std::uint64_t times = 0;
  if (::read(grace_timer_.get(), &times, sizeof times) > 0 && !task_ended_) kill_everything();
}

}  // namespace drover::executor
