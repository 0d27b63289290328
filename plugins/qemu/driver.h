// qemu: a virtual machine as a task, its QEMU held by an executor on the host itself. What the guest gets is decided here.
// Contract: client 5.1; N-021: nothing of a job's text becomes an option of QEMU that the operator did not allow.
#pragma once

#include <optional>

#include "plugins/qemu/config.h"
#include "sdk/executor/cgroups.h"
#include "sdk/executor/executor_driver.h"
#include "plugins/shared/program.h"

namespace drover::qemu {

class QemuDriver final : public ExecutorDriver {
 public:
  using ExecutorDriver::ExecutorDriver;
  Async<Result<>> set_config(std::string msgpack, std::string nomad_api_version) override;
  driver::Capabilities capabilities() override;
  Async<Result<>> signal_task(std::string id, std::string signal) override;
  Async<Result<driver::ExecResult>> exec_task(std::string id, std::vector<std::string> command, std::chrono::nanoseconds timeout) override;
  Async<Result<>> exec_task_streaming(std::string id, driver::ExecOptions options, Channel<driver::ExecInput>& input,
                                      Channel<driver::ExecOutput>& output) override;

 protected:
  Result<PreparedTask> prepare(const driver::TaskConfig& config) override;
  ExecSpec session_of(const driver::TaskConfig& config) override;
  Async<bool> ask_to_end(driver::TaskConfig config) override;
  Async<> gather() override;
  driver::Fingerprint facts() override;

 private:
  Config config_;
  // Of the last fingerprint: the emulators a job may name, and the version of the one it gets when it names none.
  std::vector<std::string> emulators_;
  std::optional<Program> asked_;
  Result<std::string> version_;
};

}  // namespace drover::qemu
