// What the files of this room share: the options, and one function each that adds its routes. Private to server/api.
#pragma once

#include <memory>
#include <optional>

#include "server/api/api.h"

namespace drover::api {

// Held by every handler, so that it lives as long as the router.
struct Context {
  ApiOptions options;
  wire::Caller& caller;
};
using ContextPtr = std::shared_ptr<const Context>;

// With `consistent` the leader proves that it leads before it answers; the response is empty when it did.
[[nodiscard]] Async<std::optional<http::Response>> prove_leadership(const Context& context);

template <auto function>
[[nodiscard]] Async<http::Response> run_consistent(const ContextPtr context, http::Request request) {
  auto refused = co_await prove_leadership(*context);
  if (refused) co_return std::move(*refused);
  auto response = co_await function(*context, std::move(request));
  co_return response;
}

// Adapts `Async<Response> f(const Context&, Request)`. The context outlives the request, since the router does.
template <auto function>
[[nodiscard]] http::Handler bind(const ContextPtr& context) {
  return [context](http::Request request) {
    if (request.query.find("consistent")) return run_consistent<function>(context, std::move(request));
    return function(*context, std::move(request));
  };
}

void add_job_reads(http::Router& router, const ContextPtr& context);
void add_job_writes(http::Router& router, const ContextPtr& context);
void add_job_actions(http::Router& router, const ContextPtr& context);
void add_spaces(http::Router& router, const ContextPtr& context);
void add_volumes(http::Router& router, const ContextPtr& context);
void add_csi_volumes(http::Router& router, const ContextPtr& context);
void add_search(http::Router& router, const ContextPtr& context);
void add_allocations(http::Router& router, const ContextPtr& context);
void add_evaluations(http::Router& router, const ContextPtr& context);
void add_deployments(http::Router& router, const ContextPtr& context);
void add_nodes(http::Router& router, const ContextPtr& context);
void add_status(http::Router& router, const ContextPtr& context);
void add_operator(http::Router& router, const ContextPtr& context);
void add_agent(http::Router& router, const ContextPtr& context);
void add_autopilot(http::Router& router, const ContextPtr& context);
void add_snapshot(http::Router& router, const ContextPtr& context);
void add_events(http::Router& router, const ContextPtr& context);
void add_metrics(http::Router& router, const ContextPtr& context);

}  // namespace drover::api
