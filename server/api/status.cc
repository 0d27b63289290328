// Who leads, who the servers are, which regions there are.
#include "lib/model/json_text.h"
#include "server/api/answer.h"
#include "server/api/params.h"

namespace drover::api {
namespace {

using http::Request;
using http::Response;

std::string strings_json(const model::List<std::string>& texts) {
  std::string out = "[";
  for (const auto& text : texts) {
    if (out.size() > 1) out.push_back(',');
    model::append_json_string(out, text);
  }
  out.push_back(']');
  return out;
}

Async<Response> leader(const Context& c, Request request) {
  model::EmptyRequest query;
  if (auto read = read_query(c, request, query); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(wire::endpoints::status, std::move(query));
  if (!reply) co_return error_answer(reply.error());
  std::string body;
  model::append_json_string(body, reply->leader);
  co_return json_answer(request, std::move(body));
}

Async<Response> peers(const Context& c, Request request) {
  model::EmptyRequest query;
  if (auto read = read_query(c, request, query); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(wire::endpoints::status, std::move(query));
  if (!reply) co_return error_answer(reply.error());
  co_return json_answer(request, strings_json(reply->peers));
}

Async<Response> regions(const Context& c, Request request) { co_return json_answer(request, strings_json({c.options.region})); }

}  // namespace

Async<std::optional<Response>> prove_leadership(const Context& context) {
  const auto proved = co_await context.caller.call(wire::endpoints::verify_leader, model::EmptyRequest{});
  if (!proved) co_return error_answer(proved.error());
  co_return std::nullopt;
}

void add_status(http::Router& router, const ContextPtr& context) {
  router.add("GET", "/v1/status/leader", bind<leader>(context));
  router.add("GET", "/v1/status/peers", bind<peers>(context));
  router.add("GET", "/v1/regions", bind<regions>(context));
}

}  // namespace drover::api
