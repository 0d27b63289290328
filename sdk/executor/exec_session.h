// Exec sessions in a task: the buffered form for script checks and the interactive one. The bytes flow between the plugin and
// the session's descriptors; the executor only starts it and tells its end. Dropping the coroutine kills the session.
#pragma once

#include <memory>

#include "sdk/executor/executor_task.h"

namespace drover {

// Runs a command and gathers its output, at most `output_limit` bytes a stream. A command that outlasts `timeout` is killed.
[[nodiscard]] Async<Result<driver::ExecResult>> run_exec(std::shared_ptr<ExecutorTask> task, ExecSpec spec, std::chrono::nanoseconds timeout);

// Copies input and output until the command has ended; closes `output` after the exit code. Contract: driver.h.
[[nodiscard]] Async<Result<>> stream_exec(std::shared_ptr<ExecutorTask> task, ExecSpec spec, Channel<driver::ExecInput>& input,
                                          Channel<driver::ExecOutput>& output);

}  // namespace drover
