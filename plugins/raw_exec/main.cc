// drover-driver-raw-exec: started by a host, never by hand.
#include "plugins/raw_exec/driver.h"
#include "sdk/driver/serve.h"

int main(int argc, char** argv) {
  using namespace drover;
  driver::PluginInfo info{"raw_exec", "0.1.0", raw_exec::config_schema(), raw_exec::task_config_schema()};
  return driver::serve_driver(argc, argv, std::move(info), [](Executor loop, Logger log) -> std::unique_ptr<driver::Driver> {
    return std::make_unique<raw_exec::RawExecDriver>(std::move(loop), std::move(log), executor_host_from_environment(), system_clock());
  });
}
