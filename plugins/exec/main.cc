// drover-driver-exec: started by a host, never by hand.
#include "plugins/exec/driver.h"
#include "sdk/driver/serve.h"

int main(int argc, char** argv) {
  using namespace drover;
  driver::PluginInfo info{"exec", "0.1.0", exec::config_schema(), exec::task_config_schema()};
  return driver::serve_driver(argc, argv, std::move(info), [](Executor loop, Logger log) -> std::unique_ptr<driver::Driver> {
    return std::make_unique<exec::ExecDriver>(std::move(loop), std::move(log), executor_host_from_environment(), system_clock());
  });
}
