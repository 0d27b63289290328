// The process's metrics, as JSON or as Prometheus text (http-api 3.11).
#include "server/api/answer.h"
#include "server/api/context.h"

namespace drover::api {
namespace {

using http::Request;
using http::Response;

Async<Response> show(const Context& c, Request request) {
  const auto* metrics = c.options.metrics;
  if (metrics == nullptr) co_return error_answer(Error(Code::unimplemented, "this agent keeps no metrics"));
  if (c.options.refresh_metrics) c.options.refresh_metrics();
  if (request.query.get("format") != "prometheus") {
    auto answer = Response::json(metrics->summary_json(wants_pretty(request)));
    co_return answer;
  }
  if (!c.options.prometheus) co_return Response::text(415, "Prometheus is not enabled");
  Response answer;
  answer.headers.add("Content-Type", "text/plain; version=0.0.4; charset=utf-8; escaping=underscores");
  answer.body = metrics->prometheus_text();
  co_return answer;
}

}  // namespace

void add_metrics(http::Router& router, const ContextPtr& context) { router.add("GET", "/v1/metrics", bind<show>(context)); }

}  // namespace drover::api
