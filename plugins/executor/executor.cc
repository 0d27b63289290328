#include "plugins/executor/executor.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include <charconv>
#include <csignal>
#include <cstring>
#include <ctime>

#include "plugins/executor/memory_facts.h"

namespace drover::executor {

namespace {
// After its output was moved a task is left alone for this long: many small writes cost one look instead of one each.
constexpr timespec log_rest{.tv_sec = 0, .tv_nsec = 300'000};

std::int64_t monotonic_nanos() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

bool copy_text(char* out, std::size_t size, const char* text) {
  const std::size_t length = std::strlen(text);
  if (length >= size) return false;
  std::memcpy(out, text, length + 1);
  return true;
}
}  // namespace

int Executor::run() {
  if (const auto failure = prepare()) {
    // Without the means to listen there is nobody to serve; the launching side hears why and finds the socket closed.
    report_failure(Stage::control, failure);
    return 1;
  }
  {
    SpecMemory memory;
    Spec spec;
    if (const auto failure = read_spec(spec_fd, Type::launch_spec, memory, spec)) {
      report_failure(Stage::spec, failure);
    } else if (const auto failed_launch = launch(spec)) {
      report_failure(failure_stage_ == Stage{} ? Stage::clone : failure_stage_, failed_launch);
    }
  }
  // A session gets the filter of the task, which is in its specification.
  if (!is_spec_kept_) ::close(spec_fd);
  epoll_event events[16];
  while (!reaped_ || !is_alone()) {
    const int count = ::epoll_pwait2(epoll_.get(), events, 16, is_log_resting_ ? &log_rest : nullptr, nullptr);
    if (is_log_resting_ && (count == 0 || monotonic_nanos() >= log_rest_end_)) watch_logs_again();
    for (int i = 0; i < count; ++i) {
      const std::uint64_t data = events[i].data.u64;
      handle(static_cast<Source>(data >> 32), static_cast<std::uint32_t>(data));
    }
  }
  return 0;
}

Failure Executor::prepare() {
  ::prctl(PR_SET_NAME, "drover-executor");
  // not even the task's user may look into this process. R-047: what the task leaves behind becomes our child.
  ::prctl(PR_SET_DUMPABLE, 0);
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) return failed("subreaper");
  // Only SIGKILL, a reap message and the end of the machine end it.
  sigset_t all;
  sigfillset(&all);
  if (::sigprocmask(SIG_SETMASK, &all, nullptr) != 0) return failed("signal mask");
  sigset_t read;
  sigemptyset(&read);
  sigaddset(&read, SIGCHLD);
  sigaddset(&read, SIGTERM);
  signals_ = Handle(::signalfd(-1, &read, SFD_CLOEXEC | SFD_NONBLOCK));
  epoll_ = Handle(::epoll_create1(EPOLL_CLOEXEC));
  if (!signals_ || !epoll_) return failed("event loop");
  for (const int fd : {spec_fd, state_dir_fd, control_fd}) {
    if (::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) return failed("inherited descriptors");
  }
  ::fcntl(control_fd, F_SETFL, O_RDWR | O_NONBLOCK);
  if (!watch(signals_.get(), Source::signal, 0)) return failed("event loop");
  add_connection(Handle(control_fd));
  return {};
}

bool Executor::watch(int fd, Source source, std::uint32_t index) {
  epoll_event event{};
  event.events = source == Source::log ? EPOLLIN | EPOLLONESHOT : EPOLLIN;
  event.data.u64 = static_cast<std::uint64_t>(source) << 32 | index;
  return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
}

void Executor::watch_logs_again() {
  is_log_resting_ = false;
  for (std::uint32_t i = 0; i < 2; ++i) {
    if (!logs_[i].active()) continue;
    epoll_event event{};
    event.events = EPOLLIN | EPOLLONESHOT;
    event.data.u64 = static_cast<std::uint64_t>(Source::log) << 32 | i;
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, logs_[i].pipe_fd(), &event);
  }
}

