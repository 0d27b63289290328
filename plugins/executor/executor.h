// The supervisor of one task: a single thread around one epoll set. It starts the task, stores its output, remembers how it
// ended and answers on the control socket, until it is told to go.
//
// Everything it owns is in this object, whose size is fixed: no heap is used after (or before) start. The big buffers are
// touched only when needed and given back.
#pragma once

#include <cstdint>
#include <string_view>

#include "plugins/executor/child.h"
#include "plugins/executor/control.h"
#include "plugins/executor/log_stream.h"
#include "plugins/executor/record.h"
#include "plugins/executor/spec.h"

namespace drover::executor {

class Executor {
 public:
  // Until reaped. The descriptors of wire.h are open.
  int run();

 private:
  static constexpr std::size_t max_connections = max_sessions + 16;
  enum class Source : std::uint32_t { signal, listener, connection, log, launch_report, session_report, grace_timer };

  struct Session {
    pid_t pid = 0;         // the process whose exit status counts; 0: not known yet
    pid_t helper = 0;      // the first of two processes, when it only joins a pid namespace
    Handle report;
    Handle terminal;
    bool started = false;  // the program runs
    bool ended = false;
    bool failed = false;
    int status = 0;
  };
  struct Connection {
    Handle fd;
    Session session;
    bool has_session = false;
  };

  Failure prepare();
  Failure launch(const Spec& spec);
  Failure open_logs(const Spec& spec, Handle (&task_side)[2]);
  void report_failure(Stage stage, const Failure& failure);
  bool watch(int fd, Source source, std::uint32_t index);
  void watch_logs_again();
  void handle(Source source, std::uint32_t index);

  void on_launch_report();
  void on_signals();
  void on_children();
  void on_task_exit(int status);
  void on_log(std::uint32_t index);
  void on_grace_over();
  void finish();
  void kill_everything();
  void kill_adopted_children();
  bool is_alone();

  void accept_connection();
  void add_connection(Handle fd);
  void on_connection(Connection& connection);
  void handle_message(Connection& connection, Received& message);
  void drop_connection(Connection& connection);
  void leave_if_done();
  void stop(int signal, std::uint64_t grace_ms);
  void kill_after(std::uint64_t grace_ms);
  void end_with_machine();
  void send_status(int fd);
  void broadcast_status();

  void start_session(Connection& connection, Received& message);
  Failure clone_session(Connection& connection, const Spec& spec, Received& message);
  Failure read_task_rights(SpecMemory& memory, Spec& own) const;
  void fail_session(Connection& connection, Stage stage, const Failure& failure);
  void on_session_report(Connection& connection);
  void settle_session(Connection& connection);
  void give_up_rights();

  Identity identity_;
  LaunchState launch_;
  ExitState exit_;
  LaunchRecord record_;
  FailPoint fail_point_ = FailPoint::none;
  std::uint64_t flags_ = 0;
  Rights rights_;  // for sessions; what lies in the specification is read from it again
  std::uint64_t oom_kills_at_start_ = 0;

  Handle epoll_, signals_, listener_, grace_timer_, cgroup_, launch_report_, task_pidfd_, user_namespace_, init_status_;
  // Held so that the task's mounts are not taken down before its end is noticed: that waits for every processor.
  Handle mount_namespace_;
  LogStream logs_[2];
  bool is_log_resting_ = false;
  std::int64_t log_rest_end_ = 0;
  Connection connections_[max_connections];
  uid_t user_namespace_first_ = 0;
  bool is_spec_kept_ = false;
  bool task_ended_ = false;
  bool finished_ = false;
  bool is_end_stored_ = false;
  bool is_machine_ending_ = false;
  bool reaped_ = false;

  Stage failure_stage_{};
  int failure_error_ = 0;
  char failure_detail_[240] = {};
  WindowBuffer window_;
};

}  // namespace drover::executor
