// The read of one object by the name in its path.
#pragma once

#include "server/api/answer.h"
#include "server/api/params.h"

namespace drover::api {

// `param` is the path's parameter, `not_found` what a 404 says; both are literals.
template <class T>
[[nodiscard]] Async<http::Response> get_object(const Context& c, http::Request request, wire::Endpoint<model::ObjectRequest, model::ObjectReply<T>> endpoint,
                                               const char* param, const char* not_found) {
  model::ObjectRequest query;
  query.id = request.param(param);
  if (auto read = read_query(c, request, query); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoint, std::move(query));
  co_return object_answer(request, reply, not_found);
}

}  // namespace drover::api
