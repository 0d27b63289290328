// alloc exec: a command in a running task, with this terminal or with plain streams.
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/exec_session.h"
#include "cli/lookup.h"

namespace drover::cli {
namespace {
class AllocExec final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.text("task", task_, "The task, when the allocation has several.");
    set.boolean("job", by_job_, "Take an allocation of the named job.");
    set.text("group", group_, "With -job: the task group.");
    set.boolean("i", interactive_, "Pass standard input on (the default).");
    set.boolean("t", tty_, "Give the command a terminal; the default when this program has one.");
    set.text("e", escape_, "What, with a dot after it at the start of a line, ends a session with a terminal; \"none\" turns it off.");
  }

  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.empty()) return context.usage_error(by_job_ ? "A job ID is required" : "An allocation ID is required");
    if (arguments.size() < 2) return context.usage_error("A command is required");
    if (arguments[0].empty()) return context.usage_error(by_job_ ? "A job ID is required" : "An allocation ID is required");
    if (tty_ && !interactive_) return context.usage_error("-i must be enabled if running with tty");
    const auto escape = parse_escape(escape_);
    if (!escape) return context.usage_error(escape.error().message());
    int code = 0;
    const auto alloc = by_job_ ? alloc_of_job(context, arguments[0], group_, code) : find_alloc(context, arguments[0], false, code);
    if (!alloc || (!task_.empty() && !has_task(context, *alloc, task_))) return alloc ? 1 : code;
    const auto task = pick_task(context, *alloc, task_, code);
    if (!task) return code;
    const nlohmann::json command(std::vector<std::string>(arguments.begin() + 1, arguments.end()));
    QueryPairs query{{"task", *task}, {"tty", tty_ ? "true" : "false"}, {"ws_handshake", "false"},
                     {"command", command.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)}, {"namespace", alloc->namespace_}};
    const auto exit = run_exec_session(context, fmt::format("/v1/client/allocation/{}/exec", alloc->id), std::move(query),
                                       {.interactive = interactive_, .tty = tty_, .escape = *escape});
    if (!exit) return context.failed(fmt::format("failed to exec into task: {}", exit.error().message()));
    return *exit;
  }

 private:
  std::string task_, group_, escape_ = "~";
  bool by_job_ = false, interactive_ = true;
  bool tty_ = ::isatty(STDIN_FILENO) != 0 && ::isatty(STDOUT_FILENO) != 0;
};
}  // namespace

std::unique_ptr<Command> make_alloc_exec() { return std::make_unique<AllocExec>(); }

}  // namespace drover::cli