void Executor::handle(Source source, std::uint32_t index) {
  switch (source) {
    case Source::signal: on_signals(); break;
    case Source::listener: accept_connection(); break;
    case Source::connection: on_connection(connections_[index]); break;
    case Source::log: on_log(index); break;
    case Source::launch_report: on_launch_report(); break;
    case Source::session_report: on_session_report(connections_[index]); break;
    case Source::grace_timer: on_grace_over(); break;
  }
}

void Executor::report_failure(Stage stage, const Failure& failure) {
  launch_.state = State::failed;
  failure_stage_ = stage;
  failure_error_ = failure.error;
  std::strncpy(failure_detail_, failure.detail, sizeof failure_detail_ - 1);
  // For a plugin that comes after the one that asked: nothing runs here.
  record_.update(identity_, launch_);
  broadcast_status();
}

Failure Executor::open_logs(const Spec& spec, Handle (&task_side)[2]) {
  const char* names[2] = {spec.stdout_name, spec.stderr_name};
  const int given[2] = {spec.stdout_fd, spec.stderr_fd};
  for (std::uint32_t i = 0; i < 2; ++i) {
    if (names[i] == nullptr) {
      // The host reads the output itself (a FIFO), or nobody does (/dev/null): the task gets the descriptor.
      task_side[i] = Handle(given[i] >= 0 ? ::fcntl(given[i], F_DUPFD_CLOEXEC, 3) : ::open("/dev/null", O_WRONLY | O_CLOEXEC));
      if (!task_side[i]) return failed("output");
      continue;
    }
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return failed("log pipe");
    task_side[i] = Handle(ends[1]);
    if (auto failure = logs_[i].open(spec.log_dir_fd, names[i], spec.log_max_files, spec.log_max_bytes, Handle(ends[0]), window_)) {
      return failure;
    }
    if (!watch(logs_[i].pipe_fd(), Source::log, i)) return failed("event loop");
  }
  window_.release_pages();
  return {};
}

