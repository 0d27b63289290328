// A complete driver whose tasks run isolated. All it says itself is what a task runs.
#include <nlohmann/json.hpp>

#include "sdk/driver/serve.h"
#include "sdk/executor/isolated_driver.h"
#include "sdk/plugin/config.h"

using namespace drover;
using namespace drover::driver;

class Boxed final : public IsolatedDriver {
 public:
  using IsolatedDriver::IsolatedDriver;

  Async<Result<>> set_config(std::string msgpack, std::string) override {
    const auto config = plugin::decode_config(msgpack);
    if (!config) co_return fail(config.error());
    allow_degraded(plugin::get_bool(*config, "allow_degraded"));
    co_return Result<>{};
  }

 private:
  Result<Isolation> isolate(const TaskConfig& task) override {
    const auto config = plugin::decode_config(task.driver_config);
    if (!config) return fail(config.error());
    std::vector<std::string> command = plugin::get_strings(*config, "args");
    command.insert(command.begin(), plugin::get_string(*config, "command"));
    return Isolation{.command = std::move(command), .hostname = "box"};
  }
};

int main(int argc, char** argv) {
  using namespace drover::plugin;
  const Spec agent = object({{"allow_degraded", default_value(attr("allow_degraded", "bool"), "false")}});
  const Spec task = object({{"command", attr("command", "string", true)}, {"args", attr("args", "list(string)")}});
  return serve_driver(argc, argv, {.name = "boxed", .version = "0.1.0", .config_schema = agent, .task_config_schema = task},
                      [](auto loop, auto log) { return std::make_unique<Boxed>(loop, log, IsolatedDriver::Options{.name = "boxed"}); });
}
