// job restart: restart the allocations of a job in batches, on the spot or by placing them anew.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <thread>

#include "cli/api_client.h"
#include "cli/commands.h"
#include "cli/lookup.h"
#include "lib/model/alloc.h"
#include "sdk/base/clock.h"
#include "sdk/base/text.h"

namespace drover::cli {
namespace {
using Allocs = model::List<model::AllocListStub>;

bool has_task(const model::AllocListStub& alloc, const std::string& task) { return alloc.task_states && alloc.task_states->contains(task); }

class JobRestart final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.boolean("all-tasks", all_tasks_, "Restart every task, also those that have ended.");
    set.text("batch-size", batch_size_, "How many allocations at a time: a number, or a percentage of them.");
    set.text("batch-wait", batch_wait_, "How long to wait between batches, or \"ask\".");
    set.list("group", groups_, "Only allocations of this group; may be given several times.");
    set.boolean("no-shutdown-delay", no_shutdown_delay_, "With -reschedule: skip the shutdown delays.");
    set.text("on-error", on_error_, "What to do when an allocation cannot be restarted: ask or fail.");
    set.boolean("reschedule", reschedule_, "Stop the allocations and let them be placed again, instead of restarting their tasks.");
    set.list("task", tasks_, "Only this task; may be given several times.");
    set.boolean("yes", yes_, "Do not ask.");
    set.boolean("verbose", verbose_, "Show whole ids.");
  }

  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() != 1) return context.usage_error("This command takes one argument: <job>");
    if (on_error_ != "ask" && on_error_ != "fail") return context.usage_error(fmt::format("Invalid -on-error value {}: valid options are \"ask\" and \"fail\"", quote(on_error_)));
    if (all_tasks_ && !tasks_.empty()) return context.usage_error("The -all-tasks option cannot be used with -task");
    if (reschedule_ && (all_tasks_ || !tasks_.empty())) return context.usage_error("The -reschedule option cannot be used with -all-tasks or -task");
    std::chrono::nanoseconds wait{};
    if (batch_wait_ != "ask") {
      auto parsed = parse_duration(batch_wait_);
      if (!parsed) return context.usage_error(fmt::format("Invalid -batch-wait value {}: time: invalid duration {}", quote(batch_wait_), quote(batch_wait_)));
      wait = *parsed;
    }
    int code = 0;
    const auto name = find_job(context, arguments[0], code);
    if (!name) return code;
    auto allocs = chosen(context, *name);
    if (!allocs) return context.failed(fmt::format("Error retrieving allocations for job {}: {}", quote(name->id), allocs.error().message()));
    if (allocs->empty()) {
      context.ui.out("No allocations to restart");
      return 0;
    }
    auto size = batch(allocs->size());
    if (!size) return context.usage_error(size.error().message());
    if (!yes_ && name->id != arguments[0] && context.ui.ask(fmt::format("Are you sure you want to restart job {}? [y/N] ", quote(name->id))) != "y") {
      context.ui.out("Job restart cancelled");
      return 0;
    }
    heading(context, fmt::format("Restarting {} allocation{}", allocs->size(), allocs->size() == 1 ? "" : "s"));
    bool failed = false;
    for (std::size_t at = 0; at < allocs->size(); ++at) {
      if (at > 0 && at % *size == 0 && !pause(context, wait)) return 1;
      if (auto done = restart(context, (*allocs)[at]); !done) {
        context.ui.error(fmt::format("Error restarting allocation {}: {}", quote(short_id((*allocs)[at].id, verbose_)), done.error().message()));
        failed = true;
        if (on_error_ == "fail" || !(yes_ || context.ui.ask("Continue with the other allocations? [y/N] ") == "y")) return 1;
      }
    }
    heading(context, failed ? "Job restart finished with errors" : "Job restart finished");
    return failed ? 1 : 0;
  }

 private:
  static std::string now() { return format_time(system_clock().unix_nanos()); }
  static void heading(Context& context, const std::string& text) { context.ui.out(fmt::format("==> {}: {}", now(), text)); }
  static void line(Context& context, const std::string& text) { context.ui.out(fmt::format("    {}: {}", now(), text)); }

  // The running allocations of the groups asked for that have one of the tasks asked for.
  Result<Allocs> chosen(Context& context, const JobName& name) const {
    auto all = context.api().read<Allocs>(fmt::format("/v1/job/{}/allocations", escape(name.id)), {{"namespace", name.namespace_}});
    if (!all) return all;
    std::erase_if(*all, [&](const model::AllocListStub& alloc) {
      if (alloc.client_status != "running" || alloc.desired_status != "run") return true;
      if (!groups_.empty() && std::find(groups_.begin(), groups_.end(), alloc.task_group) == groups_.end()) return true;
      return !tasks_.empty() && std::none_of(tasks_.begin(), tasks_.end(), [&](const std::string& task) { return has_task(alloc, task); });
    });
    return all;
  }

  Result<std::size_t> batch(std::size_t total) const {
    std::string text = batch_size_;
    const bool percent = text.ends_with('%');
    if (percent) text.pop_back();
    const auto number = parse_unsigned(text);
    if (!number || *number == 0 || (percent && *number > 100)) return fail(Code::invalid_argument, "Invalid -batch-size value {}: use a number above 0 or a percentage", quote(batch_size_));
    if (!percent) return static_cast<std::size_t>(*number);
    return std::max<std::size_t>(1, (total * static_cast<std::size_t>(*number) + 99) / 100);
  }

  bool pause(Context& context, std::chrono::nanoseconds wait) const {
    if (batch_wait_ == "ask") return context.ui.ask("Proceed with the next batch? [y/N] ") == "y";
    if (wait.count() <= 0) return true;
    line(context, fmt::format("Waiting {} before the next batch", format_duration(wait)));
    std::this_thread::sleep_for(wait);
    return true;
  }

  Result<> restart(Context& context, const model::AllocListStub& alloc) const {
    const QueryPairs query{{"namespace", alloc.namespace_}};
    if (reschedule_) return reschedule(context, alloc, query);
    for (const std::string& task : tasks_.empty() ? std::vector<std::string>{""} : tasks_) {
      if (!task.empty() && !has_task(alloc, task)) continue;
      line(context, fmt::format("Restarting {} in allocation {} for group {}", task.empty() ? "tasks" : "task " + quote(task), quote(short_id(alloc.id, verbose_)), quote(alloc.task_group)));
      const nlohmann::json body{{"TaskName", task}, {"AllTasks", all_tasks_}};
      auto answer = context.api().put(fmt::format("/v1/client/allocation/{}/restart", alloc.id), body.dump(), query);
      if (!answer) return fail(answer.error());
    }
    return {};
  }

  // Stops the allocation and waits until the one that replaces it runs.
  Result<> reschedule(Context& context, const model::AllocListStub& alloc, QueryPairs query) const {
    line(context, fmt::format("Rescheduling allocation {} for group {}", quote(short_id(alloc.id, verbose_)), quote(alloc.task_group)));
    if (no_shutdown_delay_) query.emplace_back("no_shutdown_delay", "true");
    auto stopped = context.api().put(fmt::format("/v1/allocation/{}/stop", alloc.id), "", query);
    if (!stopped) return fail(stopped.error());
    std::string watched = alloc.id, index = "0";
    for (;;) {
      auto answer = context.api().get("/v1/allocation/" + watched, {{"namespace", alloc.namespace_}, {"index", index}, {"wait", "60s"}});
      if (!answer) return fail(answer.error());
      index = std::to_string(answer->index);
      model::Allocation now_is;
      DROVER_TRY(model::from_json(answer->body, now_is));
      if (watched != alloc.id && now_is.client_status == "running") {
        line(context, fmt::format("Allocation {} replaced by {}", quote(short_id(alloc.id, verbose_)), quote(short_id(watched, verbose_))));
        return {};
      }
      if (watched != alloc.id && (now_is.client_status == "failed" || now_is.client_status == "lost")) {
        return fail(Code::internal, "its replacement {} is {}", quote(short_id(watched, verbose_)), now_is.client_status);
      }
      if (!now_is.next_allocation.empty() && watched == alloc.id) {
        watched = now_is.next_allocation;
        index = "0";
      }
    }
  }

  bool all_tasks_ = false, no_shutdown_delay_ = false, reschedule_ = false, yes_ = false, verbose_ = false;
  std::string batch_size_ = "1", batch_wait_ = "0s", on_error_ = "ask";
  std::vector<std::string> groups_, tasks_;
};
}  // namespace

std::unique_ptr<Command> make_job_restart() { return std::make_unique<JobRestart>(); }

}  // namespace drover::cli
