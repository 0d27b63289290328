// Reads of deployments.
#include "server/api/answer.h"
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
  model::ObjectRequest query;
  query.id = request.param("id");
  if (auto read = read_query(c, request, query); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoints::deployment_get, std::move(query));
  co_return object_answer(request, reply, "deployment not found");
}

Async<Response> allocations(const Context& c, Request request) {
  model::ObjectRequest query;
  query.id = request.param("id");
  if (auto read = read_query(c, request, query); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoints::deployment_allocations, std::move(query));
  if (reply) show_messages(reply->items);
  co_return list_answer(request, reply);
}

}  // namespace

void add_deployments(http::Router& router, const ContextPtr& context) {
  router.add("GET", "/v1/deployments", bind<list>(context));
  router.add("GET", "/v1/deployment/{id...}", bind<get>(context));
  router.add("GET", "/v1/deployment/allocations/{id...}", bind<allocations>(context));
}

}  // namespace drover::api
