// agent conformance: our plugin host against the chaos plugin.
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <csignal>
#include <filesystem>

#include "agent/conformance/host_suite.h"
#include "cli/commands.h"
#include "cli/conformance_report.h"
#include "sdk/async/scope.h"

namespace drover::cli {
namespace {

class AgentConformance final : public Command {
 public:
  void flags(FlagSet& set) override { report_.flags(set); }

  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() != 1) return context.usage_error("This command takes one argument: <drover-chaos-plugin>");
    std::error_code error;
    conformance::HostSettings settings{.chaos_plugin = std::filesystem::absolute(arguments[0], error)};
    if (::access(settings.chaos_plugin.c_str(), X_OK) != 0) return context.failed(fmt::format("\"{}\" cannot be executed: {}", arguments[0], std::strerror(errno)));
    auto only = report_.only(), skip = report_.skip();
    if (!only) return context.failed(only.error().message());
    if (!skip) return context.failed(skip.error().message());
    settings.only = std::move(*only);
    settings.skip = std::move(*skip);
    std::signal(SIGPIPE, SIG_IGN);
    asio::io_context loop(1);
    Scope scope(loop.get_executor());
    int code = 1;
    scope.spawn(check(context, settings, loop.get_executor(), code));
    loop.run();
    return code;
  }

 private:
  Async<> check(Context& context, const conformance::HostSettings& settings, Executor executor, int& code) {
    const auto progress = [&](const conformance::Item& item, const conformance::ItemResult* done) { report_.progress(context.ui, item, done); };
    const auto results = co_await conformance::run_host_suite(executor, settings, progress);
    code = results ? report_.finish(context, *results, "the plugin host") : context.failed(results.error().message());
  }

  ConformanceReport report_;
};
}  // namespace

std::unique_ptr<Command> make_agent_conformance() { return std::make_unique<AgentConformance>(); }

}  // namespace drover::cli
