// job stop: deregister one or more jobs and follow the evaluation.
#include "cli/api_client.h"
#include "cli/commands.h"
#include "cli/lookup.h"
#include "cli/monitor.h"
#include "lib/model/api_job.h"

namespace drover::cli {
namespace {
class JobStop final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.boolean("detach", detach_, "Print the evaluation's id and return.");
    set.boolean("verbose", verbose_, "Show whole ids.");
    set.boolean("global", global_, "Stop the job in every region.");
    set.boolean("no-shutdown-delay", no_shutdown_delay_, "Skip the shutdown delays of groups and tasks.");
    set.boolean("yes", yes_, "Do not ask.");
    set.boolean("purge", purge_, "Forget the job as well.");
    set.integer("eval-priority", eval_priority_, "Priority of the evaluation.");
  }

  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.empty()) return context.usage_error("This command takes at least one argument: <job>");
    int result = 0;
    for (const std::string& argument : arguments) result = std::max(result, stop(context, argument));
    return result;
  }

 private:
  int stop(Context& context, const std::string& argument) {
    int code = 0;
    const auto job = find_job(context, argument, code);
    if (!job) return code;
    if (job->id != argument && !yes_) {
      const std::string answer = context.ui.ask(fmt::format("Are you sure you want to stop job \"{}\"? [y/N] ", job->id));
      if (answer != "y") {
        context.ui.out(answer.empty() || answer[0] == 'n' || answer[0] == 'N' ? "Cancelling job stop" : "For confirmation, an exact 'y' is required.");
        return 0;
      }
    }
    QueryPairs query{{"namespace", job->namespace_}, {"purge", purge_ ? "true" : "false"}, {"global", global_ ? "true" : "false"}};
    if (eval_priority_ != 0) query.emplace_back("eval_priority", std::to_string(eval_priority_));
    if (no_shutdown_delay_) query.emplace_back("no_shutdown_delay", "true");
    auto answer = context.api().remove("/v1/job/" + escape(job->id), query);
    if (!answer) return context.failed(fmt::format("Error deregistering job with id {}: {}", job->id, answer.error().message()));
    model::JobDeregisterResponse response;
    if (auto decoded = model::from_json(answer->body, response); !decoded) return context.failed(decoded.error().message());
    if (response.eval_id.empty()) return 0;
    if (detach_) {
      context.ui.out(response.eval_id);
      return 0;
    }
    return monitor_eval(context, response.eval_id, verbose_);
  }

  bool detach_ = false, verbose_ = false, global_ = false, no_shutdown_delay_ = false, yes_ = false, purge_ = false;
  std::int64_t eval_priority_ = 0;
};
}  // namespace

std::unique_ptr<Command> make_job_stop() { return std::make_unique<JobStop>(); }

}  // namespace drover::cli
