// A task held by its executor, as the plugin sees it: started here, or adopted after the plugin was replaced.
//
// One loop owns it. The executor is neither stopped nor asked for anything by the destructor: a plugin that goes away leaves
// its tasks running. `scope` runs the listening coroutine and must be closed before the loop ends.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "sdk/executor/launch_spec.h"
#include "sdk/async/event.h"
#include "sdk/async/process.h"
#include "sdk/async/scope.h"
#include "sdk/driver/driver.h"

namespace drover {

struct ExecutorStatus {
  std::string id, boot_id, cgroup;
  executor::State state{};
  pid_t executor_pid = 0;
  pid_t pid = 0;
  std::uint64_t start_ticks = 0;
  std::int64_t started_at = 0;
  std::int64_t ended_at = 0;
  std::uint64_t dropped_log_bytes = 0;
  std::uint64_t memory_peak = 0, memory_limit = 0;  // of an end; 0: not counted, none
  driver::ExitResult exit;  // when exited
  executor::Stage stage{};  // when failed
  int error = 0;
  std::string detail;
};

// Two levels, `<slot>/<start>`: the slot is the allocation and task that an id names, so that whatever an earlier start of
// the same task left behind is found by the next one (L-03).
struct StateDirectory {
  std::string slot;
  std::string path;
};
[[nodiscard]] StateDirectory state_directory(const std::string& base, const std::string& task_id);

class ExecutorTask {
 public:
  // Spawns `executor_path` and returns when the task runs. On failure nothing is left behind.
  [[nodiscard]] static Async<Result<std::shared_ptr<ExecutorTask>>> start(Scope& scope, std::string executor_path, std::string state_path,
                                                                          LaunchSpec spec);
  // Takes over what an earlier plugin started. An executor that is gone yields its exit record, or an unknown end once what it
  // left has been killed. Code::not_found when nothing ran: no state directory, one of before the last boot, a start that
  // failed; what there was of it is then removed, and cannot run later.
  [[nodiscard]] static Async<Result<std::shared_ptr<ExecutorTask>>> adopt(Scope& scope, std::string state_path);

  [[nodiscard]] const ExecutorStatus& status() const { return status_; }
  [[nodiscard]] const std::string& state_path() const { return state_path_; }
  [[nodiscard]] bool ended() const { return ended_.is_set(); }
  // Returns when the task has ended and its output is stored.
  [[nodiscard]] Async<> wait() { return ended_.wait(); }
  [[nodiscard]] Async<bool> wait_for(std::chrono::nanoseconds limit) { return ended_.wait_for(limit); }

  [[nodiscard]] Result<> signal(int number);
  // Signal now, SIGKILL to everything of the task after `grace`. Returns at once; wait() tells the end.
  [[nodiscard]] Result<> stop(int number, std::chrono::milliseconds grace);
  // Lets the executor go and removes its state. Only after the end.
  void reap();
  // A connection of its own for an exec session, past the first status message.
  [[nodiscard]] Async<Result<Fd>> connect_session();

  struct Private {};
  ExecutorTask(Private, const Executor& loop, std::string state_path) : state_path_(std::move(state_path)), ended_(loop), changed_(loop) {}

 private:
  static Async<> listen(std::shared_ptr<ExecutorTask> task);
  void on_message(std::string_view bytes);
  void on_executor_gone();

  std::string state_path_;
  Fd connection_;
  ExecutorStatus status_;
  Event ended_;
  Condition changed_;
  bool answered_ = false;
  bool reaped_ = false;
};

// Kills and forgets every start of the slot that `is_known` does not claim: what a plugin left that died between starting a
// task and telling its host.
[[nodiscard]] Async<> clear_slot(Scope& scope, std::string slot, std::function<bool(const std::string& state_path)> is_known);
// Takes over the start of the slot that runs, else the last one that ended, and ends the others: for a host that has lost the
// id or the handle (F-02, F-38).
[[nodiscard]] Async<Result<std::shared_ptr<ExecutorTask>>> adopt_slot(Scope& scope, std::string slot,
                                                                      std::function<bool(const std::string& state_path)> is_known);

// One message with descriptors (borrowed) to an executor.
[[nodiscard]] Result<> send_to_executor(int fd, std::string_view message, const std::vector<int>& descriptors);
struct ExecutorMessage {
  std::string bytes;
  std::vector<Fd> descriptors;
};
// Code::unavailable when the connection has ended.
[[nodiscard]] Async<Result<ExecutorMessage>> receive_from_executor(int fd);
[[nodiscard]] std::optional<ExecutorStatus> parse_status(std::string_view bytes);
// An exit record that no power cut has torn.
[[nodiscard]] bool is_whole_record(std::string_view bytes);

}  // namespace drover
