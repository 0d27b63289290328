// What the server role gets from rooms it must not depend on: job files, validation, filters.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "agent/config/config.h"
#include "lib/model/api_job.h"
#include "server/rpc/hooks.h"

namespace drover::cli {

[[nodiscard]] rpc::Hooks server_hooks(const agent::Config& config);
// POST /v1/jobs/parse: the job as JSON.
[[nodiscard]] Result<std::string> parse_job_request(const model::JobsParseRequest& request);
// The job of a register or validate request.
[[nodiscard]] std::function<Result<model::Job>(model::Json&& request)> request_job_reader();

}  // namespace drover::cli
