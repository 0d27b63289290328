#include "agent/api/exec_routes.h"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <nlohmann/json.hpp>

#include "agent/api/exec_session.h"
#include "agent/api/fs_routes.h"
#include "agent/api/parameters.h"
#include "lib/http/websocket.h"
#include "lib/model/json_complaint.h"
#include "sdk/base/encoding.h"
#include "sdk/base/text.h"

namespace drover::agent {
namespace {
using http::Request;
using http::Response;
using Json = nlohmann::json;

struct ExecRequest {
  std::string alloc, task;
  std::vector<std::string> command;
  std::string action;  // instead of a command
  bool tty = false;
};

Result<bool> read_bool(const Request& request, const char* name, int status) {
  auto value = parse_bool_parameter(request, name, false);
  if (value) return value;
  const std::string& text = value.error().message();
  return fail(status_error(status, fmt::format("{} value is not a boolean: {}", name, text.substr(text.find("strconv")))));
}

Result<std::vector<std::string>> read_command(std::string_view text) {
  constexpr const char* step = "failed to marshal command into json: ";
  const Json command = Json::parse(text, nullptr, false);
  if (command.is_discarded()) return fail(status_error(500, step + (text.empty() ? std::string("unexpected end of JSON input") : model::json_complaint(text))));
  const auto kind = [](const Json& value) { return value.is_number() ? "number" : value.is_boolean() ? "bool" : value.type_name(); };
  std::vector<std::string> out;
  if (command.is_null()) return out;
  if (!command.is_array()) return fail(status_error(500, fmt::format("{}json: cannot unmarshal {} into Go value of type []string", step, kind(command))));
  for (const Json& word : command) {
    if (word.is_null()) out.emplace_back();
    else if (word.is_string()) out.push_back(word.get<std::string>());
    else return fail(status_error(500, fmt::format("{}json: cannot unmarshal {} into Go value of type string", step, kind(word))));
  }
  return out;
}

// What can be said of the parameters alone.
Result<ExecRequest> read_exec(const Request& request) {
  ExecRequest out;
  out.alloc = request.param("alloc");
  out.task = request.query.get("task");
  auto command = read_command(request.query.get("command"));
  if (!command) return fail(command.error());
  out.command = std::move(*command);
  auto tty = read_bool(request, "tty", 500);
  if (!tty) return fail(tty.error());
  out.tty = *tty;
  return out;
}

Result<ExecRequest> read_action(const Request& request) {
  ExecRequest out;
  out.alloc = request.query.get("allocID");
  out.task = request.query.get("task");
  out.action = request.query.get("action");
  auto tty = read_bool(request, "tty", 500);
  if (!tty) return fail(tty.error());
  out.tty = *tty;
  if (out.alloc.empty()) return fail(status_error(400, "missing AllocID"));
  if (out.task.empty()) return fail(status_error(400, "must provide task name"));
  if (out.action.empty()) return fail(status_error(400, "must provide action name"));
  return out;
}

// What the node says of a request whose parameters are well formed.
Result<> check_exec(const ClientOps& ops, ExecRequest& request) {
  DROVER_TRY(check_alloc_id(request.alloc));
  if (!ops.alloc_directory(request.alloc)) return fail(unknown_allocation(request.alloc));
  if (request.task.empty()) return fail(status_error(400, "must provide task name"));
  if (!request.action.empty()) {
    auto command = ops.action_command(request.alloc, request.task, request.action);
    if (!command) return fail(command.error());
    request.command = std::move(*command);
  }
  if (request.command.empty()) return fail(status_error(400, "command is not present"));
  return {};
}

// The refusals that come before a socket is one.
std::optional<Response> check_handshake(const Request& request) {
  const auto refuse = [](int status, std::string text) {
    auto response = Response::text(status, std::move(text));
    response.headers.set("Sec-Websocket-Version", "13");
    response.headers.set("X-Content-Type-Options", "nosniff");
    return response;
  };
  constexpr const char* bad = "Bad Request\nfailed to upgrade connection: websocket: ";
  if (request.headers.get("Upgrade").empty()) return Response::text(500, "websocket connection not found in context");
  if (request.headers.get("Sec-WebSocket-Version") != "13") {
    return refuse(400, std::string(bad) + "unsupported version: 13 not found in 'Sec-Websocket-Version' header");
  }
  if (const auto key = base64_decode(request.headers.get("Sec-WebSocket-Key")); !key || key->size() != 16) {
    return refuse(400, std::string(bad) + "not a websocket handshake: 'Sec-WebSocket-Key' header must be Base64 encoded value of 16-byte in length");
  }
  // A page of another origin must not get at the tasks of whoever looks at it.
  const std::string_view origin = request.headers.get("Origin");
  if (const auto scheme = origin.find("://"); !origin.empty() && (scheme == std::string_view::npos || !http::iequals(origin.substr(scheme + 3), request.headers.get("Host")))) {
    return refuse(403, "Forbidden\nfailed to upgrade connection: websocket: request origin not allowed by Upgrader.CheckOrigin");
  }
  return std::nullopt;
}

// The first message of clients that cannot set header fields: `{"version":1,"auth_token":"..."}`.
Async<Result<>> read_first_message(std::string header_token, http::WebSocket& socket) {
  const auto message = co_await socket.receive();
  if (!message) co_return fail(Code::cancelled, "the client has gone");
  const Json first = Json::parse(message->data, nullptr, false);
  if (!first.is_object()) co_return fail(status_error(400, model::json_complaint(message->data)));
  const auto version = first.value("version", Json(0));
  if (version != Json(1)) co_return fail(status_error(400, fmt::format("unexpected handshake value: {}", version.is_number_integer() ? version.get<std::int64_t>() : 0)));
  const auto token = first.find("auth_token");
  const std::string sent = token != first.end() && token->is_string() ? token->get<std::string>() : std::string();
  if (!header_token.empty() && sent != header_token) co_return fail(status_error(400, "handshake auth token mismatched auth header token"));
  co_return Result<>{};
}

struct Routes {
  ClientOps& ops;
  Elsewhere* elsewhere;
  Result<ExecRequest> (*read)(const Request&);
};

Async<> run_here(Routes routes, ExecRequest wanted, http::WebSocket& socket) {
  if (auto checked = check_exec(routes.ops, wanted); !checked) {
    co_await refuse_socket(checked.error(), socket);
    co_return;
  }
  const ExecRun run = [&routes, &wanted](Channel<driver::ExecInput>& input, Channel<driver::ExecOutput>& output) {
    return routes.ops.exec_task(wanted.alloc, wanted.task, {.command = wanted.command, .tty = wanted.tty}, input, output);
  };
  co_await exec_over_websocket(run, socket);
}

// An allocation of another node: its agent's socket is this one's. A refusal that came in words of HTTP becomes a close frame.
Async<bool> run_there(Routes routes, const ExecRequest& wanted, Request request, http::WebSocket& socket) {
  if (routes.elsewhere == nullptr || !check_alloc_id(wanted.alloc) || routes.ops.alloc_directory(wanted.alloc)) co_return false;
  auto answer = co_await routes.elsewhere->ask_alloc(wanted.alloc, request);
  if (!answer) co_return false;
  if (answer->upgrade) co_await answer->upgrade(socket);
  else co_await refuse_socket(status_error(answer->status, std::string(trim(answer->body))), socket);
  co_return true;
}

Async<> run_socket(Routes routes, Request request, http::WebSocket& socket) {
  auto handshake = read_bool(request, "ws_handshake", 400);
  if (handshake && *handshake) {
    auto accepted = co_await read_first_message(std::string(request.headers.get("X-Nomad-Token")), socket);
    if (!accepted) handshake = fail(accepted.error());
    // Done here: the agent it is passed on to finds none.
    request.query.set("ws_handshake", "false");
    request.target = fmt::format("{}?{}", request.raw_path(), request.query.encode());
  }
  auto wanted = handshake ? routes.read(request) : Result<ExecRequest>(fail(handshake.error()));
  if (!wanted) {
    co_await refuse_socket(wanted.error(), socket);
    co_return;
  }
  const bool answered = co_await run_there(routes, *wanted, std::move(request), socket);
  if (!answered) co_await run_here(routes, std::move(*wanted), socket);
}

Async<Response> open_socket(Routes routes, Request request) {
  if (auto refused = check_handshake(request)) {
    auto wanted = routes.read(request);
    // Without a socket to say it on, a mistake in the parameters comes first.
    if (!wanted && request.headers.get("Upgrade").empty()) co_return Response::error(wanted.error());
    co_return std::move(*refused);
  }
  Response response;
  response.upgrade = [routes, request = std::move(request)](http::WebSocket& socket) { return run_socket(routes, request, socket); };
  co_return response;
}
}  // namespace

void add_exec_routes(http::Router& router, ClientOps& ops, Elsewhere* elsewhere) {
  const auto add = [&](const char* pattern, Result<ExecRequest> (*read)(const Request&)) {
    router.add("GET PUT", pattern, [routes = Routes{ops, elsewhere, read}](Request request) { return open_socket(routes, std::move(request)); },
               {.cors = http::Cors::get});
  };
  add("/v1/client/allocation/{alloc}/exec", read_exec);
  add("/v1/job/{job...}/action", read_action);
}

}  // namespace drover::agent
