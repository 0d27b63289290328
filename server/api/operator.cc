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
  query.allow_stale = false;  // these write
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

Error bad(std::string text) { return Error(Code::invalid_argument, std::move(text)); }

Async<Response> remove_peer(const Context& c, Request request) {
  const std::string id(request.query.get("id"));
  if (!request.query.get("address").empty()) {
    co_return error_answer(bad("Removing a peer by address is not supported in the current raft protocol version"));
  }
  if (id.empty()) co_return error_answer(bad("Must specify the peer's ID to remove"));
  model::RaftPeerRequest body;
  body.id = id;
  if (auto read = read_write(c, request, body); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoints::raft_remove_peer, std::move(body));
  if (!reply) co_return error_answer(reply.error());
  co_return empty_answer();
}

// An id is 32 hexadecimal digits with hyphens in their places.
Result<> check_server_id(std::string_view id) {
  if (id.size() != 36) return fail(bad("id must be a uuid: uuid string is wrong length"));
  if (id[8] != '-' || id[13] != '-' || id[18] != '-' || id[23] != '-') return fail(bad("id must be a uuid: uuid is improperly formatted"));
  return {};
}

Async<Response> transfer_leadership(const Context& c, Request request) {
  const std::string id(request.query.get("id"));
  const std::string address(request.query.get("address"));
  if (id.empty() && address.empty()) co_return error_answer(bad("must specify id or address"));
  if (!id.empty() && !address.empty()) co_return error_answer(bad("must specify either id or address"));
  if (!id.empty()) {
    if (auto valid = check_server_id(id); !valid) co_return error_answer(valid.error());
  } else if (address.find(':') == std::string::npos) {
    co_return error_answer(bad("address must be in IP:port format: not an ip:port"));
  }
  model::RaftPeerRequest body;
  body.id = id;
  body.address = address;
  if (auto read = read_write(c, request, body); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoints::raft_transfer, std::move(body));
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
  router.add("DELETE", "/v1/operator/raft/peer", bind<remove_peer>(context));
  router.on_wrong_method("/v1/operator/raft/peer", 404, "Invalid method");
  router.add("PUT", "/v1/operator/raft/transfer-leadership", bind<transfer_leadership>(context));
  // The one path whose wrong method has no text (http-api 1.2).
  router.on_wrong_method("/v1/operator/raft/configuration", 405, "");
}

}  // namespace drover::api
