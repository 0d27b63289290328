#include "sdk/driver/driver.h"

namespace drover::driver {

Async<Result<>> Driver::init() { co_return Result<>{}; }

Async<Result<>> Driver::all_task_stats(std::chrono::nanoseconds, Channel<std::vector<TaskStats>>&) {
  co_return fail(Code::unimplemented, "the driver has only the statistics of one task at a time");
}

Async<> Driver::shutdown() { co_return; }

Async<Result<CreatedNetwork>> Driver::create_network(std::string, std::string) {
  co_return fail(Code::internal, "CreateNetwork RPC not supported by driver");
}

Async<Result<>> Driver::destroy_network(std::string, NetworkIsolation) {
  co_return fail(Code::internal, "DestroyNetwork RPC not supported by driver");
}

}  // namespace drover::driver
