// mock_driver: tasks without a process, for tests of what is around them. See README.md and config.h.
//
// The driver owns its tasks on one loop; output is written by a pool, since a reader may let a pipe fill up.
#pragma once

#include <map>
#include <memory>

#include "sdk/async/pool.h"
#include "sdk/async/scope.h"
#include "sdk/base/clock.h"
#include "tests/mock-driver/config.h"

namespace drover::mock {

struct Task;

class MockDriver final : public driver::Driver {
 public:
  MockDriver(Executor executor, Logger log, const Clock& clock);
  ~MockDriver() override;

  Async<Result<>> set_config(std::string msgpack, std::string nomad_api_version) override;
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
  Async<Result<>> exec_task_streaming(std::string id, driver::ExecOptions options, Channel<driver::ExecInput>& input,
                                      Channel<driver::ExecOutput>& output) override;
  Async<> shutdown() override;

 private:
  [[nodiscard]] Result<std::shared_ptr<Task>> find(const std::string& id) const;
  void begin(const std::shared_ptr<Task>& task, bool recovered);
  Async<> run(std::shared_ptr<Task> task, bool recovered);
  Async<> write(std::shared_ptr<Task> task, Output output, std::string path);

  Executor executor_;
  Logger log_;
  const Clock& clock_;
  Config config_;
  std::map<std::string, std::shared_ptr<Task>> tasks_;
  Pool pool_{2};
  Scope scope_;
};

}  // namespace drover::mock
