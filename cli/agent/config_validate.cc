// config validate: read configuration as the agent would, and start nothing.
#include "agent/config/load.h"
#include "cli/commands.h"

namespace drover::cli {
namespace {
class ConfigValidate final : public Command {
 public:
  void flags(FlagSet&) override {}
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.empty()) return context.failed("Must specify at least one config file or directory");
    agent::Flags given;
    given.config_paths = arguments;
    const auto config = agent::load_config(given, agent::read_surroundings());
    if (!config) return context.failed(fmt::format("1 error occurred:\n\t* Error loading configuration from {}\n", config.error().message()));
    for (const std::string& warning : config->warnings) context.ui.error(warning);
    context.ui.out("Configuration is valid!");
    return 0;
  }
};
}  // namespace

std::unique_ptr<Command> make_config_validate() { return std::make_unique<ConfigValidate>(); }

}  // namespace drover::cli
