// job status: the list of jobs, or one job with its summary, deployment and allocations (cli contract 3.1).
#include <algorithm>

#include "cli/alloc_table.h"
#include "cli/api_client.h"
#include "cli/commands.h"
#include "cli/deployment_view.h"
#include "cli/periodic.h"
#include "cli/lookup.h"
#include "cli/output_options.h"
#include "lib/model/deployment.h"
#include "lib/model/eval.h"
#include "sdk/base/clock.h"
#include "sdk/base/text.h"

namespace drover::cli {
namespace {
std::string shown_type(const std::string& type, bool periodic, bool parameterized) {
  return type + (periodic ? "/periodic" : "") + (parameterized ? "/parameterized" : "");
}

std::string shown_status(const std::string& status, bool stop) { return stop ? fmt::format("{} (stopped)", status) : status; }

class JobStatus final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.boolean("short", short_, "Show the job itself only.");
    set.boolean("evals", evals_, "Show the evaluations as well.");
    set.boolean("all-allocs", all_allocs_, "Also show allocations of an earlier job of the same name.");
    set.boolean("verbose", verbose_, "Show whole ids and times.");
    set.boolean("ui", ui_, "Open the job in the user interface.");
    output_.flags(set);
  }

  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() > 1) return context.usage_error("This command takes either no arguments or one: <job>");
    if (arguments.empty()) return list(context);
    if (output_.json && !output_.format.empty()) return context.failed("Both json and template formatting are not allowed");
    int code = 0;
    const auto name = find_job(context, arguments[0], code);
    if (!name) return code;
    if (output_.wanted()) return whole(context, *name);
    return show(context, *name);
  }

 private:
  int list(Context& context) {
    const bool wild = context.options.namespace_ == "*";
    auto jobs = context.api().read<model::List<model::JobListStub>>("/v1/jobs");
    if (!jobs) return context.failed(fmt::format("Error querying jobs: {}", jobs.error().message()));
    if (jobs->empty()) {
      context.ui.out("No running jobs");
    } else if (output_.wanted()) {
      return write_formatted(context, output_, client_value(*jobs));
    } else {
      std::vector<std::vector<std::string>> rows{{"ID"}};
      if (wild) rows[0].push_back("Namespace");
      for (const char* head : {"Type", "Priority", "Status", "Submit Date"}) rows[0].push_back(head);
      for (const auto& job : *jobs) {
        std::vector<std::string> row{job.id};
        if (wild) row.push_back(job.namespace_);
        row.push_back(shown_type(job.type, job.periodic, job.parameterized_job));
        row.push_back(std::to_string(job.priority));
        row.push_back(shown_status(job.status, job.stop));
        row.push_back(format_time(job.submit_time));
        rows.push_back(std::move(row));
      }
      context.ui.out(format_table(rows));
    }
    context.ui_hint("View and manage Nomad jobs", "/jobs");
    return 0;
  }

  // `-json`: everything about one job in one list, as the reference gives it.
  int whole(Context& context, const JobName& name) {
    const std::string base = "/v1/job/" + escape(name.id);
    const QueryPairs query{{"namespace", name.namespace_}};
    auto summary = context.api().read<model::JobSummary>(base + "/summary", query);
    auto allocs = context.api().read<model::List<model::AllocListStub>>(base + "/allocations", query);
    auto deployment = context.api().read<model::Deployment>(base + "/deployment", query);
    auto evals = context.api().read<model::List<model::Evaluation>>(base + "/evaluations", query);
    for (const Error* error : {error_of(summary), error_of(allocs), error_of(deployment), error_of(evals)}) {
      if (error != nullptr) return context.failed(fmt::format("Error querying job: {}", error->message()));
    }
    const gotemplate::Value latest = deployment->id.empty() ? gotemplate::Value::nil("*api.Deployment") : client_value(*deployment);
    return write_formatted(context, output_,
                           gotemplate::Value::list({record("command.JobJson", {{"Summary", client_value(*summary)}, {"Allocations", client_value(*allocs)},
                                                                              {"LatestDeployment", latest}, {"Evaluations", client_value(*evals)}})},
                                                   "[]command.JobJson"));
  }

  template <class T>
  static const Error* error_of(const Result<T>& result) { return result ? nullptr : &result.error(); }

  int show(Context& context, const JobName& name) {
    const QueryPairs query{{"namespace", name.namespace_}};
    const std::string base = "/v1/job/" + escape(name.id);
    auto job = context.api().read<model::Job>(base, query);
    if (!job) return context.failed(fmt::format("Error querying job: {}", job.error().message()));
    std::vector<std::pair<std::string, std::string>> pairs{
        {"ID", job->id},
        {"Name", job->name},
        {"Submit Date", format_time(job->submit_time)},
        {"Type", job->type},
        {"Priority", std::to_string(job->priority)},
        {"Datacenters", join(job->datacenters, ",")},
        {"Namespace", job->namespace_},
        {"Node Pool", job->node_pool},
        {"Status", shown_status(job->status, job->stop)},
        {"Periodic", job->periodic ? "true" : "false"},
        {"Parameterized", job->parameterized_job ? "true" : "false"}};
    if (job->periodic && !job->parameterized_job) pairs.emplace_back("Next Periodic Launch", job->stop ? "none (job stopped)" : next_launch_text(*job->periodic).value_or("none"));
    context.ui.out(format_pairs(pairs));
    int code = 0;
    if (!short_ && (job->periodic || job->parameterized_job)) code = show_children(context, *job, base, query);
    else if (!short_) code = show_parts(context, *job, base, query);
    if (code == 0) context.ui_hint("View job details and metrics", fmt::format("/jobs/{}@{}", job->id, job->namespace_));
    return code;
  }

  int show_parts(Context& context, const model::Job& job, const std::string& base, const QueryPairs& query) {
    auto summary = context.api().read<model::JobSummary>(base + "/summary", query);
    if (!summary) return context.failed(fmt::format("Error querying job summary: {}", summary.error().message()));
    std::vector<std::vector<std::string>> rows{{"Task Group", "Queued", "Starting", "Running", "Failed", "Complete", "Lost", "Unknown"}};
    for (const auto& [group, counts] : summary->summary) {
      std::vector<std::string> row{group};
      for (const std::int64_t count : {counts.queued, counts.starting, counts.running, counts.failed, counts.complete, counts.lost, counts.unknown}) {
        row.push_back(std::to_string(count));
      }
      rows.push_back(std::move(row));
    }
    context.ui.out(fmt::format("\n{}\n{}", context.ui.heading("Summary"), format_table(rows)));

    auto evals = context.api().read<model::List<model::Evaluation>>(base + "/evaluations", query);
    if (!evals) return context.failed(fmt::format("Error querying job evaluations: {}", evals.error().message()));
    if (evals_ || verbose_) show_evals(context, *evals);
    show_failures(context, *evals);

    if (auto answer = context.api().get(base + "/deployment", query); answer && answer->body != "null") {
      model::Deployment deployment;
      if (auto decoded = model::from_json(answer->body, deployment); decoded) {
        context.ui.out(fmt::format("\n{}\n{}", context.ui.heading("Latest Deployment"), deployment_block(deployment, verbose_, "", false)));
      }
    }
    show_actions(context, job);
    QueryPairs allocs_query = query;
    allocs_query.emplace_back("all", all_allocs_ ? "true" : "false");
    auto allocs = context.api().read<model::List<model::AllocListStub>>(base + "/allocations", allocs_query);
    if (!allocs) return context.failed(fmt::format("Error querying job allocations: {}", allocs.error().message()));
    context.ui.out(fmt::format("\n{}\n{}", context.ui.heading("Allocations"), alloc_table(*allocs, verbose_, system_clock().unix_nanos())));
    return 0;
  }

  // Of a periodic or parameterized job: what its children do.
  int show_children(Context& context, const model::Job& job, const std::string& base, const QueryPairs& query) const {
    const auto list_of = [](const model::List<std::string>& keys) { return join(keys, ", "); };
    if (job.parameterized_job) {
      const auto& config = *job.parameterized_job;
      context.ui.out(fmt::format("\n{}\n{}", context.ui.heading("Parameterized Job"),
                                 format_pairs({{"Payload", config.payload}, {"Required Metadata", list_of(config.meta_required)}, {"Optional Metadata", list_of(config.meta_optional)}})));
    }
    auto summary = context.api().read<model::JobSummary>(base + "/summary", query);
    if (!summary) return context.failed(fmt::format("Error querying job summary: {}", summary.error().message()));
    if (summary->children) {
      const auto& children = *summary->children;
      context.ui.out(fmt::format("\n{}\n{}", context.ui.heading(job.parameterized_job ? "Parameterized Job Summary" : "Children Job Summary"),
                                 format_table({{"Pending", "Running", "Dead"}, {std::to_string(children.pending), std::to_string(children.running), std::to_string(children.dead)}})));
    }
    QueryPairs list_query = query;
    list_query.emplace_back("prefix", job.id + (job.parameterized_job ? "/dispatch-" : "/periodic-"));
    auto children = context.api().read<model::List<model::JobListStub>>("/v1/jobs", list_query);
    if (!children) return context.failed(fmt::format("Error querying job: {}", children.error().message()));
    std::vector<std::vector<std::string>> rows{{"ID", "Status"}};
    for (const auto& child : *children) {
      if (child.parent_id == job.id) rows.push_back({child.id, child.status});
    }
    if (rows.size() == 1) {
      context.ui.out(job.parameterized_job ? "\nNo dispatched instances of parameterized job found" : "\nNo instances of periodic job found");
    } else {
      context.ui.out(fmt::format("\n{}\n{}", context.ui.heading(job.parameterized_job ? "Dispatched Jobs" : "Previously Launched Jobs"), format_table(rows)));
    }
    return 0;
  }

  static void show_actions(Context& context, const model::Job& job) {
    std::vector<std::vector<std::string>> rows{{"Action Name", "Task Group", "Task"}};
    for (const auto& group : job.task_groups) {
      for (const auto& task : group.tasks) {
        for (const auto& action : task.actions) rows.push_back({action.name, group.name, task.name});
      }
    }
    if (rows.size() > 1) context.ui.out(fmt::format("\n{}\n{}", context.ui.heading("Actions"), format_table(rows)));
  }

  void show_evals(Context& context, model::List<model::Evaluation> evals) const {
    std::sort(evals.begin(), evals.end(), [](const model::Evaluation& a, const model::Evaluation& b) { return a.create_index > b.create_index; });
    std::vector<std::vector<std::string>> rows{{"ID", "Priority", "Triggered By", "Status", "Placement Failures"}};
    for (const auto& eval : evals) {
      const std::string failures = eval.status == "blocked" ? "N/A - In Progress" : eval.failed_tg_allocs.empty() ? "false" : "true";
      rows.push_back({short_id(eval.id, verbose_), std::to_string(eval.priority), eval.triggered_by, eval.status, failures});
    }
    context.ui.out(fmt::format("\n{}\n{}", context.ui.heading("Evaluations"), rows.size() > 1 ? format_table(rows) : ""));
  }

  // The failures of the newest evaluation that is still blocked.
  static void show_failures(Context& context, const model::List<model::Evaluation>& evals) {
    const model::Evaluation* blocked = nullptr;
    const model::Evaluation* latest = nullptr;
    for (const auto& eval : evals) {
      if (eval.status == "blocked") blocked = &eval;
      if (!eval.failed_tg_allocs.empty() && (latest == nullptr || eval.create_index > latest->create_index)) latest = &eval;
    }
    if (blocked == nullptr || latest == nullptr) return;
    std::string out = fmt::format("\n{}", context.ui.heading("Placement Failure"));
    for (const auto& [group, metrics] : latest->failed_tg_allocs) out += fmt::format("\nTask Group \"{}\":\n{}", group, placement_metrics(metrics, "  "));
    context.ui.out(out);
  }

  OutputOptions output_;
  bool short_ = false, evals_ = false, all_allocs_ = false, verbose_ = false, ui_ = false;
};
}  // namespace

std::unique_ptr<Command> make_job_status() { return std::make_unique<JobStatus>(); }

}  // namespace drover::cli
