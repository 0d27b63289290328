// A task of the driver under test with its surroundings: directories, log FIFOs, environment (protocol 7). Loop only.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "sdk/conformance/bench.h"

namespace drover::conformance {

// A FIFO of the host, read all the time unless told otherwise.
class Fifo {
 public:
  struct State;
  Fifo(Executor executor, const std::string& path, bool read);
  ~Fifo();
  Fifo(const Fifo&) = delete;
  Fifo& operator=(const Fifo&) = delete;
  [[nodiscard]] const std::string& text() const;
  // Whether somebody holds it open for writing.
  [[nodiscard]] bool has_writer() const;

 private:
  std::shared_ptr<State> state_;
};

struct Task {
  pb::TaskConfig config;
  pb::TaskHandle handle;
  std::string alloc_dir, task_dir;  // on the host
  std::string mark;                 // in the task's environment, to find its processes by
  std::unique_ptr<Fifo> out, err;
  [[nodiscard]] const std::string& id() const { return config.id(); }
  // A file in the task's own directory, which is $NOMAD_TASK_DIR for it; empty when it is not there.
  [[nodiscard]] std::string file(const std::string& name) const;
};
using TaskPtr = std::shared_ptr<Task>;

enum class Logs { fifos, unread_fifos, null_device, none };
struct TaskOptions {
  Wanted wanted;
  std::string shell = "/bin/sh";
  Logs logs = Logs::fifos;
  std::function<void(pb::TaskConfig&)> change;  // before the start
};

// Directories and configuration for a task, not started.
[[nodiscard]] Async<Result<TaskPtr>> prepare_task(Bench& bench, Run& run, TaskOptions options);
// The same, started. Null after an entry in `check`; it skips when the recipe cannot do what is wanted.
[[nodiscard]] Async<TaskPtr> start_task(Bench& bench, Check& check, Run& run, TaskOptions options);
[[nodiscard]] Async<Result<pb::StartTaskResponse>> call_start(Run& run, const Task& task);

// Waits until the task has written this file. False after `limit`.
[[nodiscard]] Async<bool> file_within(const Task& task, std::string name, std::chrono::nanoseconds limit);
[[nodiscard]] Async<Result<pb::WaitTaskResponse>> wait_task(Run& run, std::string id, std::chrono::nanoseconds limit);
[[nodiscard]] Async<Result<>> stop_task(Run& run, std::string id, std::chrono::nanoseconds timeout, std::string signal);
[[nodiscard]] Async<Result<>> destroy_task(Run& run, std::string id, bool force);
[[nodiscard]] Async<Result<pb::InspectTaskResponse>> inspect_task(Run& run, std::string id);
// "exit code 7", "exit code 137, signal 9, killed by the memory limit", with the error if there is one.
[[nodiscard]] std::string describe(const Result<pb::WaitTaskResponse>& answer);

// The host's pids of the processes that have the task's mark in their environment.
[[nodiscard]] std::vector<pid_t> processes_of(const Task& task);
// What of a destroyed task is still there; empty: nothing. What ends by itself gets a moment.
[[nodiscard]] Async<std::string> left_of(const Task& task);

[[nodiscard]] drover::known::Duration to_duration(std::chrono::nanoseconds value);

}  // namespace drover::conformance
