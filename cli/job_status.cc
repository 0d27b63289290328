// job status: the list of jobs, or one job with its summary, deployment and allocations (cli contract 3.1).
#include "cli/alloc_table.h"
#include "cli/api_client.h"
#include "cli/commands.h"
#include "cli/deployment_view.h"
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
    auto answer = context.api().get("/v1/jobs");
    if (!answer) return context.failed(fmt::format("Error querying jobs: {}", answer.error().message()));
    model::List<model::JobListStub> jobs;
    if (auto decoded = model::from_json(answer->body, jobs); !decoded) return context.failed(decoded.error().message());
    if (jobs.empty()) {
      context.ui.out("No running jobs");
    } else if (output_.wanted()) {
      return write_formatted(context, output_, answer->body);
    } else {
      std::vector<std::vector<std::string>> rows{{"ID"}};
      if (wild) rows[0].push_back("Namespace");
      for (const char* head : {"Type", "Priority", "Status", "Submit Date"}) rows[0].push_back(head);
      for (const auto& job : jobs) {
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
    std::string out = "[{";
    const std::pair<const char*, std::string> parts[] = {{"Summary", base + "/summary"}, {"Allocations", base + "/allocations"},
                                                         {"LatestDeployment", base + "/deployment"}, {"Evaluations", base + "/evaluations"}};
    for (const auto& [key, path] : parts) {
      auto answer = context.api().get(path, query);
      if (!answer) return context.failed(fmt::format("Error querying job: {}", answer.error().message()));
      out += fmt::format("{}\"{}\":{}", out.size() > 2 ? "," : "", key, answer->body);
    }
    return write_formatted(context, output_, out + "}]");
  }

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
    context.ui.out(format_pairs(pairs));
    int code = 0;
    if (!short_) code = show_parts(context, base, query);
    if (code == 0) context.ui_hint("View job details and metrics", fmt::format("/jobs/{}@{}", job->id, job->namespace_));
    return code;
  }

  int show_parts(Context& context, const std::string& base, const QueryPairs& query) {
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
    QueryPairs allocs_query = query;
    allocs_query.emplace_back("all", all_allocs_ ? "true" : "false");
    auto allocs = context.api().read<model::List<model::AllocListStub>>(base + "/allocations", allocs_query);
    if (!allocs) return context.failed(fmt::format("Error querying job allocations: {}", allocs.error().message()));
    context.ui.out(fmt::format("\n{}\n{}", context.ui.heading("Allocations"), alloc_table(*allocs, verbose_, system_clock().unix_nanos())));
    return 0;
  }

  void show_evals(Context& context, const model::List<model::Evaluation>& evals) const {
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
