// Evaluations.
#include "server/api/answer.h"
#include "server/api/params.h"
#include "server/api/task_events.h"

namespace drover::api {
namespace {

namespace endpoints = wire::endpoints;
using http::Request;
using http::Response;

Result<> read_evaluations_query(const Context& c, const Request& request, model::ListRequest& out) {
  out.job_id = request.query.get("job");
  out.status = request.query.get("status");
  return read_list_query(c, request, out);
}

Async<Response> list(const Context& c, Request request) {
  model::ListRequest query;
  if (auto read = read_evaluations_query(c, request, query); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoints::eval_list, std::move(query));
  co_return list_answer(request, reply);
}

Async<Response> count(const Context& c, Request request) {
  model::ListRequest query;
  if (auto read = read_evaluations_query(c, request, query); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoints::eval_count, std::move(query));
  if (!reply) co_return error_answer(reply.error());
  co_return read_answer(request, *reply, model::to_json(*reply));
}

Async<Response> get(const Context& c, Request request) {
  model::ObjectRequest query;
  query.id = request.param("id");
  if (auto read = read_query(c, request, query); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoints::eval_get, std::move(query));
  co_return object_answer(request, reply, "eval not found");
}

Async<Response> allocations(const Context& c, Request request) {
  model::ObjectRequest query;
  query.id = request.param("id");
  if (auto read = read_query(c, request, query); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoints::eval_allocations, std::move(query));
  if (reply) show_messages(reply->items);
  co_return list_answer(request, reply);
}

Async<Response> remove(const Context& c, Request request) {
  model::EvalDeleteRequest body;
  if (auto read = read_body(request, body, "structs.EvalDeleteRequest"); !read) co_return error_answer(read.error());
  if (auto read = read_write(c, request, body); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoints::eval_delete, std::move(body));
  co_return written_answer(request, reply);
}

}  // namespace

void add_evaluations(http::Router& router, const ContextPtr& context) {
  router.add("GET", "/v1/evaluations", bind<list>(context));
  router.add("DELETE", "/v1/evaluations", bind<remove>(context));
  router.add("GET", "/v1/evaluations/count", bind<count>(context));
  router.add("GET", "/v1/evaluation/{id...}", bind<get>(context));
  router.add("GET", "/v1/evaluation/{id...}/allocations", bind<allocations>(context));
}

}  // namespace drover::api
