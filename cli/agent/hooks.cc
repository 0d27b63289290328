#include "cli/agent/hooks.h"

#include "server/api/filter.h"

namespace drover::cli {

rpc::Hooks server_hooks(const agent::Config&) {
  rpc::Hooks out;
  out.parse_filter = api::parse_filter;
  return out;
}

Result<model::Job> parse_job_request(const model::JobsParseRequest&) { return fail(Code::unimplemented, "job files"); }

}  // namespace drover::cli
