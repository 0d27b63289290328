// Garbage collection, repair of summaries, and the configurations that are kept in state.
#include "server/api/answer.h"
#include "server/api/params.h"

namespace drover::api {
namespace {

namespace endpoints = wire::endpoints;
using http::Request;
using http::Response;

template <auto& endpoint>
Async<Response> run(const Context& c, Request request) {
  model::EmptyRequest query;
  if (auto read = read_query(c, request, query); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoint, std::move(query));
  if (!reply) co_return error_answer(reply.error());
  co_return empty_answer();
}

Async<Response> scheduler_configuration(const Context& c, Request request) {
  model::EmptyRequest query;
  if (auto read = read_query(c, request, query); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoints::scheduler_config_get, std::move(query));
  if (!reply) co_return error_answer(reply.error());
  co_return read_answer(request, *reply, model::to_json(*reply));
}

Async<Response> set_scheduler_configuration(const Context& c, Request request) {
  const auto wrong = [](const std::string& text) { return error_answer(Error(Code::invalid_argument, text)); };
  model::SchedulerSetConfigurationRequest body;
  if (auto read = read_body(request, body.config, "structs.SchedulerConfiguration"); !read) {
    co_return wrong("Error parsing scheduler config: " + read.error().message());
  }
  if (auto read = read_write(c, request, body); !read) co_return error_answer(read.error());
  if (const auto text = request.query.get("cas"); !text.empty()) {
    body.check_index = parse_unsigned(text);
    if (!body.check_index) co_return wrong(fmt::format("Error parsing cas value: strconv.ParseUint: parsing \"{}\": invalid syntax", text));
  }
  auto reply = co_await c.caller.call(endpoints::scheduler_config_set, std::move(body));
  co_return written_answer(request, reply);
}

Async<Response> raft_configuration(const Context& c, Request request) {
  model::EmptyRequest query;
  if (auto read = read_query(c, request, query); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoints::raft_config, std::move(query));
  if (!reply) co_return error_answer(reply.error());
  co_return json_answer(request, model::to_json(*reply));
}

}  // namespace

void add_operator(http::Router& router, const ContextPtr& context) {
  router.add("PUT", "/v1/system/gc", bind<run<endpoints::system_gc>>(context));
  router.add("PUT", "/v1/system/reconcile/summaries", bind<run<endpoints::system_reconcile>>(context));
  router.add("GET", "/v1/operator/scheduler/configuration", bind<scheduler_configuration>(context));
  router.add("PUT", "/v1/operator/scheduler/configuration", bind<set_scheduler_configuration>(context));
  router.add("GET", "/v1/operator/raft/configuration", bind<raft_configuration>(context));
  // The one path whose wrong method has no text (http-api 1.2).
  router.on_wrong_method("/v1/operator/raft/configuration", 405, "");
}

}  // namespace drover::api