Failure Executor::launch(const Spec& spec) {
  failure_stage_ = Stage::spec;
  if (!copy_text(identity_.id, sizeof identity_.id, spec.id)) return {ENAMETOOLONG, "the task's id"};
  if (!copy_text(identity_.boot_id, sizeof identity_.boot_id, spec.boot_id)) return {ENAMETOOLONG, "boot id"};
  if (!copy_text(identity_.cgroup, sizeof identity_.cgroup, spec.cgroup)) return {ENAMETOOLONG, "cgroup path"};
  fail_point_ = spec.fail_point;
  flags_ = spec.flags;
  rights_ = spec.rights;
  rights_.filter = nullptr;
  rights_.landlock = nullptr;
  is_spec_kept_ = spec.rights.filter_size != 0 || spec.rights.landlock_count != 0;
  // Descriptors a spec names are ours from here on; close_range in the child keeps them from the task.
  if (spec.cgroup_fd >= 0) cgroup_ = Handle(spec.cgroup_fd);
  if (spec.user_namespace_fd >= 0) user_namespace_ = Handle(spec.user_namespace_fd);
  user_namespace_first_ = spec.user_namespace_first;
  const Handle network(spec.network_fd), mount_base(spec.mount_base_fd), given_stdout(spec.stdout_fd);
  const Handle given_stderr(spec.stderr_fd == spec.stdout_fd ? -1 : spec.stderr_fd);
  if (close_from(first_extra_fd, CLOSE_RANGE_CLOEXEC) != 0) return failed("inherited descriptors");

  failure_stage_ = Stage::control;
  if (auto failure = listen_in(state_dir_fd, listener_)) return failure;
  if (!watch(listener_.get(), Source::listener, 0)) return failed("control socket");

  // Intent before action: from here on a search of the state directories finds this task, whatever dies.
  failure_stage_ = Stage::record;
  pass(FailPoint::before_record, fail_point_);
  if (auto failure = record_.create(state_dir_fd, identity_)) return failure;
  pass(FailPoint::after_record, fail_point_);

  failure_stage_ = Stage::logs;
  Handle outputs[2];
  if (auto failure = open_logs(spec, outputs)) return failure;
  Handle input(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!input) return failed("/dev/null");

  failure_stage_ = Stage::clone;
  int reports[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, reports) != 0) return failed("report channel");
  launch_report_ = Handle(reports[0]);
  Handle child_report(reports[1]);
  if (!watch(reports[0], Source::launch_report, 0)) return failed("event loop");
  oom_kills_at_start_ = memory_facts(cgroup_.get()).oom_kills;
  Handle init_end;
  if (spec.has(flag::init)) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return failed("status channel");
    init_status_ = Handle(ends[0]);
    init_end = Handle(ends[1]);
  }

  int pidfd = -1;
  clone_args args{};
  args.flags = CLONE_PIDFD;
  args.exit_signal = SIGCHLD;
  args.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
  if (spec.has(flag::pid_namespace)) args.flags |= CLONE_NEWPID;
  if (spec.has(flag::ipc_namespace)) args.flags |= CLONE_NEWIPC;
  if (spec.has(flag::uts_namespace)) args.flags |= CLONE_NEWUTS;
  if (cgroup_) {
    // Born in its cgroup: no move, no instant in which it is not counted.
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = static_cast<std::uint64_t>(cgroup_.get());
  }
  const long pid = clone3(args);
  if (pid < 0) return failed(cgroup_ ? "clone into the task's cgroup" : "clone");
  if (pid == 0) {
    ::close(reports[0]);  // else the channel would never tell that the executor is gone
    Child child{.spec = spec, .report_fd = child_report.get(), .stdin_fd = input.get(), .stdout_fd = outputs[0].get(),
                .stderr_fd = outputs[1].get(), .waits = true, .init_fd = init_end.get()};
    run_stages(task_stages, child);
  }
  task_pidfd_ = Handle(pidfd);
  launch_.pid = static_cast<pid_t>(pid);
  launch_.start_ticks = start_ticks_of(launch_.pid);
  launch_.started_at = unix_nanos();
  record_.update(identity_, launch_);
  pass(FailPoint::after_clone, fail_point_);
  // The stages take longer than the disk; only the program itself has to wait for it.
  failure_stage_ = Stage::record;
  if (auto failure = record_.sync()) {
    launch_report_.reset();  // tells the child that it must not go on
    return failure;
  }
  const char go = 1;
  while (::send(launch_report_.get(), &go, 1, MSG_NOSIGNAL) < 0 && errno == EINTR) {}
  return {};
}

void Executor::on_launch_report() {
  // The end of the task was in the same round of events and has asked for it already.
  if (!launch_report_) return;
  Report report;
  Handle passed;
  Arrival arrival = receive_report(launch_report_.get(), report, passed);
  if (arrival == Arrival::report && report.kind == Report::Kind::mounts) {
    mount_namespace_ = std::move(passed);
    arrival = receive_report(launch_report_.get(), report, passed);
  }
  if (arrival == Arrival::nothing_now) return;
  launch_report_.reset();
  if (arrival == Arrival::report) {
    report_failure(report.stage, Failure{report.error, report.detail});
    return;
  }
  // The end of the channel without a report: exec took place, or the child died before it (its exit is then what counts).
  pass(FailPoint::after_exec, fail_point_);
  launch_.state = State::running;
  record_.update(identity_, launch_);
  broadcast_status();
  give_up_rights();
  if (task_ended_) finish();
}

void Executor::on_log(std::uint32_t index) {
  if (!logs_[index].active()) return;
  if (!logs_[index].pump(window_)) logs_[index].close();
  if (!is_log_resting_) {
    is_log_resting_ = true;
    log_rest_end_ = monotonic_nanos() + log_rest.tv_nsec;
  }
  pass(FailPoint::while_running, fail_point_);
}

}  // namespace drover::executor
