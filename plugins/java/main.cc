// drover-driver-java: started by a host, never by hand.
#include "plugins/java/driver.h"
#include "sdk/driver/serve.h"

int main(int argc, char** argv) {
  using namespace drover;
  driver::PluginInfo info{"java", "0.1.0", java::config_schema(), java::task_config_schema()};
  return driver::serve_driver(argc, argv, std::move(info), [](Executor loop, Logger log) -> std::unique_ptr<driver::Driver> {
    return std::make_unique<java::JavaDriver>(std::move(loop), std::move(log), executor_host_from_environment(), system_clock());
  });
}
