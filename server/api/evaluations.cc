// Evaluations.
#include <set>

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

using EvalPtr = std::shared_ptr<const model::Evaluation>;

model::EvaluationStub stub_of(const model::Evaluation& eval) {
  model::EvaluationStub out;
  out.id = eval.id;
  out.namespace_ = eval.namespace_;
  out.priority = eval.priority;
  out.type = eval.type;
  out.triggered_by = eval.triggered_by;
  out.job_id = eval.job_id;
  out.node_id = eval.node_id;
  out.deployment_id = eval.deployment_id;
  out.status = eval.status;
  out.status_description = eval.status_description;
  out.wait_until = eval.wait_until;
  out.next_eval = eval.next_eval;
  out.previous_eval = eval.previous_eval;
  out.blocked_eval = eval.blocked_eval;
  out.create_index = eval.create_index;
  out.modify_index = eval.modify_index;
  out.create_time = eval.create_time;
  out.modify_time = eval.modify_time;
  return out;
}

// Those of the job's evaluations that are linked with one, directly or through others, as next, previous or blocked.
model::List<model::EvaluationStub> related_to(const model::Evaluation& eval, const model::List<EvalPtr>& of_job) {
  model::List<model::EvaluationStub> out;
  std::set<std::string> known{eval.id};
  std::vector<const model::Evaluation*> todo{&eval};
  while (!todo.empty()) {
    const model::Evaluation& at = *todo.back();
    todo.pop_back();
    for (const EvalPtr& other : of_job) {
      const bool linked = other->id == at.next_eval || other->id == at.previous_eval || other->id == at.blocked_eval || at.id == other->next_eval ||
                          at.id == other->previous_eval || at.id == other->blocked_eval;
      if (!linked || !known.insert(other->id).second) continue;
      out.push_back(stub_of(*other));
      todo.push_back(other.get());
    }
  }
  return out;
}

Async<Response> get(const Context& c, Request request) {
  model::ObjectRequest query;
  query.id = request.param("id");
  if (auto read = read_query(c, request, query); !read) co_return error_answer(read.error());
  // A value that is no boolean counts as false here.
  const auto asked = read_bool(request.query, "related");
  const bool related = asked && asked->value_or(false);
  auto reply = co_await c.caller.call(endpoints::eval_get, std::move(query));
  if (!reply || !reply->item || !related) co_return object_answer(request, reply, "eval not found");
  model::ListRequest others;
  others.job_id = reply->item->job_id;
  others.namespace_ = reply->item->namespace_;
  auto list = co_await c.caller.call(endpoints::eval_list, std::move(others));
  if (!list) co_return error_answer(list.error());
  auto whole = std::make_shared<model::Evaluation>(*reply->item);
  whole->related_evals = related_to(*whole, list->items);
  reply->item = std::move(whole);
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
