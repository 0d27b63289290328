// Output of tasks whose drivers write into FIFOs (plugin protocol 7.3): makes the FIFOs, keeps a drover-logd running that reads them,
// and holds them open, so that neither its death nor the agent's loses anything (F-20). Loop only; owned by the client role.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "sdk/async/event.h"
#include "sdk/async/scope.h"
#include "sdk/base/fd.h"
#include "sdk/base/log.h"

namespace drover::agent {

struct LogCollectorOptions {
  std::string program;  // drover-logd
  std::string socket;   // in the client's state directory
};

class LogCollector {
 public:
  LogCollector(Executor executor, Logger log, LogCollectorOptions options);
  ~LogCollector();

  // Both streams of a task have their FIFOs, which are being read, when it returns. Idempotent: also for a task of an earlier agent.
  [[nodiscard]] Async<Result<>> collect(std::string alloc_dir, std::string task, std::uint64_t max_files, std::uint64_t max_bytes);
  // The task has ended: what is in the FIFOs is in the files when it returns, and they are gone.
  [[nodiscard]] Async<> release(std::string alloc_dir, std::string task);
  // The collector goes on, for the next agent.
  [[nodiscard]] Async<> detach();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace drover::agent
