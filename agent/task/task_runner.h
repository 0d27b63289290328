// Runs one task of an allocation from its directory to its last exit (walkthrough rows 12 to 18). Loop only; owned by the
// AllocRunner, whose Scope runs `run()`.
//
// Durable points: the driver's task id is stored before StartTask, the handle before "running" is told to anybody, the wish to
// stop before StopTask, the end with what follows from it before it is told and before DestroyTask. Restoring is the same
// path: a stored handle is recovered where a new one would be started; without one the driver is asked whether it has the
// task. state() shows only what is stored, so that no death of the agent takes back what was told (F-02, F-03).
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <string>

#include "agent/task/environment.h"
#include "agent/task/task_driver.h"
#include "agent/task/task_local.h"
#include "lib/metrics/meter.h"
#include "lib/model/alloc.h"
#include "lib/model/node.h"
#include "sdk/async/event.h"
#include "sdk/base/reckoning.h"
#include "sdk/base/log.h"
#include "sdk/device/device.h"

namespace drover::agent {

// What runners share; outlives them all.
struct TaskServices {
  Executor executor;
  const Clock& clock;
  Rng& rng;
  Logger log;
  TaskDrivers& drivers;
  std::function<std::shared_ptr<const model::Node>()> node;
  std::string region;
  std::string alloc_root;  // parent of every allocation's directory
  Environment host_environment;
  nanoseconds max_kill_timeout = std::chrono::seconds(30);
  nanoseconds stats_interval = std::chrono::seconds(1);
  Event& server_contacted;  // the servers have said what they want of this node since the agent began
  metrics::Meter meter;
  // Asks the device plugin what a task gets for devices it was allotted; null: this node has none.
  std::function<Async<Result<device::Reservation>>(device::Owner owner, device::DeviceSet devices)> reserve_devices = {};
  // Devices of a task that an earlier agent has reserved; the end of it, Code::unavailable when the plugin was not told.
  std::function<void(device::Owner owner, device::DeviceSet devices)> hold_devices = {};
  std::function<Async<Result<>>(device::Owner owner, device::DeviceSet devices)> release_devices = {};
  // Collection of what a driver writes into FIFOs (agent/logs); null: none.
  std::function<Async<Result<>>(std::string alloc_dir, std::string task, std::uint64_t max_files, std::uint64_t max_bytes)> collect_logs = {};
  std::function<Async<>(std::string alloc_dir, std::string task)> release_logs = {};
  // Stores one task's record durably.
  std::function<Async<Result<>>(std::string alloc_id, std::string task, std::string bytes)> store_task;
};

class TaskRunner {
 public:
  // `changed` is called after every change of state(); it must not destroy the runner. `may_run_already`: an earlier agent may
  // have started the task without leaving its handle in `local`.
  TaskRunner(TaskServices& services, std::shared_ptr<const model::Allocation> alloc, const model::TaskGroup& group,
             const model::Task& task, TaskLocal local, bool may_run_already, std::function<void()> changed);

  // Ends when the task will not run again. Never throws but when cancelled (agent shutdown: the task lives on).
  [[nodiscard]] Async<> run();

  // Opens the gate: the task may start. Closing it again has no effect on a task that has started.
  void allow_start();
  // Asks the task to stop for good; `why` is added as an event first when its type is not empty. Idempotent.
  void kill(model::TaskEvent why, bool skip_shutdown_delay);
  // Restart without counting as a failure. False when the task is not running.
  bool restart(std::string reason);
  [[nodiscard]] Async<Result<>> signal(std::string name, std::string reason);
  // Runs a command in the running task, with the reference's error texts. The runner may be destroyed meanwhile.
  [[nodiscard]] Async<Result<>> exec(driver::ExecOptions options, Channel<driver::ExecInput>& input, Channel<driver::ExecOutput>& output);
  void update(std::shared_ptr<const model::Allocation> alloc) { alloc_ = std::move(alloc); }
  void add_event(model::TaskEvent event);

