// One task: a keeper process (keeper.h) with a directory of its own, so that neither a crash nor an update of the plugin loses it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sdk/async/event.h"
#include "sdk/async/scope.h"
#include "sdk/base/process.h"
#include "sdk/driver/driver.h"

using drover::Async;
using drover::Channel;
using drover::Executor;
using drover::Result;
using drover::driver::TaskConfig;
using drover::driver::TaskHandle;

class Task {
 public:
  using Ptr = std::shared_ptr<Task>;
  Task(Executor executor, TaskConfig config, const std::string& state_dir);

  static Async<Result<>> start(Ptr task, std::vector<std::string> command);
  static Result<> recover(Ptr task, const std::string& driver_state);
  static Async<Result<>> stop(Ptr task, std::chrono::nanoseconds timeout, std::string signal);
  static Async<> destroy(Ptr task);
  [[nodiscard]] Result<> signal(const std::string& name) const;
  [[nodiscard]] TaskHandle handle() const;
  [[nodiscard]] drover::driver::TaskStatus status() const;
  [[nodiscard]] pid_t pid() const { return pid_; }

  drover::Event ended;
  drover::driver::ExitResult result;  // once ended

 private:
  static Async<> follow(Ptr task);
  void finish();

  TaskConfig config_;
  std::string directory_;
  drover::Process keeper_;
  std::uint64_t keeper_began_ = 0;  // with its number it names the keeper for good
  pid_t pid_ = 0;                   // of the task, and of its session
  std::int64_t started_at_, completed_at_ = 0;
  drover::Scope scope_;
};
