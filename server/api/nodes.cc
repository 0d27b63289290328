// Nodes: reads, evaluation, eligibility and removal.
#include "server/api/alloc_resources.h"
#include "server/api/answer.h"
#include "server/api/params.h"
#include "server/api/task_events.h"

namespace drover::api {
namespace {

namespace endpoints = wire::endpoints;
using http::Request;
using http::Response;

Async<Response> list(const Context& c, Request request) {
  model::ListRequest query;
  if (auto read = read_list_query(c, request, query); !read) co_return error_answer(read.error());
  if (auto read = read_node_fields(request, query); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoints::node_list, std::move(query));
  co_return list_answer(request, reply);
}

// The stored fields and `Drain`; the secret never leaves the server (N-: a node's secret id is its credential).
std::string node_json(const model::Node& node) {
  std::string out;
  if (node.secret_id.empty()) {
    model::append_json(out, node);
  } else {
    model::Node shown = node;
    shown.secret_id.clear();
    model::append_json(out, shown);
  }
  out.pop_back();
  out += node.drain_strategy ? ",\"Drain\":true}" : ",\"Drain\":false}";
  return out;
}

Async<Response> get(const Context& c, Request request) {
  model::ObjectRequest query;
  query.id = request.param("id");
  if (auto read = read_query(c, request, query); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoints::node_get, std::move(query));
  if (!reply) co_return error_answer(reply.error());
  if (!reply->item) co_return missing(*reply, "node not found");
  co_return read_answer(request, *reply, node_json(*reply->item));
}

Async<Response> allocations(const Context& c, Request request) {
  model::ObjectRequest query;
  query.id = request.param("id");
  if (auto read = read_query(c, request, query); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoints::node_allocations, std::move(query));
  if (reply) {
    for (auto& alloc : reply->items) {
      show_messages(alloc);
      show_resources(alloc);
    }
  }
  co_return list_answer(request, reply);
}

Async<Response> evaluate(const Context& c, Request request) {
  model::ObjectRequest query;
  query.id = request.param("id");
  if (auto read = read_query(c, request, query); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoints::node_evaluate, std::move(query));
  co_return written_answer(request, reply);
}

Async<Response> eligibility(const Context& c, Request request) {
  model::NodeUpdateEligibilityRequest body;
  if (auto read = read_body(request, body, "structs.NodeUpdateEligibilityRequest"); !read) co_return error_answer(read.error());
  body.node_id = request.param("id");
  if (auto read = read_write(c, request, body); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoints::node_update_eligibility, std::move(body));
  co_return written_answer(request, reply);
}

Async<Response> drain(const Context& c, Request request) {
  model::NodeUpdateDrainRequest body;
  if (auto read = read_body(request, body, "api.NodeUpdateDrainRequest"); !read) co_return error_answer(read.error());
  body.node_id = request.param("id");
  model::WriteRequest write;
  if (auto read = read_write(c, request, write); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoints::node_update_drain, std::move(body));
  co_return written_answer(request, reply);
}

Async<Response> purge(const Context& c, Request request) {
  model::NodeDeregisterRequest body;
  body.node_id = request.param("id");
  if (auto read = read_write(c, request, body); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoints::node_deregister, std::move(body));
  co_return written_answer(request, reply);
}

}  // namespace

void add_nodes(http::Router& router, const ContextPtr& context) {
  router.add("GET", "/v1/nodes", bind<list>(context));
  router.add("GET", "/v1/node/{id...}", bind<get>(context));
  router.add("GET", "/v1/node/{id...}/allocations", bind<allocations>(context));
  router.add("PUT", "/v1/node/{id...}/evaluate", bind<evaluate>(context));
  router.add("PUT", "/v1/node/{id...}/eligibility", bind<eligibility>(context));
  router.add("PUT", "/v1/node/{id...}/drain", bind<drain>(context));
  router.add("PUT", "/v1/node/{id...}/purge", bind<purge>(context));
}

}  // namespace drover::api