  [[nodiscard]] const model::Task& task() const { return task_; }
  [[nodiscard]] const model::TaskState& state() const { return shown_; }
  // Where the driver says that the task is reached, since its last start; null: it did not say.
  [[nodiscard]] const TaskNetwork* network() const { return local_.network.get(); }
  // It was asked to end or to restart.
  [[nodiscard]] bool stopping() const { return stop_asked_.is_set(); }
  // run() is over: the task will not run again, and its driver has forgotten it.
  [[nodiscard]] bool done() const { return done_.is_set(); }
  // The driver's last usage sample; null before the first.
  [[nodiscard]] const driver::TaskStats* stats() const { return stats_ ? &*stats_ : nullptr; }
  // Since when it has been running as it is, by a clock that nobody sets (L-10).
  [[nodiscard]] UnixNanos up_since() const { return up_since_ != 0 ? up_since_ : std::min(local_.state.started_at.unix_nanos(), reckoning_.now()); }
  // What its metrics are labelled with.
  [[nodiscard]] metrics::Labels metric_labels() const;
  [[nodiscard]] Async<> kill_and_wait(model::TaskEvent why, bool skip_shutdown_delay);

 private:
  [[nodiscard]] Async<TaskOutcome> run_once();
  // Each makes the task run, or says that it does not.
  [[nodiscard]] Async<bool> recover(TaskDriver& driver);
  [[nodiscard]] Async<bool> adopt(TaskDriver& driver, driver::TaskConfig config);
  [[nodiscard]] Async<Result<>> prepare_and_start(TaskDriver& driver);
  [[nodiscard]] Result<driver::TaskConfig> prepare(const TaskDriver& driver);
  [[nodiscard]] Async<Result<>> reserve_devices();
  [[nodiscard]] std::vector<device::DeviceSet> own_devices() const;
  [[nodiscard]] device::Owner as_owner() const;
  void hold_devices() const;
  [[nodiscard]] Async<> let_devices_go();
  [[nodiscard]] Async<Result<>> collect_logs(const TaskDriver& driver);
  [[nodiscard]] bool keeps_logs(const TaskDriver& driver) const;
  [[nodiscard]] Async<Result<TaskDriver::Started>> start(TaskDriver& driver, driver::TaskConfig config);
  [[nodiscard]] Async<> now_runs(TaskDriver::Started started);
  void keep_network(std::optional<driver::DriverNetwork> told);
  [[nodiscard]] Async<> new_driver_task_id();
  [[nodiscard]] Async<> wait_for_plugin(TaskDriver& driver);
  // From running to forgotten.
  [[nodiscard]] Async<driver::ExitResult> wait_for_end(TaskDriver& driver);
  [[nodiscard]] Async<> stop_when_asked(TaskDriver& driver);
  [[nodiscard]] Async<> sample_stats(TaskDriver& driver);
  [[nodiscard]] bool runs_again(const TaskOutcome& outcome);
  [[nodiscard]] Async<> let_driver_forget();
  void forget_secret_files();
  [[nodiscard]] Async<> store();
  void push_event(model::TaskEvent event);
  void notify();
  void count(std::string_view metric) const;
  [[nodiscard]] std::string alloc_dir() const { return services_.alloc_root + "/" + alloc_->id; }
  [[nodiscard]] UnixNanos now() const { return services_.clock.unix_nanos(); }
  [[nodiscard]] const model::RestartPolicy& restart_policy() const;
  [[nodiscard]] nanoseconds kill_timeout() const;

  TaskServices& services_;
  std::shared_ptr<const model::Allocation> alloc_;
  std::shared_ptr<const model::Job> job_;  // keeps task_ and group_ alive
  const model::TaskGroup& group_;
  const model::Task& task_;
  TaskLocal local_;
  std::function<void()> changed_;
  Logger log_;
  Event start_allowed_;
  Event stop_asked_;      // kill or restart
  Event done_;
  model::TaskState shown_;
  bool unstored_ = false;  // local_.state is ahead of what is stored and may not be shown yet
  bool may_run_already_ = false;
  bool killed_ = false;
  bool restart_asked_ = false;
  bool skip_shutdown_delay_ = false;
  Reckoning reckoning_;  // of pauses between restarts, and of how long it has been up
  UnixNanos up_since_ = 0;
  std::optional<driver::TaskStats> stats_;
  std::optional<device::Reservation> reserved_;  // asked for once, then used at every restart
};

}  // namespace drover::agent
