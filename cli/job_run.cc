// job run: parse, register, follow the evaluation (cli contract 3.4).
#include <charconv>
#include <nlohmann/json.hpp>

#include "cli/api_client.h"
#include "cli/commands.h"
#include "cli/job_source.h"
#include "cli/monitor.h"
#include "cli/periodic.h"
#include "cli/report.h"
#include "lib/lint/verdict.h"
#include "lib/model/api_job.h"
#include "sdk/base/text.h"

namespace drover::cli {
namespace {
class JobRun final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.boolean("detach", detach_, "Return once the job is registered, without following its evaluation.");
    set.boolean("verbose", verbose_, "Show whole ids.");
    set.boolean("output", output_, "Print the job as JSON and register nothing.");
    set.boolean("policy-override", policy_override_, "Override soft mandatory policies.");
    set.boolean("preserve-counts", preserve_counts_, "Keep the counts of the running job.");
    set.boolean("preserve-resources", preserve_resources_, "Keep the resources of the running job.");
    set.text("check-index", check_index_, "Register only if the job's modify index is this; 0: only if there is no such job.");
    set.text("consul-namespace", ignored_, "Consul namespace of the job.");
    set.text("vault-namespace", ignored_, "Vault namespace of the job.");
    set.integer("eval-priority", eval_priority_, "Priority of the evaluation.");
    set.boolean("ui", ui_, "Open the job in the user interface.");
    source_.flags(set);
    report_.flags(set);
  }

  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() != 1) return context.usage_error("This command takes one argument: <path>");
    if (!report_.start(context)) return 1;
    return report_.finish(context, submit(context, arguments[0]));
  }

 private:
  int submit(Context& context, const std::string& path) {
    lint::Findings findings;
    auto source = read_job_source(path, source_, findings);
    if (!source) {
      report_.refuse(context, source.error().message(), std::move(findings));
      return 1;
    }
    if (output_) {
      context.ui.out(pretty_json(fmt::format("{{\"Job\":{}}}", source->job->dump())));
      return 0;
    }
    report_.check_drivers(context, *source);
    model::Json request;
    if (!check_index_.empty()) {
      std::uint64_t index = 0;
      const auto [end, error] = std::from_chars(check_index_.data(), check_index_.data() + check_index_.size(), index);
      if (error != std::errc{} || end != check_index_.data() + check_index_.size()) {
        return context.failed(fmt::format("Error parsing check-index value {}: strconv.ParseUint: parsing {}: invalid syntax", quote(check_index_), quote(check_index_)));
      }
      request["EnforceIndex"] = true;
      request["JobModifyIndex"] = index;
    }
    request["Job"] = *source->job;
    request["Submission"] = model::Json::parse(model::to_json(source->submission));
    request["PolicyOverride"] = policy_override_;
    request["PreserveCounts"] = preserve_counts_;
    request["PreserveResources"] = preserve_resources_;
    request["EvalPriority"] = eval_priority_;

    const std::string id = source->text("ID");
    std::string ns = source->text("Namespace");
    if (ns.empty()) ns = context.options.namespace_.empty() ? "default" : context.options.namespace_;
    QueryPairs query{{"namespace", ns}};
    if (const std::string region = source->text("Region"); !region.empty()) query.emplace_back("region", region);
    auto answer = context.api().put("/v1/jobs", request.dump(-1, ' ', false, model::Json::error_handler_t::replace), query);
    if (!answer) return refused(context, *source, answer.error());
    model::JobRegisterResponse response;
    if (auto decoded = model::from_json(answer->body, response); !decoded) return context.failed(decoded.error().message());
    if (!report_.as_text()) report_.say(context, lint::place_warnings(response.warnings, source->file->name, source->tree()));
    if (!response.warnings.empty()) context.ui.out(fmt::format("Job Warnings:\n{}\n", response.warnings));

    const auto hint = [&] { context.ui_hint("View this job", fmt::format("/jobs/{}@{}", id, ns)); };
    if (detach_ || response.eval_id.empty()) {
      context.ui.out("Job registration successful");
      if (const auto next = next_launch(*source->job); next) context.ui.out(fmt::format("Approximate next launch time: {}", *next));
      if (!response.eval_id.empty()) context.ui.out(fmt::format("Evaluation ID: {}", response.eval_id));
      hint();
      return 0;
    }
    hint();
    context.ui.error("");
    const int code = report_.finish(context, 0);  // following may take long
    return code != 0 ? code : monitor_eval(context, response.eval_id, verbose_);
  }

  // Of a periodic job that is not parameterized as well.
  static std::optional<std::string> next_launch(const model::Json& job) {
    const auto periodic = job.find("Periodic");
    if (periodic == job.end() || !periodic->is_object() || !job.value("ParameterizedJob", model::Json()).is_null()) return std::nullopt;
    model::Job whole;
    if (auto decoded = model::from_json(job.dump(), whole); !decoded || !whole.periodic) return std::nullopt;
    return next_launch_text(*whole.periodic);
  }

  int refused(Context& context, const JobSource& source, const Error& error) {
    const std::string& text = error.message();
    if (const std::size_t at = text.find("Enforcing job modify index"); at != std::string::npos) {
      std::string plain = text.substr(at);
      if (plain.ends_with(')')) plain.pop_back();
      context.ui.error(plain);
      return context.failed("Job not updated");
    }
    report_.refuse(context, fmt::format("Error submitting job: {}", text), lint::place_answer(text, source.file->name, source.tree()));
    return 1;
  }

  JobSourceOptions source_;
  Report report_;
  bool detach_ = false, verbose_ = false, output_ = false, policy_override_ = false, preserve_counts_ = false,
       preserve_resources_ = false, ui_ = false;
  std::string check_index_, ignored_;
  std::int64_t eval_priority_ = 0;
};
}  // namespace

std::unique_ptr<Command> make_job_run() { return std::make_unique<JobRun>(); }

}  // namespace drover::cli
