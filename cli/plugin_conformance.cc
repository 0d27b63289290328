// plugin conformance: the suite of sdk/conformance against an executable, with the author's files read and the report written.
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/conformance_report.h"
#include "cli/spec_file.h"
#include "lib/jobspec/parse.h"
#include "sdk/async/scope.h"
#include "sdk/base/text.h"
#include "sdk/conformance/runner.h"
#include "sdk/plugin/launch.h"

extern char** environ;

namespace drover::cli {
namespace {
namespace conformance = drover::conformance;

// A complaint about a text that stood `added` lines further down: "file:12,3-4: ..." is the file's line 7.
std::string with_own_lines(std::string text, const std::string& path, std::size_t added) {
  for (std::size_t at = text.find(path + ":"); at != std::string::npos; at = text.find(path + ":", at + 1)) {
    const std::size_t begin = at + path.size() + 1, end = text.find_first_not_of("0123456789", begin);
    const auto line = parse_unsigned(std::string_view(text).substr(begin, end - begin));
    if (line && *line > added) text.replace(begin, end - begin, std::to_string(*line - added));
  }
  return text;
}

// A file that holds the content of a block, in the language of job files or as JSON. The language's rules for a task's config
// apply: `${...}` of names that are no job variables stays for later.
Result<model::Json> read_block(const std::string& path) {
  auto text = read_spec(path);
  if (!text) return fail(text.error());
  if (path.ends_with(".json")) {
    auto json = model::Json::parse(*text, nullptr, false);
    if (!json.is_object()) return fail(Code::invalid_argument, "{}: not a JSON object", path);
    return json;
  }
  static constexpr std::string_view head = "job \"c\" {\ngroup \"c\" {\ntask \"c\" {\ndriver = \"c\"\nconfig {\n";
  const auto parsed = jobspec::parse({.source = std::string(head) + *text + "\n}\n}\n}\n}\n", .file_name = path});
  if (!parsed) return fail(Error(parsed.error().code(), with_own_lines(parsed.error().message(), path, 5)));
  return parsed->at("/TaskGroups/0/Tasks/0/Config"_json_pointer);
}

std::map<std::string, std::string> plugin_environment() {
  std::vector<std::pair<std::string, std::string>> own;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const auto [key, value] = split_once(*entry, '=');
    own.emplace_back(key, value);
  }
  const auto filtered = plugin::filter_environment(own);
  return {filtered.begin(), filtered.end()};
}

class PluginConformance final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.text("task-config", task_config_, "File that says how to run a task: needed by the items about tasks.");
    set.text("config", config_, "File with the configuration of the agent's plugin block.");
    set.text("previous", previous_, "An older version of the plugin, whose handles this one must accept.");
    set.text("idle", idle_, "How long streams and idle connections have to last.");
    report_.flags(set);
  }

  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.empty()) return context.usage_error("This command takes one argument: <executable>");
    const auto settings = read_settings(arguments);
    if (!settings) return context.failed(settings.error().message());
    // A plugin that ends while we write to it is a finding, not our end.
    std::signal(SIGPIPE, SIG_IGN);
    asio::io_context loop(1);
    Scope scope(loop.get_executor());
    asio::signal_set signals(loop, SIGINT, SIGTERM);
    int code = 1;
    scope.spawn(check(context, *settings, loop.get_executor(), signals, code));
    scope.spawn(interrupt(signals, scope));
    loop.run();
    return code;
  }

 private:
  Result<conformance::Settings> read_settings(const std::vector<std::string>& arguments) const {
    conformance::Settings out;
    std::error_code error;
    out.executable = std::filesystem::absolute(arguments[0], error);
    if (::access(out.executable.c_str(), X_OK) != 0) return fail_errno("\"{}\" cannot be executed", arguments[0]);
    out.arguments.assign(arguments.begin() + 1, arguments.end());
    if (!previous_.empty()) out.previous = std::filesystem::absolute(previous_, error);
    if (!config_.empty()) {
      const auto block = read_block(config_);
      if (!block) return fail(block.error());
      out.config_json = block->dump();
    }
    if (!task_config_.empty()) {
      const auto block = read_block(task_config_);
      if (!block) return fail(block.error());
      auto recipe = conformance::Recipe::parse(nlohmann::json::parse(block->dump()));
      if (!recipe) return fail(recipe.error(), "{}", task_config_);
      out.recipe = std::move(*recipe);
    }
    auto only = report_.only(), skip = report_.skip();
    if (!only) return fail(only.error());
    if (!skip) return fail(skip.error());
    out.only = std::move(*only);
    out.skip = std::move(*skip);
    const auto idle = parse_duration(idle_);
    if (!idle) return fail(idle.error(), "-idle");
    out.idle = *idle;
    out.environment = plugin_environment();
    return out;
  }

  // Ctrl-C: what was started is ended by the destructors on the way out.
  static Async<> interrupt(asio::signal_set& signals, Scope& scope) {
    const auto [error, number] = co_await signals.async_wait(no_throw);
    if (!error) scope.cancel();
  }

  Async<> check(Context& context, const conformance::Settings& settings, Executor executor, asio::signal_set& signals, int& code) {
    const auto progress = [&](const conformance::Item& item, const conformance::ItemResult* done) { report_.progress(context.ui, item, done); };
    const auto result = co_await conformance::run_suite(executor, settings, progress);
    signals.cancel();
    code = result ? report_.finish(context, result->results, result->subject) : context.failed(result.error().message());
  }

  std::string task_config_, config_, previous_, idle_ = "60s";
  ConformanceReport report_;
};
}  // namespace

std::unique_ptr<Command> make_plugin_conformance() { return std::make_unique<PluginConformance>(); }

}  // namespace drover::cli
