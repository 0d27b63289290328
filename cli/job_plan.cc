// job plan: what registering a job would do (cli contract 3.9).
#include <array>
#include <map>
#include <nlohmann/json.hpp>

#include "cli/alloc_table.h"
#include "cli/api_client.h"
#include "cli/commands.h"
#include "cli/diff_view.h"
#include "cli/job_source.h"
#include "cli/output_options.h"
#include "cli/report.h"
#include "lib/lint/verdict.h"
#include "lib/model/api_job.h"
#include "sdk/base/clock.h"
#include "sdk/base/text.h"

namespace drover::cli {
namespace {

constexpr int nothing_changes = 0;
constexpr int allocations_change = 1;
constexpr int plan_failed = 255;

std::string dry_run(const model::JobPlanResponse& plan, const std::string& job_type) {
  std::string out;
  if (plan.failed_tg_allocs.empty()) {
    out = "- All tasks successfully allocated.\n";
  } else {
    out = job_type == "system" ? "- WARNING: Failed to place allocations on all nodes.\n" : "- WARNING: Failed to place all allocations.\n";
    std::string groups;
    for (const auto& [group, metrics] : plan.failed_tg_allocs) {
      if (!groups.empty()) groups += "\n";
      groups += fmt::format("  {}\n{}", failed_group_heading(group, metrics), placement_metrics(metrics, "    "));
      if (!groups.ends_with('\n')) groups += "\n";
    }
    out += groups;
  }
  for (const auto& eval : plan.created_evals) {
    if (eval.triggered_by != "rolling-update") continue;
    out += fmt::format("- Rolling update, next evaluation will be in {}s.\n", std::chrono::duration_cast<std::chrono::seconds>(eval.wait).count());
  }
  if (!plan.next_periodic_launch.is_zero()) {
    const std::int64_t next = plan.next_periodic_launch.unix_nanos();
    out += fmt::format("- If submitted now, next periodic launch would be at {} ({}).\n", format_time(next), relative_time(next, system_clock().unix_nanos()));
  }
  return out;
}

// Fewer than ten are listed one by one, more are counted by job, many by type of job.
std::string preemptions(const model::List<model::AllocListStub>& allocs) {
  constexpr std::size_t few = 10;
  std::vector<std::vector<std::string>> rows;
  if (allocs.size() < few) {
    rows.push_back({"Alloc ID", "Job ID", "Task Group"});
    for (const auto& alloc : allocs) rows.push_back({alloc.id, alloc.job_id, alloc.task_group});
    return format_table(rows);
  }
  std::map<std::array<std::string, 3>, int> by_job;
  std::map<std::string, int> by_type;
  for (const auto& alloc : allocs) {
    ++by_job[{alloc.job_id, alloc.namespace_, alloc.job_type}];
    ++by_type[alloc.job_type];
  }
  if (by_job.size() < few) {
    rows.push_back({"Job ID", "Namespace", "Job Type", "Preemptions"});
    for (const auto& [job, count] : by_job) rows.push_back({job[0], job[1], job[2], std::to_string(count)});
  } else {
    rows.push_back({"Job Type", "Preemptions"});
    for (const auto& [type, count] : by_type) rows.push_back({type, std::to_string(count)});
  }
  return format_table(rows);
}

int exit_code(const model::JobPlanResponse& plan) {
  if ((plan.diff && plan.diff->type == "None") || !plan.annotations) return nothing_changes;
  for (const auto& [group, planned] : plan.annotations->desired_tg_updates) {
    if (planned.stop + planned.place + planned.migrate + planned.destructive_update + planned.canary > 0) return allocations_change;
  }
  return nothing_changes;
}

class JobPlan final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.boolean("diff", diff_, "Show what changes in the job.");
    set.boolean("policy-override", policy_override_, "Override soft mandatory policies.");
    set.boolean("verbose", verbose_, "Show added and deleted tasks in full.");
    set.boolean("json-output", output_.json, "Write the answer as JSON.");
    set.text("t", output_.format, "Write the answer by a Go template.");
    set.text("vault-namespace", ignored_, "Vault namespace of the job.");
    source_.flags(set);
    report_.lint_flags(set);
  }

  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() != 1) {
      context.usage_error("This command takes one argument: <path>");
      return plan_failed;
    }
    if (!report_.start(context)) return plan_failed;
    return report_.finish(context, plan(context, arguments[0]));
  }

 private:
  int plan(Context& context, const std::string& path) {
    lint::Findings findings;
    auto source = read_job_source(path, source_, findings);
    if (!source) {
      report_.refuse(context, source.error().message(), std::move(findings));
      return plan_failed;
    }
    report_.lint(context, *source);
    report_.check_drivers(context, *source);
    const std::string id = source->text("ID");
    std::string ns = source->text("Namespace");
    if (ns.empty()) ns = context.options.namespace_.empty() ? "default" : context.options.namespace_;
    QueryPairs query{{"namespace", ns}};
    if (const std::string region = source->text("Region"); !region.empty()) query.emplace_back("region", region);
    model::Json request;
    request["Job"] = *source->job;
    request["Diff"] = diff_;
    request["PolicyOverride"] = policy_override_;
    auto answer = context.api().put(fmt::format("/v1/job/{}/plan", escape(id)),
                                    request.dump(-1, ' ', false, model::Json::error_handler_t::replace), query);
    if (!answer) return refused(context, *source, fmt::format("Error during plan: {}", answer.error().message()));
    model::JobPlanResponse plan;
    if (auto decoded = model::from_json(answer->body, plan); !decoded) return refused(context, *source, decoded.error().message());
    if (!report_.as_text()) report_.say(context, lint::place_warnings(plan.warnings, source->file->name, source->tree()));
    if (output_.wanted()) return write_formatted(context, output_, client_value(plan)) == 0 ? exit_code(plan) : plan_failed;
    show(context, plan, *source, path);
    return exit_code(plan);
  }

  int refused(Context& context, const JobSource& source, const std::string& text) {
    report_.refuse(context, text, lint::place_answer(text, source.file->name, source.tree()));
    return plan_failed;
  }

  void show(Context& context, const model::JobPlanResponse& plan, const JobSource& source, const std::string& path) const {
    Ui& ui = context.ui;
    if (diff_ && plan.diff) ui.out(format_job_diff(*plan.diff, {.verbose = verbose_, .color = ui.color()}) + "\n");
    ui.out(ui.heading("Scheduler dry-run:"));
    ui.out(dry_run(plan, source.text("Type")));
    if (!plan.warnings.empty()) ui.out(fmt::format("{}\n{}\n", ui.heading("Job Warnings:"), plan.warnings));
    if (plan.annotations && !plan.annotations->preempted_allocs.empty()) {
      ui.out(fmt::format("{}\n\n{}\n", ui.heading("Preemptions:"), preemptions(plan.annotations->preempted_allocs)));
    }
    ui.out(ui.heading(fmt::format("Job Modify Index: {}", plan.job_modify_index)));
    ui.out(fmt::format("To submit the job with version verification run:\n\n"
                       "nomad job run -check-index {} {}{}\n\n"
                       "When running the job with the check-index flag, the job will only be run if the\n"
                       "job modify index given matches the server-side version. If the index has\n"
                       "changed, another user has modified the job and the plan's results are\n"
                       "potentially invalid.", plan.job_modify_index, run_flags(context, source), path));
  }

  // The flags that `job run` needs to read the same job.
  [[nodiscard]] std::string run_flags(const Context& context, const JobSource& source) const {
    std::string out;
    if (!source_.hcl2_strict) out += "-hcl2-strict=false ";
    if (source_.files_anywhere) out += "-files-anywhere ";
    for (const std::string& variable : source_.vars) {
      const auto [name, value] = split_once(variable, '=');
      out += fmt::format("-var={} ", source.sensitive.contains(std::string(name)) ? quote(std::string(name) + "=<sensitive>") : quote(variable));
    }
    for (const std::string& file : source_.var_files) out += fmt::format("-var-file={} ", quote(file));
    if (!context.options.namespace_.empty()) out += fmt::format("-namespace={} ", quote(context.options.namespace_));
    return out;
  }

  JobSourceOptions source_;
  Report report_;
  OutputOptions output_;
  bool diff_ = true, policy_override_ = false, verbose_ = false;
  std::string ignored_;
};

}  // namespace

std::unique_ptr<Command> make_job_plan() { return std::make_unique<JobPlan>(); }

}  // namespace drover::cli
