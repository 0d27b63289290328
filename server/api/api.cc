#include "server/api/api.h"

#include "server/api/acl_off.h"

namespace drover::api {

void register_server_api(http::Router& router, ApiOptions options) {
  wire::Caller& caller = options.caller;
  const auto context = std::make_shared<const Context>(Context{std::move(options), caller});
  add_job_reads(router, context);
  add_job_writes(router, context);
  add_job_actions(router, context);
  add_spaces(router, context);
  add_volumes(router, context);
  add_csi_volumes(router, context);
  add_search(router, context);
  add_allocations(router, context);
  add_evaluations(router, context);
  add_deployments(router, context);
  add_nodes(router, context);
  add_status(router, context);
  add_operator(router, context);
  add_acl_off(router, context);
  add_agent(router, context);
  add_autopilot(router, context);
  add_snapshot(router, context);
  add_events(router, context);
  add_metrics(router, context);
}

void register_event_stream(http::Router& router, ApiOptions options) {
  wire::Caller& caller = options.caller;
  add_events(router, std::make_shared<const Context>(Context{std::move(options), caller}));
}

}  // namespace drover::api
