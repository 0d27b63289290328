#include "cli/local_validation.h"

#include <nlohmann/json.hpp>

#include "lib/cron/schedule.h"
#include "lib/cron/zone_file.h"
#include "lib/jobspec/canonical.h"

namespace drover::cli {

Result<jobspec::Validation> validate_here(const model::Json& job) {
  auto complete = jobspec::job_from_api(model::Json(job));
  if (!complete) return fail(complete.error());
  jobspec::ValidateOptions options;
  options.check_cron = [](const std::string& expression) -> Result<> {
    auto schedule = cron::Schedule::parse(expression);
    if (!schedule) return fail(schedule.error());
    return {};
  };
  options.check_time_zone = [](const std::string& zone) -> Result<> {
    auto loaded = cron::load_zone(zone);
    if (!loaded) return fail(loaded.error());
    return {};
  };
  return jobspec::validate(*complete, options);
}

}  // namespace drover::cli
