// alloc stop, restart and signal.
#include <nlohmann/json.hpp>

#include "cli/api_client.h"
#include "cli/commands.h"
#include "cli/lookup.h"
#include "cli/monitor.h"

namespace drover::cli {
namespace {
class AllocStop final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.boolean("detach", detach_, "Print the evaluation's id and return.");
    set.boolean("verbose", verbose_, "Show whole ids.");
    set.boolean("no-shutdown-delay", no_shutdown_delay_, "Skip the shutdown delays of groups and tasks.");
  }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() != 1) return context.usage_error("This command takes one argument: <alloc-id>");
    int code = 0;
    const auto alloc = find_alloc(context, arguments[0], verbose_, code);
    if (!alloc) return code;
    QueryPairs query{{"namespace", alloc->namespace_}};
    if (no_shutdown_delay_) query.emplace_back("no_shutdown_delay", "true");
    auto answer = context.api().put(fmt::format("/v1/allocation/{}/stop", alloc->id), "", query);
    if (!answer) return context.failed(fmt::format("Error stopping allocation: {}", answer.error().message()));
    const auto reply = nlohmann::json::parse(answer->body, nullptr, false);
    const std::string eval = reply.is_object() ? reply.value("EvalID", "") : "";
    if (detach_) {
      context.ui.out(eval);
      return 0;
    }
    return monitor_eval(context, eval, verbose_);
  }

 private:
  bool detach_ = false, verbose_ = false, no_shutdown_delay_ = false;
};

class AllocRestart final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.boolean("all-tasks", all_tasks_, "Restart every task, also those that have ended.");
    set.boolean("verbose", verbose_, "Show whole ids.");
    set.text("task", task_, "The task to restart; all running ones without it.");
  }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.empty() || arguments.size() > 2) return context.usage_error("This command takes one or two arguments: <alloc-id> <task-name>");
    const std::string task = !task_.empty() ? task_ : arguments.size() == 2 ? arguments[1] : "";
    if (all_tasks_ && !task.empty()) return context.failed("The -all-tasks option is not allowed when restarting a specific task.");
    int code = 0;
    const auto alloc = find_alloc(context, arguments[0], verbose_, code);
    if (!alloc) return code;
    if (!task.empty() && !has_task(context, *alloc, task)) return 1;
    const nlohmann::json body{{"TaskName", task}, {"AllTasks", all_tasks_}};
    auto answer = context.api().put(fmt::format("/v1/client/allocation/{}/restart", alloc->id), body.dump(), {{"namespace", alloc->namespace_}});
    if (!answer) return context.failed(fmt::format("Failed to restart allocation:\n\n{}", answer.error().message()));
    return 0;
  }

 private:
  bool all_tasks_ = false, verbose_ = false;
  std::string task_;
};

class AllocSignal final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.boolean("verbose", verbose_, "Show whole ids.");
    set.text("s", signal_, "The signal, by name or number.");
    set.text("task", task_, "The task to signal; all running ones without it.");
  }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.empty() || arguments.size() > 2) return context.usage_error("This command takes up to two arguments: <alloc-id> <task>");
    int code = 0;
    const auto alloc = find_alloc(context, arguments[0], verbose_, code);
    if (!alloc) return code;
    const nlohmann::json body{{"Signal", signal_}, {"Task", !task_.empty() ? task_ : arguments.size() == 2 ? arguments[1] : ""}};
    auto answer = context.api().put(fmt::format("/v1/client/allocation/{}/signal", alloc->id), body.dump(), {{"namespace", alloc->namespace_}});
    if (!answer) return context.failed(fmt::format("Error signalling allocation: {}", answer.error().message()));
    return 0;
  }

 private:
  bool verbose_ = false;
  std::string signal_ = "SIGKILL", task_;
};
}  // namespace

std::unique_ptr<Command> make_alloc_stop() { return std::make_unique<AllocStop>(); }
std::unique_ptr<Command> make_alloc_restart() { return std::make_unique<AllocRestart>(); }
std::unique_ptr<Command> make_alloc_signal() { return std::make_unique<AllocSignal>(); }

}  // namespace drover::cli
