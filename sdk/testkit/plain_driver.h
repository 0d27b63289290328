// A driver whose tasks are nothing but time, for test plugins: { run_for = "10s"  exit_code = 3 }. What a task has run is in its
// handle, so a recovered one goes on where it was. Loop only.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "sdk/async/scope.h"
#include "sdk/driver/driver.h"
#include "sdk/plugin/schema.h"

namespace drover::testkit {

class PlainDriver final : public driver::Driver {
 public:
  explicit PlainDriver(Executor executor, std::string name) : executor_(std::move(executor)), name_(std::move(name)) {}
  [[nodiscard]] static plugin::Spec task_config_schema();

  Async<Result<>> set_config(std::string msgpack, std::string) override;
  driver::Capabilities capabilities() override;
  Async<> fingerprint(Channel<driver::Fingerprint>& out) override;
  Async<Result<driver::StartedTask>> start_task(driver::TaskConfig config) override;
  Async<Result<>> recover_task(driver::TaskHandle handle) override;
  Async<Result<driver::ExitResult>> wait_task(std::string id) override;
  Async<Result<>> stop_task(std::string id, std::chrono::nanoseconds timeout, std::string signal) override;
  Async<Result<>> destroy_task(std::string id, bool force) override;
  Async<Result<driver::TaskStatus>> inspect_task(std::string id) override;
  Async<Result<>> task_stats(std::string id, std::chrono::nanoseconds interval, Channel<driver::TaskStats>& out) override;
  Async<> task_events(Channel<driver::TaskEvent>& out) override;
  Async<Result<>> signal_task(std::string id, std::string signal) override;
  Async<Result<driver::ExecResult>> exec_task(std::string id, std::vector<std::string> command, std::chrono::nanoseconds timeout) override;
  Async<Result<>> exec_task_streaming(std::string id, driver::ExecOptions options, Channel<driver::ExecInput>& input, Channel<driver::ExecOutput>& output) override;

 private:
  struct Task;
  using TaskPtr = std::shared_ptr<Task>;
  Result<TaskPtr> find(const std::string& id) const;
  void begin(driver::TaskConfig config, std::int64_t began, std::chrono::nanoseconds run_for, int exit_code);
  static Async<> run(TaskPtr task, std::chrono::nanoseconds left, int exit_code);

  Executor executor_;
  std::string name_;
  std::map<std::string, TaskPtr> tasks_;
};

}  // namespace drover::testkit
