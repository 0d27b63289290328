// Allocations.
#include "server/api/alloc_resources.h"
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
  const auto resources = read_bool(request.query, "resources");
  if (!resources) co_return error_answer(resources.error());
  const auto states = read_bool(request.query, "task_states");
  if (!states) co_return error_answer(states.error());
  query.include_resources = resources->value_or(false);
  query.no_task_states = !states->value_or(true);
  auto reply = co_await c.caller.call(endpoints::alloc_list, std::move(query));
  if (reply) show_messages(reply->items);
  co_return list_answer(request, reply);
}

Async<Response> get(const Context& c, Request request) {
  const auto id = request.param("id");
  if (id.find('/') != std::string_view::npos) co_return http::Response::text(404, "resource not found");
  model::ObjectRequest query;
  query.id = id;
  if (auto read = read_query(c, request, query); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoints::alloc_get, std::move(query));
  if (reply) {
    show_messages(reply->item);
    show_resources(reply->item);
  }
  co_return object_answer(request, reply, "alloc not found");
}

Async<Response> stop(const Context& c, Request request) {
  model::AllocStopRequest body;
  body.alloc_id = request.param("id");
  if (auto read = read_write(c, request, body); !read) co_return error_answer(read.error());
  const auto no_delay = read_bool(request.query, "no_shutdown_delay");
  if (!no_delay) co_return error_answer(no_delay.error());
  const auto reschedule = read_bool(request.query, "reschedule");
  if (!reschedule) co_return error_answer(reschedule.error());
  body.no_shutdown_delay = no_delay->value_or(false);
  body.reschedule = reschedule->value_or(false);
  auto reply = co_await c.caller.call(endpoints::alloc_stop, std::move(body));
  co_return written_answer(request, reply);
}

}  // namespace

void add_allocations(http::Router& router, const ContextPtr& context) {
  router.add("GET", "/v1/allocations", bind<list>(context));
  router.add("GET", "/v1/allocation/{id...}", bind<get>(context));
  router.add("PUT", "/v1/allocation/{id}/stop", bind<stop>(context));
}

}  // namespace drover::api
