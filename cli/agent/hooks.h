// What the server role gets from rooms it must not depend on: job files, validation, filters.
#pragma once

#include "agent/config/config.h"
#include "lib/model/api_job.h"
#include "server/rpc/hooks.h"

namespace drover::cli {

[[nodiscard]] rpc::Hooks server_hooks(const agent::Config& config);
// POST /v1/jobs/parse.
[[nodiscard]] Result<model::Job> parse_job_request(const model::JobsParseRequest& request);

}  // namespace drover::cli
