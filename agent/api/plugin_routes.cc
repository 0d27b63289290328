#include "agent/api/plugin_routes.h"

#include "agent/api/parameters.h"
#include "agent/pluginhost/plugin_log.h"
#include "lib/model/codec.h"
#include "sdk/plugin/digest.h"

namespace drover::agent {
namespace {
using http::Request;
using http::Response;

struct Routes {
  ClientOps& ops;
  Pool& pool;
  Elsewhere* elsewhere;
};

Response unknown(const Routes& routes, std::string_view name) {
  std::string known;
  for (const auto& plugin : routes.ops.plugins()) known += (known.empty() ? "" : ", ") + plugin.name;
  return Response::text(404, fmt::format("no plugin \"{}\" on this node; plugins here: {}", name, known.empty() ? "none" : known));
}

// The files may be large and their disk slow.
Async<> add_digests(Pool& pool, std::vector<model::AgentPlugin>& plugins) {
  for (model::AgentPlugin& plugin : plugins) {
    auto work = [path = plugin.file] { return plugin::file_digest(path); };
    auto digest = co_await run_blocking(pool, std::move(work));
    if (digest) plugin.digest = std::move(*digest);
  }
}

Async<Response> list(Routes routes, Request) {
  auto plugins = routes.ops.plugins();
  co_await add_digests(routes.pool, plugins);
  model::List<model::AgentPlugin> out;
  for (auto& plugin : plugins) out.push_back(std::move(plugin));
  co_return Response::json(model::to_json(out));
}

Async<Response> show(Routes routes, Request request) {
  std::vector<model::AgentPlugin> found;
  const std::string_view name = request.param("name");
  for (auto& plugin : routes.ops.plugins()) {
    const bool is_it = plugin.name == name || plugin.file.substr(plugin.file.rfind('/') + 1) == name;
    if (is_it && (found.empty() || found[0].phase == "skipped")) found = {std::move(plugin)};
  }
  if (found.empty()) co_return unknown(routes, name);
  co_await add_digests(routes.pool, found);
  co_return Response::json(model::to_json(found[0]));
}

Async<> write_lines(pluginhost::PluginLogRing& lines, bool follow, http::ResponseStream& out) {
  for (std::uint64_t seen = 0;;) {
    const std::string text = lines.read_after(seen);
    bool open = co_await out.write(text);
    if (open) open = co_await out.flush();
    if (!open || !follow) co_return;
    while (lines.newest() == seen) co_await lines.wait();
  }
}

Async<Response> logs(Routes routes, Request request) {
  pluginhost::PluginLogRing* const lines = routes.ops.plugin_log(request.param("name"));
  if (lines == nullptr) co_return unknown(routes, request.param("name"));
  auto follow = parse_bool_parameter(request, "follow", false);
  if (!follow) co_return Response::error(follow.error());
  Response response;
  response.headers.set("Content-Type", "text/plain; charset=utf-8");
  response.stream = [lines, wanted = *follow](http::ResponseStream& out) { return write_lines(*lines, wanted, out); };
  co_return response;
}

Async<Response> reset(Routes routes, Request request) {
  const auto done = routes.ops.reset_plugin(request.param("name"));
  if (!done) co_return unknown(routes, request.param("name"));
  co_return Response::json("{}");
}

using Function = Async<Response> (*)(Routes, Request);
Async<Response> at_node(Routes routes, Function function, Request request) {
  std::string node(request.query.get("node_id"));
  if (node.empty() && routes.ops.node_id().empty()) co_return Response::text(400, "this agent is not a client: name a node with node_id");
  if (!node.empty() && node != routes.ops.node_id()) {
    if (routes.elsewhere == nullptr) co_return Response::text(404, fmt::format("Unknown node {}", node));
    auto there = co_await routes.elsewhere->ask_node(std::move(node), request);
    co_return there;
  }
  auto here = co_await function(routes, std::move(request));
  co_return here;
}
}  // namespace

void add_plugin_routes(http::Router& router, ClientOps& ops, Pool& pool, Elsewhere* elsewhere) {
  const Routes routes{ops, pool, elsewhere};
  const auto add = [&](const char* methods, const char* pattern, Function function) {
    router.add(methods, pattern, [routes, function](Request request) { return at_node(routes, function, std::move(request)); });
  };
  add("GET", "/v1/agent/plugins", list);
  add("GET", "/v1/agent/plugin/{name}", show);
  add("GET", "/v1/agent/plugin/{name}/logs", logs);
  add("PUT", "/v1/agent/plugin/{name}/reset", reset);
}

}  // namespace drover::agent
