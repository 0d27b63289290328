// drover-driver-mock: started by a host, never by hand.
#include "sdk/driver/serve.h"
#include "tests/mock-driver/driver.h"

int main(int argc, char** argv) {
  using namespace drover;
  driver::PluginInfo info{"mock_driver", "0.1.0", mock::config_schema(), mock::task_config_schema()};
  return driver::serve_driver(argc, argv, std::move(info), [](Executor loop, Logger log) -> std::unique_ptr<driver::Driver> {
    return std::make_unique<mock::MockDriver>(std::move(loop), std::move(log), system_clock());
  });
}
