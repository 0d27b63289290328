#include "cli/agent/hooks.h"

#include <nlohmann/json.hpp>

#include "lib/cron/schedule.h"
#include "lib/cron/zone_file.h"
#include "lib/jobspec/canonical.h"
#include "lib/jobspec/implied.h"
#include "lib/jobspec/parse.h"
#include "lib/jobspec/validate.h"
#include "server/api/filter.h"

namespace drover::cli {

rpc::Hooks server_hooks(const agent::Config& config) {
  rpc::Hooks out;
  out.canonicalize = [](model::Job& job) {
    jobspec::canonicalize_server(job);
    jobspec::add_implied_constraints(job);
  };
  jobspec::ValidateOptions limits;
  if (config.server.job_max_priority > 0) limits.max_priority = config.server.job_max_priority;
  if (config.server.job_max_count) limits.max_count = *config.server.job_max_count;
  limits.check_cron = [](const std::string& expression) -> Result<> {
    auto schedule = cron::Schedule::parse(expression);
    if (!schedule) return fail(schedule.error());
    return {};
  };
  limits.check_time_zone = [](const std::string& zone) -> Result<> {
    auto loaded = cron::load_zone(zone);
    if (!loaded) return fail(loaded.error());
    return {};
  };
  out.validate = [limits](const model::Job& job, bool memory_oversubscription) {
    jobspec::ValidateOptions options = limits;
    options.memory_oversubscription = memory_oversubscription;
    jobspec::Validation found = jobspec::validate(job, options);
    return rpc::JobVerdict{std::move(found.errors), std::move(found.warnings)};
  };
  out.parse_filter = api::parse_filter;
  return out;
}

Result<std::string> parse_job_request(const model::JobsParseRequest& request) {
  jobspec::ParseInput input;
  input.source = request.job_hcl;
  input.variables = request.variables;
  input.strict = false;
  auto job = jobspec::parse(input);
  if (!job) return fail(job.error());
  if (request.canonicalize) jobspec::canonicalize_api(*job);
  return job->dump(-1, ' ', false, model::Json::error_handler_t::replace);
}

std::function<Result<model::Job>(model::Json&& request)> request_job_reader() {
  return [](model::Json&& request) { return jobspec::job_from_api(std::move(request)); };
}

}  // namespace drover::cli
