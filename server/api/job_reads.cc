// Reads of jobs and of what hangs off a job.
#include <algorithm>

#include "server/api/answer.h"
#include "server/api/params.h"
#include "server/api/task_events.h"

namespace drover::api {
namespace {

namespace endpoints = wire::endpoints;
using http::Request;
using http::Response;

template <class Query>
Result<> read_job_query(const Context& c, const Request& request, Query& out) {
  out.id = request.param("id");
  return read_query(c, request, out);
}

Async<Response> list(const Context& c, Request request) {
  model::ListRequest query;
  if (auto read = read_list_query(c, request, query); !read) co_return error_answer(read.error());
  const auto meta = read_bool(request.query, "meta");
  if (!meta) co_return error_answer(meta.error());
  query.include_meta = meta->value_or(false);
  auto reply = co_await c.caller.call(endpoints::job_list, std::move(query));
  co_return list_answer(request, reply);
}

Async<Response> get(const Context& c, Request request) {
  model::ObjectRequest query;
  if (auto read = read_job_query(c, request, query); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoints::job_get, std::move(query));
  co_return object_answer(request, reply, "job not found");
}

Async<Response> summary(const Context& c, Request request) {
  model::ObjectRequest query;
  if (auto read = read_job_query(c, request, query); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoints::job_summary, std::move(query));
  co_return object_answer(request, reply, "job not found");
}

Async<Response> why(const Context& c, Request request) {
  model::ObjectRequest query;
  if (auto read = read_job_query(c, request, query); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoints::job_why, std::move(query));
  co_return object_answer(request, reply, "job not found");
}

Async<Response> versions(const Context& c, Request request) {
  model::JobVersionsRequest query;
  if (auto read = read_job_query(c, request, query); !read) co_return error_answer(read.error());
  const auto diffs = read_bool(request.query, "diffs");
  if (!diffs) co_return error_answer(diffs.error());
  query.diffs = diffs->value_or(false);
  query.diff_tag = request.query.get("diff_tag");
  if (const auto text = request.query.get("diff_version"); !text.empty()) {
    query.diff_version = parse_unsigned(text);
    if (!query.diff_version) {
      co_return error_answer(Error(Code::internal, fmt::format("Failed to parse value of \"diff_version\" ({0}) as a uint64: strconv.ParseUint: "
                                                               "parsing \"{0}\": invalid syntax", text)));
    }
  }
  auto reply = co_await c.caller.call(endpoints::job_versions, std::move(query));
  if (!reply) co_return error_answer(reply.error());
  if (reply->versions.empty()) co_return missing(*reply, "job versions not found");
  co_return read_answer(request, *reply, model::to_json(*reply));
}

Async<Response> submission(const Context& c, Request request) {
  model::JobSubmissionRequest query;
  const auto version = parse_unsigned(request.query.get("version"));
  if (!version) co_return error_answer(Error(Code::invalid_argument, "Unable to parse job submission version parameter"));
  query.version = *version;
  if (auto read = read_job_query(c, request, query); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoints::job_submission, std::move(query));
  co_return object_answer(request, reply, "job source not found");
}

Async<Response> allocations(const Context& c, Request request) {
  model::JobAllocationsRequest query;
  if (auto read = read_job_query(c, request, query); !read) co_return error_answer(read.error());
  query.all = read_flag(request.query, "all");
  auto reply = co_await c.caller.call(endpoints::job_allocations, std::move(query));
  if (reply) show_messages(reply->items);
  co_return list_answer(request, reply);
}

Async<Response> evaluations(const Context& c, Request request) {
  model::ObjectRequest query;
  if (auto read = read_job_query(c, request, query); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoints::job_evaluations, std::move(query));
  co_return list_answer(request, reply);
}

Async<Response> deployments(const Context& c, Request request) {
  model::ObjectRequest query;
  if (auto read = read_job_query(c, request, query); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoints::job_deployments, std::move(query));
  co_return list_answer(request, reply);
}

// The newest deployment; `null` without one.
Async<Response> latest_deployment(const Context& c, Request request) {
  model::ObjectRequest query;
  if (auto read = read_job_query(c, request, query); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoints::job_deployments, std::move(query));
  if (!reply) co_return error_answer(reply.error());
  const auto older = [](const auto& a, const auto& b) { return a->create_index < b->create_index; };
  const auto newest = std::ranges::max_element(reply->items, older);
  co_return read_answer(request, *reply, newest == reply->items.end() ? "null" : model::to_json(**newest));
}

}  // namespace

void add_job_reads(http::Router& router, const ContextPtr& context) {
  router.add("GET", "/v1/jobs", bind<list>(context));
  router.add("GET", "/v1/job/{id...}", bind<get>(context));
  router.add("GET", "/v1/job/{id...}/summary", bind<summary>(context));
  router.add("GET", "/v1/job/{id...}/versions", bind<versions>(context));
  router.add("GET", "/v1/job/{id...}/why", bind<why>(context));
  router.add("GET", "/v1/job/{id...}/submission", bind<submission>(context));
  router.add("GET", "/v1/job/{id...}/allocations", bind<allocations>(context));
  router.add("GET", "/v1/job/{id...}/evaluations", bind<evaluations>(context));
  router.add("GET", "/v1/job/{id...}/deployments", bind<deployments>(context));
  router.add("GET", "/v1/job/{id...}/deployment", bind<latest_deployment>(context));
}

}  // namespace drover::api
