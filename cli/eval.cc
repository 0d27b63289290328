// eval list and eval status (cli contract 3.6).
#include "cli/alloc_table.h"
#include "cli/api_client.h"
#include "cli/commands.h"
#include "cli/lookup.h"
#include "cli/monitor.h"
#include "cli/output_options.h"
#include "sdk/base/clock.h"

namespace drover::cli {
namespace {
std::string placement_failures(const model::Evaluation& eval) {
  if (eval.status == "blocked" || eval.status == "pending") return "N/A - In Progress";
  return eval.failed_tg_allocs.empty() ? "false" : "true";
}

class EvalList final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.boolean("verbose", verbose_, "Show whole ids.");
    set.integer("per-page", per_page_, "How many a page.");
    set.text("page-token", page_token_, "Where to go on.");
    set.text("filter", filter_, "Show those an expression matches.");
    set.text("job", job_, "Show those of one job.");
    set.text("status", status_, "Show those of one status.");
    set.boolean("ui", ui_, "Open the list in the user interface.");
    output_.flags(set);
  }

  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (!arguments.empty()) return context.usage_error("This command takes no arguments");
    QueryPairs query;
    const auto add = [&](const char* name, const std::string& value) {
      if (!value.empty()) query.emplace_back(name, value);
    };
    add("filter", filter_);
    add("job", job_);
    add("status", status_);
    add("next_token", page_token_);
    if (per_page_ > 0) query.emplace_back("per_page", std::to_string(per_page_));
    auto answer = context.api().get("/v1/evaluations", query);
    if (!answer) return context.failed(fmt::format("Error querying evaluations: {}", answer.error().message()));
    model::List<model::Evaluation> evals;
    if (auto decoded = model::from_json(answer->body, evals); !decoded) return context.failed(decoded.error().message());
    if (output_.wanted()) return write_formatted(context, output_, client_value(evals));
    if (evals.empty()) {
      context.ui.out("No evals found");
      return 0;
    }
    std::vector<std::vector<std::string>> rows{{"ID", "Priority", "Triggered By", "Job ID", "Namespace", "Node ID", "Status", "Placement Failures"}};
    for (const auto& eval : evals) {
      rows.push_back({short_id(eval.id, verbose_), std::to_string(eval.priority), eval.triggered_by, eval.job_id, eval.namespace_,
                      short_id(eval.node_id, verbose_), eval.status, placement_failures(eval)});
    }
    context.ui.out(format_table(rows));
    if (!answer->next_token.empty()) {
      context.ui.out(fmt::format("\nResults have been paginated. To get the next page run:\n\nnomad eval list -page-token {}", answer->next_token));
    }
    context.ui_hint("View evaluations", "/evaluations");
    return 0;
  }

 private:
  OutputOptions output_;
  bool verbose_ = false, ui_ = false;
  std::int64_t per_page_ = 0;
  std::string page_token_, filter_, job_, status_;
};

class EvalStatus final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.boolean("monitor", monitor_, "Follow the evaluation to its end.");
    set.boolean("verbose", verbose_, "Show whole ids and times.");
    set.boolean("ui", ui_, "Open the evaluation in the user interface.");
    output_.flags(set);
  }

  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() != 1) return context.usage_error("This command takes one argument");
    int code = 0;
    const auto eval = find_eval(context, arguments[0], verbose_, code);
    if (!eval) return code;
    if (monitor_) return monitor_eval(context, eval->id, verbose_);
    if (output_.wanted()) return write_formatted(context, output_, client_value(*eval));
    show(context, *eval);
    context.ui_hint("View evaluation details", "/evaluations?currentEval=" + eval->id);
    return 0;
  }

 private:
  void show(Context& context, const model::Evaluation& eval) const {
    const std::int64_t now = system_clock().unix_nanos();
    const auto when = [&](std::int64_t nanos) { return verbose_ ? format_time(nanos) : relative_time(nanos, now); };
    std::vector<std::pair<std::string, std::string>> pairs{
        {"ID", short_id(eval.id, verbose_)},
        {"Create Time", when(eval.create_time)},
        {"Modify Time", when(eval.modify_time)},
        {"Status", eval.status},
        {"Status Description", eval.status_description.empty() ? eval.status : eval.status_description},
        {"Type", eval.type},
        {"TriggeredBy", eval.triggered_by},
        {"Job ID", eval.job_id},
        {"Namespace", eval.namespace_}};
    if (!eval.node_id.empty()) pairs.emplace_back("Node ID", short_id(eval.node_id, verbose_));
    if (!eval.deployment_id.empty()) pairs.emplace_back("Deployment ID", short_id(eval.deployment_id, verbose_));
    pairs.emplace_back("Priority", std::to_string(eval.priority));
    pairs.emplace_back("Placement Failures", placement_failures(eval));
    if (!eval.wait_until.is_zero()) pairs.emplace_back("Wait Until", format_time(eval.wait_until.unix_nanos()));
    pairs.emplace_back("Previous Eval", short_id(eval.previous_eval, verbose_));
    pairs.emplace_back("Next Eval", short_id(eval.next_eval, verbose_));
    pairs.emplace_back("Blocked Eval", short_id(eval.blocked_eval, verbose_));
    context.ui.out(format_pairs(pairs));
    if (!eval.related_evals.empty()) {
      std::vector<std::vector<std::string>> rows{{"ID", "Priority", "Triggered By", "Node ID", "Status", "Description"}};
      for (const auto& related : eval.related_evals) {
        rows.push_back({short_id(related.id, verbose_), std::to_string(related.priority), related.triggered_by,
                        short_id(related.node_id, verbose_), related.status, related.status_description});
      }
      context.ui.out(fmt::format("\n{}\n{}", context.ui.heading("Related Evaluations"), format_table(rows)));
    }
    auto allocs = context.api().read<model::List<model::AllocListStub>>(fmt::format("/v1/evaluation/{}/allocations", eval.id));
    if (allocs && !allocs->empty()) {
      context.ui.out(fmt::format("\n{}\n{}", context.ui.heading("Placed Allocations"), alloc_table(*allocs, verbose_, now)));
    }
    if (!eval.failed_tg_allocs.empty()) {
      std::string out = fmt::format("\n{}", context.ui.heading("Failed Placements"));
      for (const auto& [group, metrics] : eval.failed_tg_allocs) {
        out += fmt::format("\n{}\n{}\n", failed_group_heading(group, metrics), placement_metrics(metrics, "  "));
      }
      if (!eval.blocked_eval.empty()) {
        out += fmt::format("\nEvaluation \"{}\" waiting for additional capacity to place remainder", short_id(eval.blocked_eval, verbose_));
      } else {
        out.pop_back();
      }
      context.ui.out(out);
    }
  }

  OutputOptions output_;
  bool monitor_ = false, verbose_ = false, ui_ = false;
};
}  // namespace

std::unique_ptr<Command> make_eval_list() { return std::make_unique<EvalList>(); }
std::unique_ptr<Command> make_eval_status() { return std::make_unique<EvalStatus>(); }

}  // namespace drover::cli
