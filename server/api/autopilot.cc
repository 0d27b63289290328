// How servers are looked after: the configuration, and how they are. Durations are texts here, unlike elsewhere in the API.
#include <nlohmann/json.hpp>

#include "sdk/base/text.h"
#include "server/api/answer.h"
#include "server/api/params.h"

namespace drover::api {
namespace {

namespace endpoints = wire::endpoints;
using http::Request;
using http::Response;

template <class T>
model::Json document_of(const T& value) { return model::Json::parse(model::to_json(value), nullptr, false); }

model::Json to_json(const model::AutopilotConfiguration& config) {
  model::Json out = document_of(config);
  out["LastContactThreshold"] = format_duration(config.last_contact_threshold);
  out["ServerStabilizationTime"] = format_duration(config.server_stabilization_time);
  return out;
}

// What the body does not name is false or zero, as in the reference, which also does not say which of the durations is none.
Result<model::AutopilotConfiguration> read_config(const Request& request) {
  model::AutopilotConfiguration out;
  const auto read = read_body(request, out, "api.AutopilotConfiguration");
  if (read) return out;
  const std::string& text = read.error().message();
  const auto duration = text.find("time: invalid duration");
  return fail(Code::invalid_argument, "{}", duration == std::string::npos ? text : text.substr(duration));
}

Async<Response> get_config(const Context& c, Request request) {
  model::EmptyRequest query;
  if (auto read = read_query(c, request, query); !read) co_return error_answer(read.error());
  auto reply = co_await c.caller.call(endpoints::autopilot_get, std::move(query));
  if (!reply) co_return error_answer(reply.error());
  co_return json_answer(request, to_json(reply->config).dump());
}

Async<Response> set_config(const Context& c, Request request) {
  const auto wrong = [](const std::string& text) { return error_answer(Error(Code::invalid_argument, text)); };
  auto config = read_config(request);
  if (!config) co_return wrong("Error parsing autopilot config: " + config.error().message());
  model::AutopilotSetRequest body;
  body.config = std::move(*config);
  if (auto read = read_write(c, request, body); !read) co_return error_answer(read.error());
  if (const auto text = request.query.get("cas"); !text.empty()) {
    body.check_index = parse_unsigned(text);
    if (!body.check_index) co_return wrong(fmt::format("Error parsing cas value: strconv.ParseUint: parsing \"{}\": invalid syntax", text));
  }
  auto reply = co_await c.caller.call(endpoints::autopilot_set, std::move(body));
  if (!reply) co_return error_answer(reply.error());
  co_return json_answer(request, reply->updated ? "true" : "false");
}

Async<Response> health(const Context& c, Request request) {
  model::EmptyRequest query;
  if (auto read = read_query(c, request, query); !read) co_return error_answer(read.error());
  query.allow_stale = false;  // only the leader asks the others
  auto reply = co_await c.caller.call(endpoints::cluster_health, std::move(query));
  if (!reply) co_return error_answer(reply.error());
  model::Json out = model::Json::object();
  out["Healthy"] = reply->healthy;
  out["FailureTolerance"] = reply->failure_tolerance;
  model::Json servers = model::Json::array(), voters = model::Json::array();
  std::string leader;
  for (const auto& one : reply->servers) {
    model::Json server = document_of(one);
    server.erase("Datacenter");
    server["Name"] = one.name + "." + c.options.region;
    server["LastContact"] = format_duration(one.last_contact);
    servers.push_back(std::move(server));
    if (one.voter) voters.push_back(one.id);
    if (one.leader) leader = one.id;
  }
  out["Servers"] = std::move(servers);
  out["Leader"] = leader;
  out["Voters"] = std::move(voters);
  auto answer = json_answer(request, out.dump());
  if (!reply->healthy) answer.status = 429;
  co_return answer;
}

}  // namespace

void add_autopilot(http::Router& router, const ContextPtr& context) {
  router.add("GET", "/v1/operator/autopilot/configuration", bind<get_config>(context));
  router.add("PUT", "/v1/operator/autopilot/configuration", bind<set_config>(context));
  router.add("GET", "/v1/operator/autopilot/health", bind<health>(context));
  router.on_wrong_method("/v1/operator/autopilot/configuration", 404, "Invalid method");
  router.on_wrong_method("/v1/operator/autopilot/health", 404, "Invalid method");
}

}  // namespace drover::api
