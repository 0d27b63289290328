// Search by prefix and by text.
#include "server/api/answer.h"
#include "server/api/params.h"

namespace drover::api {
namespace {

using http::Request;
using http::Response;

// What the query says of regions and namespaces beats the body; the prefix and the text are the body's.
template <class Body>
Result<> read_search(const Context& c, const Request& request, Body& body, std::string_view go_type) {
  DROVER_TRY(read_body(request, body, go_type));
  const std::string prefix = body.prefix;
  const std::string namespace_ = body.namespace_;
  DROVER_TRY(read_query(c, request, body));
  if (body.prefix.empty()) body.prefix = prefix;
  if (request.query.get("namespace").empty() && !namespace_.empty()) body.namespace_ = namespace_;
  return {};
}

Async<Response> prefix(const Context& c, Request request) {
  model::SearchRequest body;
  if (auto read = read_search(c, request, body, "structs.SearchRequest"); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(wire::endpoints::search_prefix, std::move(body));
  if (!reply) co_return error_answer(reply.error());
  co_return read_answer(request, *reply, model::to_json(*reply));
}

Async<Response> fuzzy(const Context& c, Request request) {
  model::FuzzySearchRequest body;
  if (auto read = read_search(c, request, body, "structs.FuzzySearchRequest"); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(wire::endpoints::search_fuzzy, std::move(body));
  if (!reply) co_return error_answer(reply.error());
  co_return read_answer(request, *reply, model::to_json(*reply));
}

}  // namespace

void add_search(http::Router& router, const ContextPtr& context) {
  router.add("PUT", "/v1/search", bind<prefix>(context));
  router.add("PUT", "/v1/search/fuzzy", bind<fuzzy>(context));
}

}  // namespace drover::api
