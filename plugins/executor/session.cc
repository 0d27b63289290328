// Exec sessions: a second program in the task's namespaces and cgroup, as the task's user.
//
// Its streams are the caller's descriptors, or a terminal whose master goes to the caller; no byte of a session passes
// through this process. A session lives and dies with the connection that asked for it.
#include <sched.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <csignal>
#include <cstring>

#include "plugins/executor/executor.h"

namespace drover::executor {

void Executor::start_session(Connection& connection, Received& message) {
  if (connection.has_session) return;
  connection.has_session = true;
  connection.session = Session{};
  std::size_t sessions = 0;
  for (const auto& other : connections_) sessions += other.has_session ? 1 : 0;
  if (sessions > max_sessions) return fail_session(connection, Stage::clone, {EUSERS, "too many exec sessions"});
  if (launch_.state != State::running || task_ended_) return fail_session(connection, Stage::clone, {ESRCH, "the task is not running"});
  SpecMemory memory;
  Spec spec;
  if (message.fd_count == 0) return fail_session(connection, Stage::spec, {EBADMSG, "descriptors"});
  if (const auto failure = read_spec(message.fds[0].get(), Type::exec_spec, memory, spec)) {
    return fail_session(connection, Stage::spec, failure);
  }
  if (!spec.has(flag::terminal) && message.fd_count < 4) return fail_session(connection, Stage::spec, {EBADMSG, "descriptors"});
  if (const auto failure = clone_session(connection, spec, message)) fail_session(connection, Stage::clone, failure);
}

// In the session's own process, so that no page of it stays with the executor.
Failure Executor::read_task_rights(SpecMemory& memory, Spec& own) const {
  if (!is_spec_kept_) return {};
  Spec task;
  if (auto failure = read_spec(spec_fd, Type::launch_spec, memory, task)) return failure;
  own.rights = task.rights;
  return {};
}

Failure Executor::clone_session(Connection& connection, const Spec& spec, Received& message) {
  int reports[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, reports) != 0) return failed("report channel");
  connection.session.report = Handle(reports[0]);
  const Handle child_report(reports[1]);
  const auto index = static_cast<std::uint32_t>(&connection - connections_);
  if (!watch(reports[0], Source::session_report, index)) return failed("event loop");
  clone_args args{};
  args.exit_signal = SIGCHLD;
  if (cgroup_) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = static_cast<std::uint64_t>(cgroup_.get());
  }
  const long pid = clone3(args);
  if (pid < 0) return failed("clone");
  if (pid == 0) {
    ::close(reports[0]);
    // The rights of a session are the task's, whatever its request says.
    Spec own = spec;
    own.flags = (spec.flags & flag::terminal) |
                (flags_ & (flag::set_user | flag::die_with_executor | flag::set_capabilities | flag::no_new_privs));
    own.rights = rights_;
    own.user_namespace_fd = user_namespace_.get();
    own.user_namespace_first = user_namespace_first_;
    SpecMemory memory;
    if (const auto failure = read_task_rights(memory, own)) {
      send_report(child_report.get(), failure_report(Stage::spec, failure), -1);
      ::_exit(127);
    }
    Child child{.spec = own, .report_fd = child_report.get(), .stdin_fd = message.fds[1].get(),
                .stdout_fd = message.fds[2].get(), .stderr_fd = message.fds[3].get(), .task_pidfd = task_pidfd_.get(), .task_pid = launch_.pid,
                .namespaces = flags_};
    run_stages(session_stages, child);
  }
  // With a pid namespace the program is a second process, whose number the report brings.
  const bool two_steps = (flags_ & flag::pid_namespace) != 0;
  (two_steps ? connection.session.helper : connection.session.pid) = static_cast<pid_t>(pid);
  return {};
}

void Executor::fail_session(Connection& connection, Stage stage, const Failure& failure) {
  connection.session.failed = true;
  connection.session.report.reset();
  if (connection.fd) {
    FixedBuffer buffer;
    put_number(buffer, Tag::stage, static_cast<std::uint64_t>(stage));
    put_number(buffer, Tag::error, static_cast<std::uint64_t>(failure.error));
    put_text(buffer, Tag::detail, failure.detail);
    send_message(connection.fd.get(), buffer.finish(Type::failed));
  }
  settle_session(connection);
}

void Executor::on_session_report(Connection& connection) {
  Session& session = connection.session;
  if (!session.report) return;
  Report report;
  Handle passed;
  const Arrival arrival = receive_report(session.report.get(), report, passed);
  if (arrival == Arrival::nothing_now) return;
  if (arrival == Arrival::report) {
    if (report.kind == Report::Kind::terminal) session.terminal = std::move(passed);
    if (report.kind == Report::Kind::pid) session.pid = report.pid;
    if (report.kind == Report::Kind::failure) fail_session(connection, report.stage, {report.error, report.detail});
    return;
  }
  session.report.reset();
  session.started = true;
  if (connection.fd) {
    FixedBuffer buffer;
    put_number(buffer, Tag::pid, static_cast<std::uint64_t>(session.pid));
    send_message(connection.fd.get(), buffer.finish(Type::exec_started), session.terminal.get());
  }
  session.terminal.reset();
  settle_session(connection);
}

// Tells the end of a session once both are known: that it started and how it ended. Frees the slot when nothing of it is left.
void Executor::settle_session(Connection& connection) {
  Session& session = connection.session;
  // The child's end may be seen before its report was read.
  if (session.ended && session.report) return on_session_report(connection);
  if (session.ended && session.started && !session.failed && connection.fd) {
    session.failed = true;  // told once
    FixedBuffer buffer;
    const int status = session.status;
    put_number(buffer, Tag::exit_code, static_cast<std::uint64_t>(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status)));
    put_number(buffer, Tag::exit_signal, static_cast<std::uint64_t>(WIFSIGNALED(status) ? WTERMSIG(status) : 0));
    send_message(connection.fd.get(), buffer.finish(Type::exec_exited));
  }
  const bool alive = (session.pid > 0 && !session.ended) || session.helper > 0;
  if (!alive && !connection.fd) {
    session = Session{};
    connection.has_session = false;
  }
}

}  // namespace drover::executor
