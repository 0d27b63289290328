// The driver @name@: what jobs may write, and every call of the protocol. All calls come on one thread, the loop: no locks.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "sdk/driver/driver.h"
#include "sdk/plugin/schema.h"
#include "task.h"

// What the agent's plugin block and the task's config block may hold.
drover::plugin::Spec config_schema();
drover::plugin::Spec task_config_schema();

class TaskDriver final : public drover::driver::Driver {
 public:
  TaskDriver(Executor executor, drover::Logger log) : executor_(std::move(executor)), log_(std::move(log)) {}

  Async<Result<>> set_config(std::string msgpack, std::string api_version) override;
  drover::driver::Capabilities capabilities() override;
  Async<> fingerprint(Channel<drover::driver::Fingerprint>& out) override;
  Async<Result<drover::driver::StartedTask>> start_task(TaskConfig config) override;
  Async<Result<>> recover_task(TaskHandle handle) override;
  Async<Result<drover::driver::ExitResult>> wait_task(std::string id) override;
  Async<Result<>> stop_task(std::string id, std::chrono::nanoseconds timeout, std::string signal) override;
  Async<Result<>> destroy_task(std::string id, bool force) override;
  Async<Result<drover::driver::TaskStatus>> inspect_task(std::string id) override;
  Async<Result<>> task_stats(std::string id, std::chrono::nanoseconds interval, Channel<drover::driver::TaskStats>& out) override;
  Async<> task_events(Channel<drover::driver::TaskEvent>& out) override;
  Async<Result<>> signal_task(std::string id, std::string signal) override;
  Async<Result<drover::driver::ExecResult>> exec_task(std::string id, std::vector<std::string> command, std::chrono::nanoseconds timeout) override;
  Async<Result<>> exec_task_streaming(std::string id, drover::driver::ExecOptions options, Channel<drover::driver::ExecInput>& input,
                                      Channel<drover::driver::ExecOutput>& output) override;

 private:
  std::shared_ptr<Task> find(const std::string& id) const;

  Executor executor_;
  drover::Logger log_;
  std::string state_dir_ = "/run/@name@";
  std::map<std::string, std::shared_ptr<Task>> tasks_;
};
