// Answers: JSON text with the header quartet of reads, or an error (http-api 1.5, 1.9). Pure.
//
// Bodies are written straight from the shared objects of the answer; `pretty` works on the text.
#pragma once

#include <string>
#include <string_view>

#include "lib/http/message.h"
#include "lib/model/codec.h"
#include "lib/model/query.h"

namespace drover::api {

// 200 with a JSON body, laid out when the request says `pretty`.
[[nodiscard]] http::Response json_answer(const http::Request& request, std::string body);
// The same with X-Nomad-Index and, when more follows, X-Nomad-NextToken.
[[nodiscard]] http::Response read_answer(const http::Request& request, const model::QueryMeta& meta, std::string body);
[[nodiscard]] http::Response write_answer(const http::Request& request, std::uint64_t index, std::string body);
// 404 of a read: it carries the headers, so that a client can wait for the object.
[[nodiscard]] http::Response missing(const model::QueryMeta& meta, std::string_view text);
[[nodiscard]] http::Response error_answer(const Error& error);
// 200 without a body, of a write that has no answer; with an index it carries X-Nomad-Index.
[[nodiscard]] http::Response empty_answer(std::uint64_t index = 0);

[[nodiscard]] bool wants_pretty(const http::Request& request);
// Four spaces a level and a newline at the end.
[[nodiscard]] std::string indent_json(std::string_view text);

// A list is `[]`, never null. Items are values or pointers.
template <class Items>
[[nodiscard]] std::string list_json(const Items& items) {
  std::string out;
  out.reserve(2 + items.size() * 768);  // about one stub each: fewer moves while a page grows
  out.push_back('[');
  bool first = true;
  for (const auto& item : items) {
    if (!first) out.push_back(',');
    first = false;
    if constexpr (requires { *item; }) model::append_json(out, *item);
    else model::append_json(out, item);
  }
  out.push_back(']');
  return out;
}

// The answer of a read of one object.
template <class Reply>
[[nodiscard]] http::Response object_answer(const http::Request& request, const Result<Reply>& reply, std::string_view not_found) {
  if (!reply) return error_answer(reply.error());
  if (!reply->item) return missing(*reply, not_found);
  return read_answer(request, *reply, model::to_json(*reply->item));
}

template <class Reply>
[[nodiscard]] http::Response list_answer(const http::Request& request, const Result<Reply>& reply) {
  if (!reply) return error_answer(reply.error());
  return read_answer(request, *reply, list_json(reply->items));
}

// The answer of a write that has one.
template <class Reply>
[[nodiscard]] http::Response written_answer(const http::Request& request, const Result<Reply>& reply) {
  if (!reply) return error_answer(reply.error());
  return write_answer(request, reply->index, model::to_json(*reply));
}

}  // namespace drover::api
