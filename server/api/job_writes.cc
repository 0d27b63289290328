// Registration, stop and evaluation of jobs, and the three that store nothing: plan, parse and validate.
#include <nlohmann/json.hpp>

#include "server/api/answer.h"
#include "server/api/params.h"

namespace drover::api {
namespace {

namespace endpoints = wire::endpoints;
using http::Request;
using http::Response;

Error bad(std::string text) { return Error(Code::invalid_argument, std::move(text)); }

// Reads the job of the request anew from its document, where null and zero differ.
Result<> complete_job(const Context& c, model::Json document, std::shared_ptr<const model::Job>& job) {
  if (!c.options.read_job || !job) return {};
  auto complete = c.options.read_job(std::move(document));
  if (!complete) return fail(complete.error());
  job = std::make_shared<const model::Job>(std::move(*complete));
  return {};
}

Async<Response> register_job(const Context& c, Request request) {
  model::JobRegisterRequest body;
  model::Json document;
  if (auto read = read_body(request, body, "api.JobRegisterRequest", &document); !read) co_return error_answer(read.error());
  if (!body.job) co_return error_answer(bad("Job must be specified"));
  if (body.job->id.empty()) co_return error_answer(bad("Job ID hasn't been provided"));
  const auto id = request.param("id");
  if (!id.empty() && id != body.job->id) co_return error_answer(bad("Job ID does not match name"));
  if (auto done = complete_job(c, std::move(document), body.job); !done) co_return error_answer(done.error());
  if (auto read = read_write(c, request, body); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoints::job_register, std::move(body));
  co_return written_answer(request, reply);
}

Async<Response> deregister(const Context& c, Request request) {
  model::JobDeregisterRequest body;
  body.job_id = request.param("id");
  if (auto read = read_write(c, request, body); !read) co_return error_answer(read.error());
  const auto purge = read_bool(request.query, "purge");
  if (!purge) co_return error_answer(purge.error());
  const auto global = read_bool(request.query, "global");
  if (!global) co_return error_answer(global.error());
  const auto priority = read_int(request.query, "eval_priority");
  if (!priority) co_return error_answer(priority.error());
  const auto no_delay = read_bool(request.query, "no_shutdown_delay");
  if (!no_delay) co_return error_answer(no_delay.error());
  body.purge = purge->value_or(false);
  body.global = global->value_or(false);
  body.eval_priority = priority->value_or(0);
  body.no_shutdown_delay = no_delay->value_or(false);
  auto reply = co_await c.caller.call(endpoints::job_deregister, std::move(body));
  co_return written_answer(request, reply);
}

Async<Response> evaluate(const Context& c, Request request) {
  model::JobEvaluateRequest body;
  const auto id = request.param("id");
  if (request.body.empty()) {
    body.job_id = id;
  } else {
    if (auto read = read_body(request, body, "api.JobEvaluateRequest"); !read) co_return error_answer(read.error());
    if (body.job_id.empty()) co_return error_answer(bad("Job ID must be specified"));
    if (body.job_id != id) co_return error_answer(bad("JobID not same as job name"));
  }
  if (auto read = read_write(c, request, body); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoints::job_evaluate, std::move(body));
  co_return written_answer(request, reply);
}

Async<Response> plan(const Context& c, Request request) {
  model::JobPlanRequest body;
  model::Json document;
  if (auto read = read_body(request, body, "api.JobPlanRequest", &document); !read) co_return error_answer(read.error());
  if (!body.job) co_return error_answer(bad("Job must be specified"));
  if (body.job->id.empty()) co_return error_answer(bad("Job must have a valid ID"));
  const auto id = request.param("id");
  if (!id.empty() && id != body.job->id) co_return error_answer(bad("Job ID does not match"));
  if (auto done = complete_job(c, std::move(document), body.job); !done) co_return error_answer(done.error());
  if (auto read = read_write(c, request, body); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoints::job_plan, std::move(body));
  co_return written_answer(request, reply);
}

Async<Response> validate(const Context& c, Request request) {
  model::JobValidateRequest body;
  model::Json document;
  if (auto read = read_body(request, body, "api.JobValidateRequest", &document); !read) co_return error_answer(read.error());
  if (!body.job) co_return error_answer(bad("Job must be specified"));
  if (auto done = complete_job(c, std::move(document), body.job); !done) co_return error_answer(done.error());
  if (auto read = read_write(c, request, body); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoints::job_validate, std::move(body));
  if (!reply) co_return error_answer(reply.error());
  co_return json_answer(request, model::to_json(*reply));
}

Async<Response> parse(const Context& c, Request request) {
  model::JobsParseRequest body;
  if (auto read = read_body(request, body, "api.JobsParseRequest"); !read) co_return error_answer(read.error());
  if (body.job_hcl.empty()) co_return error_answer(bad("Job spec is empty"));
  if (!c.options.parse_job) co_return error_answer(Error(Code::unimplemented, "this agent does not parse job files"));
  auto job = c.options.parse_job(body);
  if (!job) co_return error_answer(bad("Failed to parse job: " + job.error().message()));
  co_return json_answer(request, std::move(*job));
}

}  // namespace

void add_job_writes(http::Router& router, const ContextPtr& context) {
  router.add("PUT", "/v1/jobs", bind<register_job>(context));
  router.add("PUT", "/v1/jobs/parse", bind<parse>(context));
  router.add("PUT", "/v1/validate/job", bind<validate>(context));
  router.add("PUT", "/v1/job/{id...}", bind<register_job>(context));
  router.add("DELETE", "/v1/job/{id...}", bind<deregister>(context));
  router.add("PUT", "/v1/job/{id...}/plan", bind<plan>(context));
  router.add("PUT", "/v1/job/{id...}/evaluate", bind<evaluate>(context));
}

}  // namespace drover::api
