// Deployments: reads, and what an operator decides about one.
#include "server/api/answer.h"
#include "server/api/get_object.h"
#include "server/api/params.h"
#include "server/api/task_events.h"

namespace drover::api {
namespace {

namespace endpoints = wire::endpoints;
using http::Request;
using http::Response;

Async<Response> list(const Context& c, Request request) {
  model::ListRequest query;
  if (auto read = read_list_query(c, request, query); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoints::deployment_list, std::move(query));
  co_return list_answer(request, reply);
}

Async<Response> get(const Context& c, Request request) {
  return get_object(c, std::move(request), endpoints::deployment_get, "id", "deployment not found");
}

Async<Response> allocations(const Context& c, Request request) {
  model::ObjectRequest query;
  query.id = request.param("id");
  if (auto read = read_query(c, request, query); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoints::deployment_allocations, std::move(query));
  if (reply) show_messages(reply->items);
  co_return list_answer(request, reply);
}

// An update names its deployment in the body and in the path.
template <class Body, class Rep>
Async<Response> update(const Context& c, Request request, wire::Endpoint<Body, Rep> endpoint, std::string_view go_type) {
  Body body;
  if (auto read = read_body(request, body, go_type); !read) co_return error_answer(read.error());
  if (body.deployment_id.empty()) co_return error_answer(Error(Code::invalid_argument, "DeploymentID must be specified"));
  if (body.deployment_id != request.param("id")) co_return error_answer(Error(Code::invalid_argument, "Deployment ID does not match"));
  if (auto read = read_write(c, request, body); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoint, std::move(body));
  co_return written_answer(request, reply);
}

Async<Response> pause(const Context& c, Request request) {
  return update(c, std::move(request), endpoints::deployment_pause, "structs.DeploymentPauseRequest");
}
Async<Response> promote(const Context& c, Request request) {
  return update(c, std::move(request), endpoints::deployment_promote, "structs.DeploymentPromoteRequest");
}
Async<Response> unblock(const Context& c, Request request) {
  return update(c, std::move(request), endpoints::deployment_unblock, "structs.DeploymentUnblockRequest");
}
Async<Response> allocation_health(const Context& c, Request request) {
  return update(c, std::move(request), endpoints::deployment_health, "structs.DeploymentAllocHealthRequest");
}

// Needs no body, and reads none.
Async<Response> fail_deployment(const Context& c, Request request) {
  model::ObjectRequest body;
  body.id = request.param("id");
  if (auto read = read_query(c, request, body); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoints::deployment_fail, std::move(body));
  co_return written_answer(request, reply);
}

}  // namespace

void add_deployments(http::Router& router, const ContextPtr& context) {
  router.add("GET", "/v1/deployments", bind<list>(context));
  router.add("GET", "/v1/deployment/{id...}", bind<get>(context));
  router.add("GET", "/v1/deployment/allocations/{id...}", bind<allocations>(context));
  router.add("PUT", "/v1/deployment/fail/{id...}", bind<fail_deployment>(context));
  router.add("PUT", "/v1/deployment/pause/{id...}", bind<pause>(context));
  router.add("PUT", "/v1/deployment/promote/{id...}", bind<promote>(context));
  router.add("PUT", "/v1/deployment/unblock/{id...}", bind<unblock>(context));
  router.add("PUT", "/v1/deployment/allocation-health/{id...}", bind<allocation_health>(context));
}

}  // namespace drover::api
