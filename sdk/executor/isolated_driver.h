// A driver whose tasks run isolated, each under a drover-executor of its own. An author says what a task runs; its start, its recovery after
// the death of plugin or agent, exit codes, stop, signals, exec sessions, statistics, rotated logs and limits are done here.
//
//   class Mine final : public IsolatedDriver {
//     using IsolatedDriver::IsolatedDriver;
//     Result<Isolation> isolate(const TaskConfig& config) override { return Isolation{.command = {"/usr/bin/env"}}; }
//   };
//
// A task gets a root of its own (the host's programs to read, its directories, private /proc, /dev and /tmp), namespaces, no capability and
// no way to one, the job's user or nobody, and the limits, mounts, devices and network of its TaskConfig. The executor is the installed
// one (`pkg-config --variable=executor drover-sdk`), or what DROVER_EXECUTOR names, as Drover's agent does; its records are in
// DROVER_STATE_DIR. Loop only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sdk/driver/driver.h"

namespace drover::driver {

// How a task runs, where its TaskConfig does not say it.
struct Isolation {
  // The program and its arguments. Paths are those of the task's root; a name without a slash is looked for in the task's directory,
  // then in the usual ones.
  std::vector<std::string> command;
  std::string directory = "/";
  std::string hostname;          // empty: the host's
  bool own_processes = true;     // neither sees the host's processes nor shares memory with them
  bool has_init = false;         // process 1 is the executor's, which reaps and passes signals on
  std::int64_t pids_limit = 0;   // 0: none
};

class IsolatedDriver : public Driver {
 public:
  struct Options {
    std::string name;             // of the driver, for its attributes
    bool allow_degraded = false;  // healthy also on a host whose cgroups give no limits
  };
  IsolatedDriver(Executor loop, Logger log, Options options);
  ~IsolatedDriver() override;

  // A driver with a configuration of its own overrides it; it may then allow_degraded().
  Async<Result<>> set_config(std::string msgpack, std::string nomad_api_version) override;
  // Signals and exec sessions, isolation of files, networks of the host and of groups.
  Capabilities capabilities() override;

  Async<> fingerprint(Channel<Fingerprint>& out) override;
  Async<Result<StartedTask>> start_task(TaskConfig config) override;
  Async<Result<>> recover_task(TaskHandle handle) override;
  Async<Result<ExitResult>> wait_task(std::string id) override;
  Async<Result<>> stop_task(std::string id, std::chrono::nanoseconds timeout, std::string signal) override;
  Async<Result<>> destroy_task(std::string id, bool force) override;
  Async<Result<TaskStatus>> inspect_task(std::string id) override;
  Async<Result<>> task_stats(std::string id, std::chrono::nanoseconds interval, Channel<TaskStats>& out) override;
  Async<Result<>> all_task_stats(std::chrono::nanoseconds interval, Channel<std::vector<TaskStats>>& out) override;
  Async<> task_events(Channel<TaskEvent>& out) override;
  Async<Result<>> signal_task(std::string id, std::string signal) override;
  Async<Result<ExecResult>> exec_task(std::string id, std::vector<std::string> command, std::chrono::nanoseconds timeout) override;
  Async<Result<>> exec_task_streaming(std::string id, ExecOptions options, Channel<ExecInput>& input, Channel<ExecOutput>& output) override;

 protected:
  // What the task of this configuration runs; refuses with a message for the user. Called for a start and for an exec session, so it has
  // no effects of its own.
  virtual Result<Isolation> isolate(const TaskConfig& config) = 0;
  void allow_degraded(bool allow);

 private:
  class Tasks;
  std::unique_ptr<Tasks> tasks_;
};

}  // namespace drover::driver
