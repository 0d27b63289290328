// The task calls of every driver whose tasks run under drover-executor (raw_exec, exec, java, qemu). A driver adds what is
// its own: configuration, fingerprint, capabilities, and `prepare()`, which turns a TaskConfig into a LaunchSpec.
//
// Where state lives: `<state_dir>/<slot>/<start>`, private to root, one directory per start. The handle given to the host
// names nothing but the task's id and this layout's version, so it stays valid when the state directory moves.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>

#include "sdk/executor/cgroups.h"
#include "sdk/executor/exec_session.h"
#include "sdk/executor/executor_binary.h"
#include "sdk/executor/process_stats.h"
#include "sdk/async/permits.h"
#include "sdk/base/clock.h"
#include "sdk/driver/driver.h"

namespace drover {

struct ExecutorHost {
  std::string executor_path;  // of drover-executor
  std::string state_dir;      // e.g. /var/lib/drover/executor
};
// DROVER_STATE_DIR and DROVER_EXECUTOR of the environment; by default /var/lib/drover/executor and the drover-executor beside the plugin,
// of the directory above, or where it is installed.
[[nodiscard]] ExecutorHost executor_host_from_environment();

struct PreparedTask {
  LaunchSpec launch;
  bool made_cgroup = false;  // to be removed when the task is destroyed
  std::optional<driver::DriverNetwork> network = {};  // to be told to the host
  std::vector<Fd> held = {};  // what the spec borrows
};

class ExecutorDriver : public driver::Driver {
 public:
  ExecutorDriver(Executor loop, Logger log, ExecutorHost host, const Clock& clock);
  ~ExecutorDriver() override;

  Async<Result<driver::StartedTask>> start_task(driver::TaskConfig config) override;
  Async<Result<>> recover_task(driver::TaskHandle handle) override;
  Async<Result<driver::ExitResult>> wait_task(std::string id) override;
  Async<Result<>> stop_task(std::string id, std::chrono::nanoseconds timeout, std::string signal) override;
  Async<Result<>> destroy_task(std::string id, bool force) override;
  Async<Result<driver::TaskStatus>> inspect_task(std::string id) override;
  Async<Result<>> task_stats(std::string id, std::chrono::nanoseconds interval, Channel<driver::TaskStats>& out) override;
  Async<Result<>> all_task_stats(std::chrono::nanoseconds interval, Channel<std::vector<driver::TaskStats>>& out) override;
  Async<> task_events(Channel<driver::TaskEvent>& out) override;
  Async<Result<>> signal_task(std::string id, std::string signal) override;
  Async<Result<driver::ExecResult>> exec_task(std::string id, std::vector<std::string> command, std::chrono::nanoseconds timeout) override;
  Async<Result<>> exec_task_streaming(std::string id, driver::ExecOptions options, Channel<driver::ExecInput>& input,
                                      Channel<driver::ExecOutput>& output) override;
  Async<> fingerprint(Channel<driver::Fingerprint>& out) override;

  // Stops listening to the executors; tasks are not touched. Before the loop ends.
  Async<> close();

 protected:
  // Makes what takes long to make, on a pool; runs before prepare().
  virtual Async<Result<>> make_files(driver::TaskConfig config);
  // Decides how the task runs; refuses with a message for the user. Must leave nothing behind when it fails.
  virtual Result<PreparedTask> prepare(const driver::TaskConfig& config) = 0;
  // Environment and directory of an exec session.
  virtual ExecSpec session_of(const driver::TaskConfig& config) = 0;
  // Asks the task to end in a way of its own before any signal, as a machine is told to power off. True: it was asked, and has the
  // grace to do it; then SIGKILL.
  virtual Async<bool> ask_to_end(driver::TaskConfig config);
  // What facts() needs and what takes longer than a look at a file, such as asking a program for its version. Runs before it.
  virtual Async<> gather();
  // The facts now; sent at once and at each change.
  virtual driver::Fingerprint facts() = 0;

  [[nodiscard]] const Logger& log() const { return log_; }
  // The host's cgroups in the layout that was chosen, as they were at the last fingerprint: the file that tells of them grows with
  // the mounts of all tasks.
  [[nodiscard]] const CgroupHost& cgroups() const { return cgroups_; }
  // cgroup_mode of a plugin's configuration: "compat" or "delegated".
  [[nodiscard]] Result<> choose_cgroup_layout(const std::string& mode);
  [[nodiscard]] const std::string& state_dir() const { return host_.state_dir; }

 private:
  // Known from the call that starts or recovers it on, so that a second one cannot run it twice.
  struct Task {
    Task(const Executor& loop, driver::TaskConfig given) : config(std::move(given)), settled(loop) {}
    driver::TaskConfig config;
    std::shared_ptr<ExecutorTask> running;  // null until settled
    std::string made_cgroup;
    std::optional<driver::DriverNetwork> network;
    Event settled;
    Result<> outcome;
  };
  std::shared_ptr<Task> reserve(driver::TaskConfig config);
  // Work of a start or recovery, in the driver's scope: a host that dies takes its calls with it, and what was begun must not
  // stop half way (F-02).
  Async<> settle(std::shared_ptr<Task> task, Async<Result<>> work);
  Async<Result<>> launch(std::shared_ptr<Task> own);
  static Async<> hold_turn(std::shared_ptr<Task> task, Permits::Held turn);
  Async<Result<>> take_over(Task& task, std::string driver_state);
  driver::Fingerprint health();
  void look_at_cgroups();
  void tell(driver::TaskEvent event);
  Result<std::shared_ptr<Task>> find(const std::string& id);
  bool is_known(const std::string& state_path) const;
  driver::TaskHandle handle_of(const Task& task) const;

  Executor loop_;
  Logger log_;
  ExecutorHost host_;
  ExecutorBinary binary_;
  CgroupHost cgroups_ = inspect_cgroups();
  const Clock& clock_;
  Permits starts_;
  Scope scope_;
  std::map<std::string, std::shared_ptr<Task>> tasks_;
  std::string delegated_root_;            // empty: the plain layout
  std::deque<driver::TaskEvent> events_;  // for whoever listens; the oldest ones are kept
  std::set<std::string> told_;
  Condition has_events_;
  Condition has_tasks_;                   // one more, perhaps
  const double core_mhz_ = core_mhz();
};

}  // namespace drover
