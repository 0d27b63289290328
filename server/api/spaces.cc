// Namespaces and node pools, and what is in a pool.
#include "server/api/answer.h"
#include "server/api/get_object.h"
#include "server/api/params.h"

namespace drover::api {
namespace {

namespace endpoints = wire::endpoints;
using http::Request;
using http::Response;

// Clients send a filter with every list; that of namespaces has never looked at it.
Async<Response> list_namespaces(const Context& c, Request request) {
  model::ListRequest query;
  if (auto read = read_list_query(c, request, query); !read) co_return error_answer(read.error());
  query.filter.clear();
  auto reply = co_await c.caller.call(endpoints::namespace_list, std::move(query));
  co_return list_answer(request, reply);
}

template <auto& endpoint>
Async<Response> list(const Context& c, Request request) {
  model::ListRequest query;
  if (auto read = read_list_query(c, request, query); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoint, std::move(query));
  co_return list_answer(request, reply);
}

Async<Response> get_pool(const Context& c, Request request) {
  return get_object(c, std::move(request), endpoints::node_pool_get, "name", "node pool not found");
}

Async<Response> get_namespace(const Context& c, Request request) {
  return get_object(c, std::move(request), endpoints::namespace_get, "name", "Namespace not found");
}

template <class Item>
Result<std::shared_ptr<const Item>> read_item(const Request& request, std::string_view go_type, std::string_view kind) {
  Item item;
  DROVER_TRY(read_body(request, item, go_type));
  const auto name = request.param("name");
  if (!name.empty() && name != item.name) return fail(Code::invalid_argument, "{} name does not match request path", kind);
  return std::make_shared<const Item>(std::move(item));
}

template <class Reply>
Response stored_answer(const Result<Reply>& reply) {
  return reply ? empty_answer(reply->index) : error_answer(reply.error());
}

Async<Response> put_pool(const Context& c, Request request) {
  model::NodePoolUpsertRequest body;
  auto item = read_item<model::NodePool>(request, "api.NodePool", "Node pool");
  if (!item) co_return error_answer(item.error());
  body.item = std::move(*item);
  if (auto read = read_write(c, request, body); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoints::node_pool_upsert, std::move(body));
  co_return stored_answer(reply);
}

Async<Response> put_namespace(const Context& c, Request request) {
  model::NamespaceUpsertRequest body;
  auto item = read_item<model::Namespace>(request, "structs.Namespace", "Namespace");
  if (!item) co_return error_answer(item.error());
  body.item = std::move(*item);
  if (auto read = read_write(c, request, body); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoints::namespace_upsert, std::move(body));
  co_return stored_answer(reply);
}

template <auto& endpoint>
Async<Response> remove(const Context& c, Request request) {
  model::NameRequest body;
  body.name = request.param("name");
  if (auto read = read_write(c, request, body); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoint, std::move(body));
  co_return stored_answer(reply);
}

Result<model::ListRequest> read_pool_query(const Context& c, const Request& request) {
  model::ListRequest query;
  DROVER_TRY(read_list_query(c, request, query));
  if (!query.prefix.empty()) return fail(Code::invalid_argument, "prefix argument not allowed");
  query.node_pool = request.param("name");
  return query;
}

Async<Response> pool_nodes(const Context& c, Request request) {
  auto query = read_pool_query(c, request);
  if (!query) co_return error_answer(query.error());
  if (auto read = read_node_fields(request, *query); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoints::node_list, std::move(*query));
  co_return list_answer(request, reply);
}

Async<Response> pool_jobs(const Context& c, Request request) {
  auto query = read_pool_query(c, request);
  if (!query) co_return error_answer(query.error());
  model::ObjectRequest pool;
  pool.id = query->node_pool;
  pool.region = query->region;
  auto known = co_await c.caller.call(endpoints::node_pool_get, std::move(pool));
  if (!known) co_return error_answer(known.error());
  if (!known->item) {
    known->index = 0;
    co_return read_answer(request, *known, "[]");
  }
  auto reply = co_await c.caller.call(endpoints::job_list, std::move(*query));
  co_return list_answer(request, reply);
}

}  // namespace

void add_spaces(http::Router& router, const ContextPtr& context) {
  router.add("GET", "/v1/namespaces", bind<list_namespaces>(context));
  router.add("PUT", "/v1/namespace", bind<put_namespace>(context));
  router.add("GET", "/v1/namespace/{name...}", bind<get_namespace>(context));
  router.add("PUT", "/v1/namespace/{name...}", bind<put_namespace>(context));
  router.add("DELETE", "/v1/namespace/{name...}", bind<remove<endpoints::namespace_delete>>(context));
  router.add("GET", "/v1/node/pools", bind<list<endpoints::node_pool_list>>(context));
  router.add("PUT", "/v1/node/pools", bind<put_pool>(context));
  router.add("GET", "/v1/node/pool/{name...}", bind<get_pool>(context));
  router.add("PUT", "/v1/node/pool/{name...}", bind<put_pool>(context));
  router.add("DELETE", "/v1/node/pool/{name...}", bind<remove<endpoints::node_pool_delete>>(context));
  router.add("GET", "/v1/node/pool/{name...}/nodes", bind<pool_nodes>(context));
  router.add("GET", "/v1/node/pool/{name...}/jobs", bind<pool_jobs>(context));
}

}  // namespace drover::api
