// @program@: a task driver. A host starts it; `keep` makes this process the keeper of a task (keeper.h).
#include <string_view>

#include "driver.h"
#include "keeper.h"
#include "sdk/driver/serve.h"

int main(int argc, char** argv) {
  if (argc == 3 && std::string_view(argv[1]) == "keep") return keep(argv[2]);
  return drover::driver::serve_driver(argc, argv, {.name = "@name@", .version = "0.1.0", .config_schema = config_schema(), .task_config_schema = task_config_schema()},
                                      [](auto executor, auto log) { return std::make_unique<TaskDriver>(std::move(executor), std::move(log)); });
}
