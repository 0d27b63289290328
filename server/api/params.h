// Query parameters and bodies of requests, with the error texts that clients know (http-api 1.4, 1.9, 1.10). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lib/http/message.h"
#include "lib/model/codec.h"
#include "lib/model/rpc.h"
#include "server/api/context.h"

namespace drover::api {

// Fills what every read understands; a wrong value is an error with status 400, an unknown region one with 500.
[[nodiscard]] Result<> read_query(const Context& context, const http::Request& request, model::QueryOptions& out);
// The same for a list: `namespace=*` asks for every namespace.
[[nodiscard]] Result<> read_list_query(const Context& context, const http::Request& request, model::ListRequest& out);
// Region, namespace and token of a write. What the query says beats what `out` holds.
[[nodiscard]] Result<> read_write(const Context& context, const http::Request& request, model::WriteRequest& out);

// The token of the request; empty when it has none.
[[nodiscard]] std::string request_token(const http::Request& request);

// Go's words for true and false. Absent or empty: nothing. The error has status 500.
[[nodiscard]] Result<std::optional<bool>> read_bool(const http::Query& query, std::string_view name);
// The same where a wrong value counts as absent.
[[nodiscard]] bool read_flag(const http::Query& query, std::string_view name);
// `resources` and `os`: the members a list of nodes shows besides those it always has.
[[nodiscard]] Result<> read_node_fields(const http::Request& request, model::ListRequest& out);
[[nodiscard]] Result<std::optional<std::int64_t>> read_int(const http::Query& query, std::string_view name);
[[nodiscard]] std::optional<std::uint64_t> parse_unsigned(std::string_view text);

// The decoder's complaint about a member of the wrong type, in Go's words where it has them.
[[nodiscard]] Error type_error(const Error& error, std::string_view go_type);
// Go's complaint when the text's outermost value is no object; nothing when it is one.
[[nodiscard]] std::optional<Error> wrong_outer_type(std::string_view text, std::string_view go_type);

// Decodes a body. With `document` the whole text is handed out as well. `go_type` is the name in complaints, `api.JobRegisterRequest`.
[[nodiscard]] Result<> read_body(const http::Request& request, const model::Type& type, void* out, std::string_view go_type, model::Json* document);
template <class T>
[[nodiscard]] Result<> read_body(const http::Request& request, T& out, std::string_view go_type, model::Json* document = nullptr) {
  return read_body(request, model::type_of<T>(), &out, go_type, document);
}

}  // namespace drover::api
