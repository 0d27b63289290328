#include "agent/api/routes.h"

#include <nlohmann/json.hpp>

#include "agent/api/exec_routes.h"
#include "agent/api/fs_routes.h"
#include "agent/api/parameters.h"
#include "agent/api/plugin_routes.h"
#include "lib/model/codec.h"
#include "lib/model/json_complaint.h"

namespace drover::agent {
namespace {

using http::Request;
using http::Response;
using Json = nlohmann::json;

Result<Json> read_body(const Request& request) {
  if (request.body.empty()) return fail(status_error(500, "unexpected EOF"));
  Json body = Json::parse(request.body, nullptr, false);
  if (body.is_discarded()) return fail(status_error(500, model::json_complaint(request.body)));
  if (!body.is_object()) return fail(status_error(500, "the request's body is not a JSON object"));
  return body;
}
std::string text_of(const Json& body, const char* key) {
  const auto at = body.find(key);
  return at != body.end() && at->is_string() ? at->get<std::string>() : std::string();
}
Result<std::string> known_alloc(const ClientOps& ops, const Request& request) {
  std::string alloc(request.param("alloc"));
  DROVER_TRY(check_alloc_id(alloc));
  if (!ops.alloc_directory(alloc)) return fail(unknown_allocation(alloc));
  return alloc;
}
// Errors of the client that name no status are 500, as the reference sends them.
Response failed(const Error& error) { return Response::text(error.http_status() != 0 ? error.http_status() : 500, error.message()); }
Response index_zero() { return Response::json(R"({"Index":0})"); }

Async<Response> stats(ClientOps& ops, Request request) {
  auto alloc = known_alloc(ops, request);
  if (!alloc) co_return failed(alloc.error());
  auto usage = co_await ops.alloc_stats(*alloc, std::string(request.query.get("task")));
  if (!usage) co_return failed(usage.error());
  co_return Response::json(model::to_json(*usage));
}

Async<Response> restart(ClientOps& ops, Request request) {
  auto alloc = known_alloc(ops, request);
  if (!alloc) co_return failed(alloc.error());
  auto body = read_body(request);
  if (!body) co_return failed(body.error());
  const std::string task = text_of(*body, "TaskName");
  const bool all = body->value("AllTasks", Json(false)) == Json(true);
  if (all && !task.empty()) co_return Response::text(500, "task name cannot be set when restarting all tasks");
  if (!task.empty() && ops.task_presence(*alloc, task) == TaskPresence::unknown)
    co_return Response::text(500, "Could not find task runner for task: " + task);
  auto done = co_await ops.restart_alloc(*alloc, task, all);
  if (!done) co_return failed(done.error());
  co_return index_zero();
}

Async<Response> signal(ClientOps& ops, Request request) {
  auto alloc = known_alloc(ops, request);
  if (!alloc) co_return failed(alloc.error());
  auto body = read_body(request);
  if (!body) co_return failed(body.error());
  const std::string task = text_of(*body, "Task");
  if (!task.empty() && ops.task_presence(*alloc, task) == TaskPresence::unknown) co_return Response::text(500, "Task not found");
  auto done = co_await ops.signal_alloc(*alloc, task, text_of(*body, "Signal"));
  if (!done) co_return failed(done.error());
  co_return index_zero();
}

// Tasks have no schedules here, so none can be paused; what asks for it is checked as where they have.
Async<Response> pause(ClientOps& ops, Request request) {
  auto alloc = known_alloc(ops, request);
  if (!alloc) co_return failed(alloc.error());
  if (request.method != "GET") {
    auto body = read_body(request);
    if (!body) co_return failed(body.error());
    const std::string state = text_of(*body, "ScheduleState");
    if (state != "pause" && state != "run" && state != "scheduled") co_return Response::text(400, "Not a valid task schedule state");
  }
  co_return Response::text(500, "Enterprise only");
}

// Health checks of services are not run here, so an allocation has no results.
Async<Response> checks(ClientOps& ops, Request request) {
  auto alloc = known_alloc(ops, request);
  if (!alloc) co_return failed(alloc.error());
  co_return Response::json("null");
}

Async<Response> collect(ClientOps& ops, Request request) {
  const std::string alloc(request.param("alloc"));
  auto known = check_alloc_id(alloc);
  if (!known) co_return failed(known.error());
  auto done = co_await ops.collect_alloc(alloc);
  if (!done) co_return done.error().code() == Code::not_found ? failed(unknown_allocation(alloc)) : failed(done.error());
  co_return Response{};
}

Async<Response> collect_all(ClientOps& ops, Request) {
  co_await ops.collect_all();
  co_return Response{};
}

Async<Response> host_stats(ClientOps& ops, Request) {
  auto found = co_await ops.host_stats();
  if (!found) co_return failed(found.error());
  co_return Response::json(model::to_json(*found));
}

Async<Response> driver_schemas(ClientOps& ops, Request) {
  const auto found = ops.driver_schemas();
  if (!found) co_return failed(found.error());
  co_return Response::json(model::to_json(*found));
}

Async<Response> not_found(ClientOps&, Request) { co_return Response::text(404, "resource not found"); }

using Function = Async<Response> (*)(ClientOps&, Request);

// What names an allocation is answered where the allocation is.
Async<Response> at_alloc(ClientOps& ops, Elsewhere* elsewhere, Function function, Request request) {
  auto there = co_await ask_elsewhere(ops, elsewhere, request);
  if (there) co_return std::move(*there);
  auto here = co_await function(ops, std::move(request));
  co_return here;
}

// What may name a node is answered there, else here.
Async<Response> at_node(ClientOps& ops, Elsewhere* elsewhere, Function function, Request request) {
  std::string node(request.query.get("node_id"));
  if (node.empty() && ops.node_id().empty()) co_return Response::text(400, "No local Node and node_id not provided");
  if (!node.empty() && node != ops.node_id()) {
    if (elsewhere == nullptr) co_return Response::text(404, fmt::format("Unknown node {}", node));
    auto there = co_await elsewhere->ask_node(std::move(node), request);
    co_return there;
  }
  auto here = co_await function(ops, std::move(request));
  co_return here;
}

}  // namespace

void add_client_routes(http::Router& router, ClientOps& ops, Pool& pool, Elsewhere* elsewhere) {
  add_fs_routes(router, ops, pool, elsewhere);
  using Place = Async<Response> (*)(ClientOps&, Elsewhere*, Function, Request);
  const auto add_at = [&](Place place, const char* methods, const char* pattern, Function function, http::Cors cors) {
    router.add(methods, pattern, [&ops, elsewhere, place, function](Request request) { return place(ops, elsewhere, function, std::move(request)); },
               {.cors = cors});
  };
  const auto add = [&](const char* methods, const char* pattern, Function function) {
    add_at(at_alloc, methods, pattern, function, http::Cors::get);
  };
  add_at(at_node, "*", "/v1/client/stats", host_stats, http::Cors::get);
  add_at(at_node, "GET", "/v1/client/drivers", driver_schemas, http::Cors::get);
  add_at(at_node, "*", "/v1/client/gc", collect_all, http::Cors::off);
  add("*", "/v1/client/allocation/{alloc}/stats", stats);
  add("PUT", "/v1/client/allocation/{alloc}/restart", restart);
  add("PUT", "/v1/client/allocation/{alloc}/signal", signal);
  add_exec_routes(router, ops, elsewhere);
  add_plugin_routes(router, ops, pool, elsewhere);
  add("GET PUT", "/v1/client/allocation/{alloc}/pause", pause);
  add("*", "/v1/client/allocation/{alloc}/checks", checks);
  add_at(at_alloc, "GET", "/v1/allocation/{alloc}/checks", checks, http::Cors::off);
  add("*", "/v1/client/allocation/{alloc}/gc", collect);
  add("*", "/v1/client/allocation/{rest...}", not_found);
}

}  // namespace drover::agent
