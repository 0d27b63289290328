// What is done with a job besides registering it: scaling, its versions, its children.
#include "server/api/answer.h"
#include "server/api/get_object.h"
#include "server/api/params.h"

namespace drover::api {
namespace {

namespace endpoints = wire::endpoints;
using http::Request;
using http::Response;

Error bad(std::string text) { return Error(Code::invalid_argument, std::move(text)); }

Async<Response> scale_status(const Context& c, Request request) {
  return get_object(c, std::move(request), endpoints::job_scale_status, "id", "job not found");
}

Async<Response> scale(const Context& c, Request request) {
  model::JobScaleRequest body;
  if (request.param("id").empty()) co_return error_answer(bad("Job must be specified"));
  if (auto read = read_body(request, body, "api.ScalingRequest"); !read) co_return error_answer(read.error());
  body.job_id = request.param("id");
  if (auto read = read_write(c, request, body); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoints::job_scale, std::move(body));
  co_return written_answer(request, reply);
}

// The job is named in the body and in the path.
Result<> check_job_id(std::string_view in_body, std::string_view in_path) {
  if (in_body.empty()) return fail(bad("JobID must be specified"));
  if (in_body != in_path) return fail(bad("Job ID does not match"));
  return {};
}

Async<Response> revert(const Context& c, Request request) {
  model::JobRevertRequest body;
  if (auto read = read_body(request, body, "structs.JobRevertRequest"); !read) co_return error_answer(read.error());
  if (auto same = check_job_id(body.job_id, request.param("id")); !same) co_return error_answer(same.error());
  if (auto read = read_write(c, request, body); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoints::job_revert, std::move(body));
  if (!reply) co_return error_answer(reply.error());
  co_return read_answer(request, *reply, model::to_json(*reply));
}

Async<Response> stable(const Context& c, Request request) {
  model::JobStabilityRequest body;
  if (auto read = read_body(request, body, "structs.JobStabilityRequest"); !read) co_return error_answer(read.error());
  if (auto same = check_job_id(body.job_id, request.param("id")); !same) co_return error_answer(same.error());
  if (auto read = read_write(c, request, body); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoints::job_stable, std::move(body));
  co_return written_answer(request, reply);
}

Async<Response> tag(const Context& c, Request request) {
  model::TagVersionRequest body;
  if (auto read = read_body(request, body, "api.TagVersionRequest"); !read) co_return error_answer(read.error());
  model::JobTagRequest call;
  if (auto read = read_write(c, request, call); !read) co_return error_answer(read.error());
  call.job_id = request.param("id");
  call.name = request.param("tag");
  call.description = body.description;
  call.tagged = true;
  if (!body.latest) call.version = body.version;
  auto reply = co_await c.caller.call(endpoints::job_tag, std::move(call));
  if (!reply) co_return error_answer(reply.error());
  co_return json_answer(request, model::to_json(*reply));
}

Async<Response> untag(const Context& c, Request request) {
  model::JobTagRequest call;
  if (auto read = read_write(c, request, call); !read) co_return error_answer(read.error());
  call.job_id = request.param("id");
  call.name = request.param("tag");
  auto reply = co_await c.caller.call(endpoints::job_tag, std::move(call));
  if (!reply) co_return error_answer(reply.error());
  co_return json_answer(request, model::to_json(*reply));
}

Async<Response> send_dispatch(const Context& c, Request request, model::JobDispatchCall body) {
  if (auto read = read_write(c, request, body); !read) co_return error_answer(read.error());
  body.idempotency_token = request.query.get("idempotency_token");
  auto reply = co_await c.caller.call(endpoints::job_dispatch, std::move(body));
  co_return written_answer(request, reply);
}

Async<Response> dispatch(const Context& c, Request request) {
  model::JobDispatchCall body;
  if (auto read = read_body(request, body, "structs.JobDispatchRequest"); !read) co_return error_answer(read.error());
  if (!body.job_id.empty() && body.job_id != request.param("id")) co_return error_answer(bad("Job ID does not match"));
  body.job_id = request.param("id");
  auto answer = co_await send_dispatch(c, std::move(request), std::move(body));
  co_return answer;
}

// The body is the payload as it is.
Async<Response> dispatch_payload(const Context& c, Request request) {
  model::JobDispatchCall body;
  body.job_id = request.param("id");
  body.payload = model::Bytes(request.body);
  auto answer = co_await send_dispatch(c, std::move(request), std::move(body));
  co_return answer;
}

Async<Response> periodic_force(const Context& c, Request request) {
  model::NameRequest body;
  body.name = request.param("id");
  if (auto read = read_write(c, request, body); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoints::periodic_force, std::move(body));
  co_return written_answer(request, reply);
}

Async<Response> actions(const Context& c, Request request) {
  model::ObjectRequest query;
  query.id = request.param("id");
  if (auto read = read_query(c, request, query); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoints::job_get, std::move(query));
  if (!reply) co_return error_answer(reply.error());
  if (!reply->item) co_return missing(*reply, "job not found");
  model::List<model::JobAction> found;
  for (const auto& group : reply->item->task_groups) {
    for (const auto& task : group.tasks) {
      for (const auto& action : task.actions) {
        model::JobAction one;
        static_cast<model::Action&>(one) = action;
        one.task_name = task.name;
        one.task_group_name = group.name;
        found.push_back(std::move(one));
      }
    }
  }
  // Nobody can wait for a change of them.
  reply->index = 0;
  reply->known_leader = false;
  co_return read_answer(request, *reply, model::to_json(found));
}

Async<Response> statuses(const Context& c, Request request) {
  model::JobStatusesCall query;
  if (request.method != "GET") {
    model::JobStatusesRequest body;
    if (auto read = read_body(request, body, "structs.JobStatusesRequest"); !read) {
      co_return error_answer(bad("error decoding request: " + read.error().message()));
    }
    query.jobs = std::move(body.jobs);
    query.include_children = body.include_children;
  }
  const auto children = read_bool(request.query, "include_children");
  if (!children) co_return error_answer(bad(children.error().message()));
  query.include_children = children->value_or(query.include_children);
  if (auto read = read_list_query(c, request, query); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoints::job_statuses, std::move(query));
  co_return list_answer(request, reply);
}

Async<Response> policies(const Context& c, Request request) {
  model::ScalingPoliciesRequest query;
  if (auto read = read_list_query(c, request, query); !read) co_return error_answer(read.error());
  query.job_id = request.query.get("job");
  query.type = request.query.get("type");
  auto reply = co_await c.caller.call(endpoints::scaling_policies, std::move(query));
  co_return list_answer(request, reply);
}

Async<Response> policy(const Context& c, Request request) {
  return get_object(c, std::move(request), endpoints::scaling_policy, "id", "policy not found");
}

}  // namespace

void add_job_actions(http::Router& router, const ContextPtr& context) {
  router.add("GET PUT", "/v1/jobs/statuses", bind<statuses>(context));
  router.add("GET", "/v1/job/{id...}/scale", bind<scale_status>(context));
  router.add("PUT", "/v1/job/{id...}/scale", bind<scale>(context));
  router.add("PUT", "/v1/job/{id...}/revert", bind<revert>(context));
  router.add("PUT", "/v1/job/{id...}/stable", bind<stable>(context));
  router.add("PUT", "/v1/job/{id...}/versions/{tag}/tag", bind<tag>(context));
  router.add("DELETE", "/v1/job/{id...}/versions/{tag}/tag", bind<untag>(context));
  router.add("PUT", "/v1/job/{id...}/dispatch", bind<dispatch>(context));
  router.add("PUT", "/v1/job/{id...}/dispatch/payload", bind<dispatch_payload>(context));
  router.add("PUT", "/v1/job/{id...}/periodic/force", bind<periodic_force>(context));
  router.add("GET", "/v1/job/{id...}/actions", bind<actions>(context));
  router.add("GET", "/v1/scaling/policies", bind<policies>(context));
  router.add("GET", "/v1/scaling/policy/{id...}", bind<policy>(context));
}

}  // namespace drover::api
