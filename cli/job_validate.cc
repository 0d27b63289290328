// job validate: parse a job file and let the servers check it.
#include <nlohmann/json.hpp>

#include "cli/api_client.h"
#include "cli/commands.h"
#include "cli/job_source.h"
#include "lib/model/api_job.h"

namespace drover::cli {
namespace {
class JobValidate final : public Command {
 public:
  void flags(FlagSet& set) override {
    set.text("vault-namespace", ignored_, "Vault namespace of the job.");
    source_.flags(set);
  }
  int run(Context& context, const std::vector<std::string>& arguments) override {
    if (arguments.size() != 1) return context.usage_error("This command takes one argument: <path>");
    source_.excerpts = context.ui.shows_excerpts();
    auto source = read_job_source(arguments[0], source_);
    if (!source) return context.failed(source.error().message());
    model::Json request;
    request["Job"] = *source->job;
    auto answer = context.api().put("/v1/validate/job", request.dump(-1, ' ', false, model::Json::error_handler_t::replace));
    if (!answer) return context.failed(fmt::format("Error validating job: {}", answer.error().message()));
    model::JobValidateResponse reply;
    if (auto decoded = model::from_json(answer->body, reply); !decoded) return context.failed(decoded.error().message());
    if (!reply.error.empty()) {
      context.ui.error("Job validation errors:");
      context.ui.error(reply.error);
      return 1;
    }
    if (!reply.warnings.empty()) context.ui.out(fmt::format("Job Warnings:\n{}\n", reply.warnings));
    context.ui.out("Job validation successful");
    return 0;
  }

 private:
  JobSourceOptions source_;
  std::string ignored_;
};
}  // namespace

std::unique_ptr<Command> make_job_validate() { return std::make_unique<JobValidate>(); }

}  // namespace drover::cli
