// job validate: parse a job file and let the servers check it, or check it here when there is none.
#include <nlohmann/json.hpp>

#include "cli/api_client.h"
#include "cli/commands.h"
#include "cli/driver_check.h"
#include "cli/job_source.h"
#include "cli/local_validation.h"
#include "cli/report.h"
#include "lib/lint/verdict.h"
#include "lib/model/api_job.h"

namespace drover::cli {
namespace {
class JobValidate final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.text("vault-namespace", ignored_, "Vault namespace of the job.");
    source_.flags(set);
    set.text("plugin-dir", plugin_dir_, "Directory of further plugins to ask about config blocks when no agent answers.");
    report_.lint_flags(set);
  }

  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() != 1) return context.usage_error("This command takes one argument: <path>");
    if (!report_.start(context)) return 1;
    return report_.finish(context, check(context, arguments[0]));
  }

 private:
  int check(Context& context, const std::string& path) {
    lint::Findings findings;
    auto source = read_job_source(path, source_, findings);
    if (!source) {
      report_.refuse(context, source.error().message(), std::move(findings));
      return 1;
    }
    auto verdict = ask(context, *source);
    if (!verdict) {
      report_.refuse(context, fmt::format("Error validating job: {}", verdict.error().message()),
                     {{.id = lint::validate_rule, .summary = verdict.error().message(), .file = source->file->name}});
      return 1;
    }
    report_.lint(context, *source);
    bool good = verdict->error.empty();
    if (!good) refuse(context, *source, verdict->error);
    DriverCheck drivers;
    if (report_.rich()) drivers = check_drivers(context, *source, connected_, plugin_dir_);
    good = good && !lint::has_errors(drivers.findings);
    report_.say(context, std::move(drivers.findings));
    if (!connected_ && !drivers.complete) {
      context.ui.out(context.ui.heading("Driver configuration not validated since connection to Nomad agent couldn't be established.") + "\n");
    }
    if (!verdict->warnings.empty()) {
      context.ui.out(fmt::format("Job Warnings:\n{}\n", verdict->warnings));
      if (!report_.as_text()) report_.say(context, lint::place_warnings(verdict->warnings, source->file->name, source->tree()));
    }
    if (good) context.ui.out("Job validation successful");
    return good ? 0 : 1;
  }

  // The servers know their limits best; without them the same rules are applied here.
  Result<model::JobValidateResponse> ask(Context& context, const JobSource& source) {
    model::Json request;
    request["Job"] = *source.job;
    auto answer = context.api().put("/v1/validate/job", request.dump(-1, ' ', false, model::Json::error_handler_t::replace));
    model::JobValidateResponse out;
    connected_ = answer.has_value();
    if (connected_) {
      if (auto decoded = model::from_json(answer->body, out); !decoded) return fail(decoded.error());
      return out;
    }
    auto here = validate_here(*source.job);
    if (!here) return fail(here.error());
    out.error = here->error_text();
    out.warnings = here->warning_text();
    return out;
  }

  void refuse(Context& context, const JobSource& source, const std::string& text) {
    lint::Findings placed = lint::place_verdict(text, source.file->name, source.tree());
    if (report_.as_text()) context.ui.error("Job validation errors:");
    if (report_.as_text() && !report_.rich()) context.ui.error(text);
    else report_.say(context, std::move(placed));
  }

  JobSourceOptions source_;
  Report report_;
  std::string ignored_, plugin_dir_;
  bool connected_ = false;
};
}  // namespace

std::unique_ptr<Command> make_job_validate() { return std::make_unique<JobValidate>(); }

}  // namespace drover::cli
